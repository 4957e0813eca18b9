"""What became of it all: the devices' record and the town's truth against the rows, the books and the alarms.

Its SQL is its own, so that a mistake in the platform's reading of its books cannot hide one in its writing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import psycopg

from telemetry.alarms import AlarmType
from telemetry.kinds import KINDS
from tests.chaos.verdict import BOOKS, NOT_LATEST, THERE
from tests.soak.plan import START_US, Plan
from tests.soak.record import Moments, Record
from tests.soak.truth import Alarm, Flood, Truth

OTHER_FALSE_MAX = 1 / 1_000
"""False alarms other than `drain_overflow` an asset and day."""
NAMED_MAX = 5

_ROWS = """
    SELECT asset, array_agg((extract(epoch FROM observed_at) * 1000)::bigint), count(*) FILTER (WHERE time_from_receipt)
    FROM {kind} JOIN asset USING (asset_id) GROUP BY asset"""
_ALARMS = """
    SELECT asset, type, (extract(epoch FROM observed_at) * 1000000)::bigint,
           (extract(epoch FROM raised_at) * 1000000)::bigint,
           (extract(epoch FROM cleared_at) * 1000000)::bigint FROM alarm"""
_PROBES = "SELECT count(*), count(shown_at) FROM self_probe"
Conn = psycopg.Connection[tuple[object, ...]]


@dataclass
class Verdict:
    """Counts, `complaints` on what is not as promised, and `notes` on what may be: a false alarm or two."""

    believed: int = 0
    rows: int = 0
    received: int = 0
    duplicate: int = 0
    quarantined: int = 0
    lost: int = 0
    doubled: int = 0
    alarms: Counter[AlarmType] = field(default_factory=Counter)
    false: Counter[AlarmType] = field(default_factory=Counter)
    floods: Counter[AlarmType] = field(default_factory=Counter)
    alarmed: Counter[AlarmType] = field(default_factory=Counter)
    flood_delays_s: list[float] = field(default_factory=list)
    stuck: int = 0
    probes: int = 0
    probes_shown: int = 0
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def other_false(self) -> int:
        """False alarms but for `drain_overflow`."""
        return self.false.total() - self.false[AlarmType.DRAIN_OVERFLOW]


def judge(url: str, plan: Plan, record: Record) -> Verdict:
    """Compare; the database's is one snapshot."""
    truth = Truth(plan)
    verdict = Verdict(stuck=truth.stuck_sensors())
    with psycopg.connect(url) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _judge_books(conn, verdict)
        _judge_readings(conn, truth, record, verdict)
        _judge_alarms(conn, truth, plan, verdict)
        (row,) = conn.execute(_PROBES).fetchall()
        verdict.probes, verdict.probes_shown = _int(row[0]), _int(row[1])
    return verdict


def _judge_books(conn: Conn, verdict: Verdict) -> None:
    """The ledger against itself and the rows; a device that does its best is never refused."""
    (row,) = conn.execute(BOOKS).fetchall()
    received, stored, duplicate, quarantined, _, _ = map(_int, row)
    ((rows, _),) = ((_int(a), _int(b)) for a, b in conn.execute(THERE).fetchall())
    verdict.received, verdict.duplicate, verdict.quarantined = received, duplicate, quarantined
    if received != stored + duplicate + quarantined:
        verdict.complaints.append(f"received {received} is not {stored} + {duplicate} + {quarantined}")
    if stored != rows:
        verdict.complaints.append(f"{stored} rows are booked, {rows} are there")
    if quarantined:
        verdict.complaints.append(f"{quarantined} readings were refused")
    if behind := conn.execute(NOT_LATEST).fetchall():
        verdict.complaints.append(f"{len(behind)} assets' latest is not their newest")


def _judge_readings(conn: Conn, truth: Truth, record: Record, verdict: Verdict) -> None:
    """Each device's belief against its rows, reading by reading."""
    stored = dict(_stored(conn, verdict))
    examples = []
    for asset, member in truth.members.items():
        rows = stored.pop(asset, np.empty(0, np.int64))
        there, believed = np.unique(rows), record.believed(member.device)
        lost = np.setdiff1d(believed, there)
        unsent = np.setdiff1d(there, record.all_sent(member.device))
        verdict.believed += len(believed)
        verdict.rows += len(rows)
        verdict.lost += len(lost)
        verdict.doubled += len(rows) - len(there) + len(unsent)
        examples += [f"lost: {asset} at {each}" for each in lost[:1]]
        examples += [f"there and never sent: {asset} at {each}" for each in unsent[:1]]
    verdict.doubled += sum(map(len, stored.values()))
    verdict.complaints += examples[:NAMED_MAX]


def _stored(conn: Conn, verdict: Verdict) -> Iterator[tuple[str, Moments]]:
    for kind in KINDS:
        for asset, moments, from_receipt in conn.execute(_ROWS.format(kind=kind)):
            if from_receipt:
                verdict.complaints.append(f"{from_receipt} rows of {asset} have lost their own time")
            yield str(asset), np.array(moments, np.int64)


def _judge_alarms(conn: Conn, truth: Truth, plan: Plan, verdict: Verdict) -> None:
    """Which are true, and whether every flood has one."""
    alarms = list(_alarms(conn))
    for alarm in alarms:
        verdict.alarms[alarm.type] += 1
        if not truth.is_true(alarm):
            verdict.false[alarm.type] += 1
            if verdict.false[alarm.type] <= NAMED_MAX:
                of_s, raised_s = ((at - START_US) / 1e6 / plan.speed for at in (alarm.observed_us, alarm.raised_us))
                said = f"of {of_s:.0f} s, raised at {raised_s:.0f} s of real time"
                verdict.notes.append(f"false {alarm.type} of {alarm.asset}, {said}")
    for flood in truth.floods:
        verdict.floods[flood.type] += 1
        raised_us = _raised_us(flood, alarms)
        if raised_us is None:
            verdict.complaints.append(f"not alarmed: {flood}")
        else:
            verdict.alarmed[flood.type] += 1
            if raised_us >= flood.begin_us:
                verdict.flood_delays_s.append((raised_us - flood.begin_us) / 1_000_000)
    if verdict.false[AlarmType.DRAIN_OVERFLOW]:
        verdict.complaints.append(f"{verdict.false[AlarmType.DRAIN_OVERFLOW]} false drain_overflow")
    if verdict.other_false > OTHER_FALSE_MAX * plan.asset_days:
        verdict.complaints.append(f"{verdict.other_false} other false alarms in {plan.asset_days:,.0f} asset-days")


def _alarms(conn: Conn) -> Iterator[Alarm]:
    for asset, kind, observed_us, raised_us, cleared_us in conn.execute(_ALARMS):
        yield Alarm(
            None if asset is None else str(asset),
            AlarmType(str(kind)),
            _int(observed_us),
            _int(raised_us),
            None if cleared_us is None else _int(cleared_us),
        )


def _raised_us(flood: Flood, alarms: list[Alarm]) -> int | None:
    """When the alarm of a flood was raised: while it lasts, or it still stands of the flood before."""
    raised = [
        alarm.raised_us
        for alarm in alarms
        if (alarm.asset, alarm.type) == (flood.asset, flood.type) and alarm.raised_us <= flood.end_us
        if alarm.cleared_us is None or alarm.cleared_us >= flood.begin_us
    ]
    return min(raised, default=None)


def _int(value: object) -> int:
    assert isinstance(value, int | float)
    return int(value)
