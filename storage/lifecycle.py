"""The life of old data behind one door: partitions, rollups, compression and retention, on the city clock.

Behind the door stands TimescaleDB where the server has it (`timescale`), else plain PostgreSQL (`native`); readers find
the same relations with the same columns. Nothing here reads a clock: the city's moment is an argument.

A writer of observations calls `Partitions.ensure` before its transaction and `mark_dirty` within it. One process at a
time calls `maintain`, again and again.
"""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import structlog
from numpy.typing import NDArray
from psycopg.errors import LockNotAvailable

from storage import errors, ledger_check, queries, rebuild, rollup_check
from storage.keeper import Keeper
from storage.native import Native, months_of
from storage.pool import Connection, Pool
from storage.timescale import Timescale
from telemetry.clock import DAY_US, HOUR_US, SECOND_US, to_datetime
from telemetry.kind import Kind
from telemetry.kinds import KINDS

SQL = queries.load("lifecycle")
ROLLUPS = queries.load("rollups")
LEDGER = queries.load("ledger")
MARK_DIRTY = ROLLUPS["mark_dirty"]

_log = structlog.get_logger(__name__)


AHEAD_US_MAX = HOUR_US
"""Where the city clock is the real one, and this host's is further ahead of the server's, nothing is dropped by it."""

KEEPERS: dict[str, type[Native] | type[Timescale]] = {"native": Native, "timescale": Timescale}


async def keeper(conn: Connection) -> Keeper:
    """Who keeps old data in this database, as `migrate` has decided it once and for all."""
    cursor = await conn.execute(SQL["mode"])
    row = await cursor.fetchone()
    if row is None:
        raise errors.SchemaMissing("the table city is empty")
    return KEEPERS[row[0]]()


class Partitions:
    """Makes sure that rows of any time find a place; one for each writer, cheap once it knows the months.

    `partitions = await Partitions.of(conn)` when the writer connects, then before each write
    `await partitions.ensure(conn, "streetlight", columns.observed_us)`, outside the write's transaction. Should the
    write still raise `psycopg.errors.CheckViolation` with "no partition of relation", retention has dropped a partition
    meanwhile: `partitions.forget()`, ensure and write again. Under TimescaleDB nothing is ever to be done.
    """

    def __init__(self, house: Keeper) -> None:
        self._keeper = house
        self._known: dict[str, set[int]] = {}

    @classmethod
    async def of(cls, conn: Connection) -> "Partitions":
        """Learn how this database keeps its data."""
        return cls(await keeper(conn))

    async def ensure(self, conn: Connection, kind: str, observed_us: NDArray[np.int64]) -> None:
        """Make the partitions that rows of these times need and that are not known to be there."""
        if self._keeper.mode != "native":
            return
        months = months_of(observed_us)
        known = self._known.get(kind)
        if known is not None and months <= known:
            return
        await self._keeper.make_partitions(conn, kind, months)
        self._known[kind] = await self._keeper.partitions(conn, kind)

    def forget(self) -> None:
        """Take nothing for known any more."""
        self._known.clear()


async def mark_dirty(conn: Connection, kind: str, observed_us: NDArray[np.int64]) -> None:
    """Say that rows of these times are new, in the transaction that writes them; both modes need it."""
    if len(observed_us):
        await conn.execute(MARK_DIRTY, marks({kind: observed_us}))


def marks(by_kind: Mapping[str, NDArray[np.int64]]) -> dict[str, object]:
    """The parameters of `MARK_DIRTY`, for who makes it a part of a statement of its own; times are by kind."""
    hours = {kind: _hours(observed_us) for kind, observed_us in by_kind.items()}
    return {
        "dirty_kinds": [kind for kind, dirty in hours.items() for _ in dirty],
        "dirty_hours": [hour for dirty in hours.values() for hour in dirty],
    }


