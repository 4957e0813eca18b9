"""What became of everything: the devices' own record against the rows, the quarantine and the ledger.

Its SQL is its own, so that a mistake in the platform's reading of its books cannot hide one in its writing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from storage import lifecycle
from storage.pool import open_pool
from telemetry.kinds import KINDS
from telemetry.refusals import Reason
from tests.chaos.flood import LAMPS
from tests.chaos.uplinks import Fate, Marked, Numbered, Refused, Timed

ROWS = " UNION ALL ".join(
    f"""SELECT asset, (extract(epoch FROM observed_at) * 1000000)::bigint, time_from_receipt, seq,
        {"energy_kwh" if kind == "streetlight" else "NULL::double precision"} FROM {kind} JOIN asset USING (asset_id)
        WHERE asset NOT LIKE 'flood-%' AND asset NOT LIKE 'gauge-%'"""
    for kind in KINDS
)
QUARANTINE = "SELECT topic, encode(digest, 'hex'), element, reason FROM quarantine WHERE replayed_at IS NULL"
FLOODED = f"""
    SELECT count(*) FROM streetlight JOIN asset USING (asset_id)
    CROSS JOIN LATERAL (SELECT round(extract(epoch FROM observed_at) * 1000)::bigint - %(start)s AS number) row
    WHERE asset = 'flood-' || number / %(each)s %% {LAMPS}
      AND number >= 0 AND number < %(count)s AND energy_kwh = number"""
PLAYED = "SELECT flow_l_s::bigint FROM drain_level JOIN asset USING (asset_id) WHERE asset LIKE 'gauge-%'"
BOOKS = """
    SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
           coalesce(sum(quarantined), 0)::bigint, coalesce(sum(unkept), 0)::bigint,
           coalesce(sum(replayed), 0)::bigint FROM ledger"""
THERE = f"""
    SELECT {" + ".join(f"(SELECT count(*) FROM {kind})" for kind in KINDS)}, (SELECT count(*) FROM quarantine)"""
NOT_LATEST = " UNION ALL ".join(
    f"""SELECT asset_id FROM (SELECT asset_id, max(observed_at) AS newest FROM {kind} GROUP BY 1) row
        LEFT JOIN latest_observation l USING (asset_id) WHERE l.observed_at IS DISTINCT FROM newest"""
    for kind in KINDS
)
ROLLED_UP = " UNION ALL ".join(
    f"""SELECT asset_id, '{kind}', bucket, raw, h.count FROM
        (SELECT asset_id, date_trunc('hour', observed_at, 'UTC') AS bucket, count(*) AS raw FROM {kind} GROUP BY 1, 2) r
        FULL JOIN (SELECT asset_id, bucket, count FROM {kind}_hourly) h USING (asset_id, bucket)
        WHERE raw IS DISTINCT FROM h.count"""
    for kind in KINDS
)


@dataclass
class Promised:
    """What the publishers were made to believe, and all that was ever sent.

    `flooded` readings came from `flood_start_ms` on, `flood_each` in an uplink.

    `played` is how many readings of a recording a replay says the broker has taken.
    """

    believed: set[object] = field(default_factory=set)
    sent: set[object] = field(default_factory=set)
    published: int = 0
    flooded: int = 0
    flood_start_ms: int = 0
    flood_each: int = 1
    played: int = 0

    @property
    def count(self) -> int:
        """Observations believed delivered."""
        return len(self.believed) + self.flooded + self.played


@dataclass
class Verdict:
    """`lost` and `doubled` name observations, or say how many; `complaints` say what else is not in order."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    replayed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def judge(url: str, promised: Promised) -> Verdict:
    """Compare; the database's is one snapshot."""
    with psycopg.connect(url) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        verdict = _books(conn)
        found = _fates_found(conn)
        verdict.lost += [str(fate) for fate in promised.believed - found.keys()]
        verdict.doubled += [str(f) for f, count in found.items() if count > 1 and not isinstance(f, Marked)]
        unasked = found.keys() - promised.sent
        if unasked:
            verdict.complaints.append(f"{len(unasked)} were never sent, such as {min(map(str, unasked))}")
        verdict.lost += _short("of the backlog", promised.flooded, _flooded(conn, promised))
        played = [number for (number,) in conn.execute(PLAYED)]
        verdict.lost += _short("of the recording", promised.played, len(set(played)))
        verdict.doubled += _short("of the recording", len(played), len(set(played)))
        if behind := conn.execute(NOT_LATEST).fetchall():
            verdict.complaints.append(f"{len(behind)} assets' latest is not their newest")
    return verdict


def _books(conn: psycopg.Connection[tuple[object, ...]]) -> Verdict:
    """The ledger, against itself and against the rows."""
    received, stored, duplicate, quarantined, unkept, replayed = _numbers(conn, BOOKS)
    rows, refused = _numbers(conn, THERE)
    verdict = Verdict(received, stored, duplicate, quarantined, replayed)
    if received != stored + duplicate + quarantined:
        verdict.complaints.append(f"received {received} is not {stored} + {duplicate} + {quarantined}")
    for what, booked, there in (("rows", stored + replayed, rows), ("refusals", quarantined - unkept, refused)):
        verdict.lost += _short(f"{what} booked and not there", booked, there)
        verdict.doubled += _short(f"{what} there and not booked", there, booked)
    return verdict


def _fates_found(conn: psycopg.Connection[tuple[object, ...]]) -> Counter[Fate]:
    found: Counter[Fate] = Counter()
    for device, observed_us, from_receipt, seq, energy_kwh in conn.execute(ROWS):
        if not from_receipt:
            found[Timed(str(device), _int(observed_us) // 1000)] += 1
        elif seq is not None:
            found[Numbered(str(device), _int(seq))] += 1
        else:
            found[Marked(str(device), _int(energy_kwh))] += 1
    for topic, digest, element, reason in conn.execute(QUARANTINE):
        found[Refused(str(topic), str(digest), _int(element), Reason(str(reason)))] += 1
    return found


def _flooded(conn: psycopg.Connection[tuple[object, ...]], promised: Promised) -> int:
    if not promised.flooded:
        return 0
    terms = {"start": promised.flood_start_ms, "count": promised.flooded, "each": promised.flood_each}
    return _numbers(conn, FLOODED, terms)[0]


def _numbers(conn: psycopg.Connection[tuple[object, ...]], query: str, more: dict[str, int] | None = None) -> list[int]:
    row = conn.execute(query, more).fetchone()
    assert row
    return [_int(each) for each in row]


def _int(value: object) -> int:
    assert isinstance(value, int | float)
    return int(value)


def _short(what: str, wanted: int, there: int) -> Iterable[str]:
    return [f"{wanted - there} {what}"] if wanted > there else []


async def check_rollups(url: str, now_us: int) -> list[str]:
    """Bring rollups up to date; complaints where an hour then counts otherwise than its rows."""
    pool = await open_pool(url, size=2)
    try:
        done = lifecycle.Round(idle=True)
        while done.idle or done.days_left:
            done = await lifecycle.maintain(pool, now_us)
    finally:
        await pool.close()
    with psycopg.connect(url) as conn:
        differing = conn.execute(ROLLED_UP).fetchall()
    return [
        f"hour {bucket} of {kind} {asset} has {raw} rows, its rollup {count}"
        for asset, kind, bucket, raw, count in differing
    ]