def _hours(observed_us: NDArray[np.int64]) -> list[int]:
    """Each hour once, since 1970; nearly all batches are of one."""
    first, last = int(observed_us.min()) // HOUR_US, int(observed_us.max()) // HOUR_US
    return [first] if first == last else np.unique(observed_us // HOUR_US).tolist()


@dataclass(frozen=True, slots=True)
class Ages:
    """How long data is kept, in days of the city clock: rows, hours, refused uplinks, and rows before compression.

    A kind that `raw_days_by_kind` or `hourly_days_by_kind` names has an age of its own. Hours stay at least as long as
    their rows, and daily rollups for ever.
    """

    raw_days: int = 730
    hourly_days: int = 1_826
    compress_days: int = 14
    quarantine_days: int = 365
    raw_days_by_kind: Mapping[str, int] = field(default_factory=dict)
    hourly_days_by_kind: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {"", *self.raw_days_by_kind, *self.hourly_days_by_kind}
        in_order = all(0 < self.raw(kind) <= self.hourly(kind) for kind in kinds)
        if not (in_order and 0 < self.compress_days <= self.raw_days):
            raise ValueError("data is compressed before it is dropped, and rows are dropped before their hours")
        if self.quarantine_days <= 0:
            raise ValueError("refused uplinks are kept for a day at least")

    def raw(self, kind: str) -> int:
        """Days that the rows of a kind are kept."""
        return self.raw_days_by_kind.get(kind, self.raw_days)

    def hourly(self, kind: str) -> int:
        """Days that the hours of a kind are kept."""
        return self.hourly_days_by_kind.get(kind, self.hourly_days)


@dataclass(slots=True)
class Round:
    """What one round of maintenance did. `took_s` is real time; `idle` means that another process was at it.

    `check` is the night's check of rollups, `None` in all rounds but one a night.
    """

    idle: bool = False
    days: int = 0
    days_left: int = 0
    compressed: int = 0
    dropped: int = 0
    days_checked: int = 0
    check: rollup_check.Check | None = None
    took_s: float = 0.0

    @property
    def rest_s(self) -> float:
        """How long to wait before the next round, so that maintenance takes no more than a tenth of the time."""
        return 0.0 if self.days_left else max(10.0, 9 * self.took_s)


async def maintain(
    pool: Pool,
    now_us: int,
    *,
    clock_is_real: bool = False,
    ages: Ages | None = None,
    budget_s: float = 30.0,
) -> Round:
    """One round: partitions ahead, rollups of dirty hours, once a night their check, the ledger's checks, and once a
    city day compression and retention.

    Rollups are brought up to date newest day first until `budget_s` of real time is spent; `days_left` says what
    remains for the next round. `clock_is_real` registers TimescaleDB's own policies besides; a moment far ahead of the
    server's clock then drops nothing and makes no partitions: what is dropped by a wrong clock is gone.

    Raises `errors.StorageError`.
    """
    began = time.monotonic()
    with errors.translated():
        async with pool.connection() as conn:
            cursor = await conn.execute(SQL["try_lock"])
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return Round(idle=True)
            try:
                await conn.execute("SET statement_timeout = 0")
                result = await _maintain(conn, now_us, clock_is_real, ages or Ages(), began + budget_s)
            finally:
                if not conn.closed:
                    await conn.execute("RESET statement_timeout")
                    await conn.execute(SQL["unlock"])
    result.took_s = time.monotonic() - began
    return result


async def _maintain(conn: Connection, now_us: int, clock_is_real: bool, ages: Ages, until_s: float) -> Round:
    result = Round()
    house = await keeper(conn)
    trusted = not clock_is_real or await _agrees(conn, now_us)
    for kind in KINDS.values():
        if trusted:
            await house.look_ahead(conn, kind, now_us)
        await house.set_policies(conn, kind, clock_is_real, ages.raw(kind.name), ages.compress_days)
    await _summarize(conn, house, now_us, until_s, result)
    if not result.days_left and await rollup_check.due(conn, now_us):
        result.check = await _check(conn, house, now_us)
        if result.check and result.check.differing:
            await _summarize(conn, house, now_us, until_s, result)
    result.days_checked = await ledger_check.check_due(conn, now_us, until_s)
    if result.days_left or not trusted:
        return result  # what is dropped has been summed up before
    for kind in KINDS.values():
        looked = await conn.execute(SQL["look"], {"kind": kind.name, "at": to_datetime(now_us)})
        if looked.rowcount:
            before = to_datetime(now_us - ages.quarantine_days * DAY_US)
            await conn.execute(SQL["drop_quarantine"], {"before": before})
            result.compressed += await house.compress(conn, kind, now_us - ages.compress_days * DAY_US)
            result.dropped += await _retire(conn, house, kind, now_us, ages)
    return result


async def _agrees(conn: Connection, now_us: int) -> bool:
    """Whether the server's clock does not make this moment one of a future that is yet to come."""
    row = await (await conn.execute(SQL["ahead"], {"now": to_datetime(now_us)})).fetchone()
    assert row is not None, "a query without FROM gives one row"
    if row[0] <= AHEAD_US_MAX:
        return True
    _log.warning("this host's clock is ahead of the database server's: no data is dropped", ahead_s=row[0] // SECOND_US)
    return False


async def _summarize(conn: Connection, house: Keeper, now_us: int, until_s: float, result: Round) -> None:
    """Work off the dirty hours: first the hours, then counters, days and zones, a local day at a time."""
    await conn.execute(ROLLUPS["take_over"])
    await conn.execute(ROLLUPS["forget_work_without_rows"])
    days = [rebuild.Day(*row) for row in await (await conn.execute(ROLLUPS["work"])).fetchall()]
    open_hour = to_datetime(now_us // HOUR_US * HOUR_US)
    for name in {day.kind for day in days} & KINDS.keys():
        await house.refresh(conn, KINDS[name], await _horizon(conn, name), open_hour)
    for index, day in enumerate(days):
        if time.monotonic() > until_s and index:
            result.days_left = len(days) - index
            return
        if day.kind in KINDS and not await _rebuilt(conn, house, day):
            continue
        await conn.execute(ROLLUPS["done"], {"kind": day.kind, "hours": day.hours})
        result.days += 1


async def _rebuilt(conn: Connection, house: Keeper, day: rebuild.Day) -> bool:
    """Whether the day's rollups could be made; one that cannot stays dirty and holds up no other."""
    try:
        with errors.translated():
            await rebuild.rebuild(conn, house, KINDS[day.kind], day)
    except errors.Refused as error:
        _log.error("rollups of a day cannot be made", kind=day.kind, day=str(day.begin), reason=str(error))
        return False
    return True


async def _check(conn: Connection, house: Keeper, now_us: int) -> rollup_check.Check | None:
    """The night's check; one that cannot be made is said and holds up nothing."""
    try:
        with errors.translated():
            return await rollup_check.run(conn, house, now_us)
    except errors.Refused as error:
        _log.error("rollups cannot be compared with their rows", reason=str(error))
        return None


async def _horizon(conn: Connection, kind: str) -> dt.datetime | None:
    """The first hour whose rows are all there; `None` if nothing has ever been dropped."""
    row = await (await conn.execute(SQL["horizon"], {"kind": kind})).fetchone()
    return row[0] if row else None


async def _awaited(conn: Connection, kind: str, end: dt.datetime) -> bool:
    """Whether rows of before have just come, as history does, and have not been summed up: they stay another day."""
    row = await (await conn.execute(ROLLUPS["awaited"], {"kind": kind, "end": end})).fetchone()
    return bool(row and row[0])


async def _retire(conn: Connection, house: Keeper, kind: Kind, now_us: int, ages: Ages) -> int:
    """Drop what is too old; rollups of the dropped rows' time are left alone from then on.

    What a long reader holds is tried again each minute, and holds up nothing else meanwhile.
    """
    before_us, dropped = now_us - ages.raw(kind.name) * DAY_US, 0
    end = await house.end_of_rows(conn, kind, before_us)
    if end is not None and not await _awaited(conn, kind.name, end):
        await conn.execute(SQL["move_horizon"], {"kind": kind.name, "end": end})
        await conn.execute(LEDGER["begin_retiring"])
        try:
            await conn.execute(SQL["wait_briefly"])
            dropped = await house.drop_rows(conn, kind, before_us)
        except LockNotAvailable:
            _log.warning("what is too old is being read, as by a backup: dropped when that ends", kind=kind.name)
            await conn.execute(SQL["look_again"], {"kind": kind.name})
        finally:
            if not conn.closed:
                await conn.execute("RESET lock_timeout")
                await conn.execute(LEDGER["end_retiring"])
    horizon = await _horizon(conn, kind.name)
    if horizon is not None:
        before = min(horizon, to_datetime(now_us - ages.hourly(kind.name) * DAY_US))
        await house.drop_hours(conn, kind, before)
    return dropped
