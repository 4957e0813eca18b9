"""Old data on a server without TimescaleDB: range partitions by month, and hours summed up into a table.

A month is a compromise that was measured: with five years of history, finding an asset's last reading before a moment
takes 2.7 ms over months and 17 ms over weeks, nearly all of it planning; retention is exact to a month.

What comes from long ago shares a partition a year, and all before 2000 share one: a device whose clock is wrong, or who
means harm, makes some sixty partitions of its kind and not one for every month since 1970. Such a year leaves as one.
"""

import datetime as dt
import re
from collections.abc import Set

import numpy as np
import structlog
from numpy.typing import NDArray
from psycopg.errors import LockNotAvailable

from storage import queries, relations, rollups
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kind import Kind

SQL = queries.load("native")
LIFECYCLE = queries.load("lifecycle")
LEDGER = queries.load("ledger")
_log = structlog.get_logger(__name__)

MONTHS_AHEAD = 2
"""Partitions are made for this month and so many after it."""
MONTHS_APART = 26
"""A year that ended so many months before the newest partition has one for all its rows, unless months of it have
theirs. It is past the usual retention then."""
EARLY = "before_2000"
_MONTHS_TO_2000 = 360
_NAME = re.compile(r"_(\d{4})_(\d{2})\Z")

Month = int
"""Months since January 1970; what lies before 2000 is `EARLY_MONTH`."""
EARLY_MONTH: Month = -1
Span = range
"""The months of a partition: one, or the twelve of a year."""


def months_of(observed_us: NDArray[np.int64]) -> set[Month]:
    """The months that rows of these times belong to."""
    if not len(observed_us):
        return set()
    span = np.array([observed_us.min(), observed_us.max()])
    first, last = _months(span)
    if first == last:
        return {int(first)}
    return {int(month) for month in np.unique(_months(observed_us))}


def _months(us: NDArray[np.int64]) -> NDArray[np.int64]:
    months = us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return np.where(months < _MONTHS_TO_2000, EARLY_MONTH, months)


def spans_for(missing: Set[Month], there: Set[Span]) -> set[Span]:
    """The partitions to make so that these months have one, beside those that are there."""
    newest = max((month for span in (missing, *there) for month in span), default=EARLY_MONTH)
    return {_span_for(month, there, newest) for month in missing}


def _span_for(month: Month, there: Set[Span], newest: Month) -> Span:
    alone = range(month, month + 1)
    if month == EARLY_MONTH:
        return alone
    january = month // 12 * 12
    year = range(january, january + 12)
    is_old = year[-1] < newest - MONTHS_APART
    has_months = any(len(span) == 1 and span[0] in year for span in there)
    return year if year in there or (is_old and not has_months) else alone


def partition_name(kind: str, span: Span) -> str:
    """`streetlight_2026_11`, `streetlight_2019_00` for a whole year, or `streetlight_before_2000`."""
    if span[0] == EARLY_MONTH:
        return f"{kind}_{EARLY}"
    year, index = divmod(span[0], 12)
    return f"{kind}_{1970 + year:04}_{index + 1 if len(span) == 1 else 0:02}"


def span_of_name(name: str) -> Span | None:
    """The months of a partition by its name, `None` if it is none of ours."""
    if name.endswith(f"_{EARLY}"):
        return range(EARLY_MONTH, EARLY_MONTH + 1)
    found = _NAME.search(name)
    if found is None:
        return None
    january, number = (int(found[1]) - 1970) * 12, int(found[2])
    return range(january + number - 1, january + number) if number else range(january, january + 12)


def begin_of(month: Month) -> dt.datetime:
    """When a month begins, UTC."""
    year, index = divmod(month, 12)
    return dt.datetime(1970 + year, index + 1, 1, tzinfo=dt.UTC)


def end_of(month: Month) -> dt.datetime:
    """When a month ends, UTC, exclusive."""
    return begin_of(_MONTHS_TO_2000 if month == EARLY_MONTH else month + 1)


class Native:
    """The keeper of old data on plain PostgreSQL; `lifecycle` is the door to it."""

    mode = "native"

    async def adopt(self, conn: Connection, kind: Kind) -> None:
        """Turn a plain, empty observation table into a partitioned one, and make or widen its hourly rollup."""
        name = kind.name
        if await relations.relkind(conn, name) == "r":
            new = f"{name}_partitioned"
            await conn.execute(f"CREATE TABLE {new} (LIKE {name} INCLUDING ALL) PARTITION BY RANGE (observed_at)")
            await conn.execute(f"DROP TABLE {name}")
            await conn.execute(f"ALTER TABLE {new} RENAME TO {name}")
            await conn.execute(f"ALTER INDEX {new}_pkey RENAME TO {name}_pkey")
        await relations.make_rollup(conn, f"{name}_hourly", relations.ASSET_KEYS, rollups.columns(kind))

    async def partitions(self, conn: Connection, kind: str) -> set[Month]:
        """The months that have a partition."""
        return {month for span in await self._attached(conn, kind) for month in span}

    async def _attached(self, conn: Connection, kind: str) -> list[Span]:
        return [span for span, _, state in await self._pieces(conn, kind) if state == "attached"]

    async def make_partitions(self, conn: Connection, kind: str, months: set[Month]) -> None:
        """Make the partitions of months that have none; readers and writers of the table go on meanwhile.

        Done by the owner's rights, whoever asks. One that was detached by hand comes back with its rows: these are
        where new ones belong.
        """
        async with conn.transaction():
            await conn.execute(SQL["lock_partitions"], {"kind": kind})
            there = {span for span, *_ in await self._pieces(conn, kind)}
            for span in spans_for(months - await self.partitions(conn, kind), there):
                begin = None if span[0] == EARLY_MONTH else begin_of(span[0])
                named = {"kind": kind, "name": partition_name(kind, span), "begin": begin, "end": end_of(span[-1])}
                await conn.execute(SQL["make_partition"], named)

    async def _pieces(self, conn: Connection, kind: str) -> list[tuple[Span, str, str]]:
        """Months, name and state of each partition, attached or not."""
        rows = await (await conn.execute(SQL["partitions"], {"kind": kind})).fetchall()
        return [(span, name, state) for name, state in rows if (span := span_of_name(name)) is not None]

    async def _finish_drops(self, conn: Connection, kind: str) -> None:
        """Finish an interrupted drop. What was detached by hand, of the time that is kept, is not ours to drop."""
        row = await (await conn.execute(LIFECYCLE["horizon"], {"kind": kind})).fetchone()
        for span, name, state in await self._pieces(conn, kind):
            try:
                if state == "detaching":
                    await conn.execute(f"ALTER TABLE {kind} DETACH PARTITION {name} FINALIZE")
                if state != "attached" and row and end_of(span[-1]) <= row[0]:
                    await self._drop_detached(conn, kind, name)
            except LockNotAvailable:
                _log.warning("a detached partition is being read: it is dropped when that ends", partition=name)

    async def look_ahead(self, conn: Connection, kind: Kind, now_us: int) -> None:
        """Have the partitions of the coming months ready."""
        await self._finish_drops(conn, kind.name)
        this = next(iter(months_of(np.array([now_us]))))
        wanted = set(range(this, this + MONTHS_AHEAD + 1))
        if not wanted <= await self.partitions(conn, kind.name):
            await self.make_partitions(conn, kind.name, wanted)

    async def refresh(self, conn: Connection, kind: Kind, since: dt.datetime | None, until: dt.datetime) -> None:
        """Nothing: hours are summed up one by one in `sum_up`."""

    async def sum_up(self, conn: Connection, kind: Kind, hours: list[dt.datetime]) -> None:
        """Sum up these hours anew, without the increases of counters."""
        columns = [column for column in rollups.columns(kind) if column.of_rows]
        names = [column.name for column in columns]
        statement = SQL["hourly"].format(
            kind=kind.name,
            names=", ".join(names),
            sums=", ".join(f"{column.of_rows} AS {column.name}" for column in columns),
            results=", ".join(f"r.{name}" for name in names),
            excluded=", ".join(f"excluded.{name}" for name in names),
            stored=", ".join(f"stored.{name}" for name in names),
        )
        await conn.execute(statement, {"kind": kind.name, "hours": hours})

    async def hours_to_fill(self, conn: Connection, kind: Kind) -> str:
        """The table that hours of a backup are copied into."""
        return f"{kind.name}_hourly"

    async def hours_filled(self, conn: Connection, kind: Kind, until: dt.datetime) -> None:
        """Nothing: they are where they belong."""

    async def store_increase(
        self, conn: Connection, kind: Kind, field: str, increase: str, hours: list[dt.datetime]
    ) -> None:
        """Write what the statement `increase` gives for a counter of these hours."""
        statement = SQL["store_increase"].format(kind=kind.name, field=field, increase=increase)
        await conn.execute(statement, {"kind": kind.name, "hours": hours})

    async def forget_hours(self, conn: Connection, kind: Kind, assets: list[int], hours: list[dt.datetime]) -> None:
        """Delete these hours; `sum_up` makes those that have rows."""
        await conn.execute(SQL["forget_hours"].format(kind=kind.name), {"assets": assets, "hours": hours})

    async def compress(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Nothing: plain PostgreSQL has no columnstore."""
        return 0

    async def end_of_rows(self, conn: Connection, kind: Kind, before_us: int) -> dt.datetime | None:
        """Where the newest partition ends that ends before; `None` if none does."""
        due = await self._due(conn, kind, before_us)
        return max((end_of(span[-1]) for span in due), default=None)

    async def _due(self, conn: Connection, kind: Kind, before_us: int) -> list[Span]:
        before = to_datetime(before_us)
        return [span for span in await self._attached(conn, kind.name) if end_of(span[-1]) <= before]

    async def drop_rows(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Drop the partitions that end before; returns how many.

        Readers and writers wait for the moment that detaching takes. Done CONCURRENTLY they would not, but one that a
        long reader holds would then be neither there nor gone, with no place for rows of its time.
        """
        due = await self._due(conn, kind, before_us)
        for span in due:
            name = partition_name(kind.name, span)
            await conn.execute(f"ALTER TABLE {kind.name} DETACH PARTITION {name}")
            await self._drop_detached(conn, kind.name, name)
        return len(due)

    async def _drop_detached(self, conn: Connection, kind: str, name: str) -> None:
        """Drop what nobody writes to any more, booked in the ledger as retired.

        Perhaps another process already has, or has made it again since, and writes to it.
        """
        async with conn.transaction():
            await conn.execute(SQL["lock_partitions"], {"kind": kind})
            if (await conn.execute(SQL["detached"], {"name": name})).rowcount == 0:
                return
            await conn.execute(LEDGER["retire"].format(relation=name), {"end": dt.datetime.max.replace(tzinfo=dt.UTC)})
            await conn.execute(f"DROP TABLE {name}")

    async def drop_hours(self, conn: Connection, kind: Kind, before: dt.datetime) -> None:
        """Drop hourly rollups from before."""
        await conn.execute(SQL["drop_hours"].format(kind=kind.name), {"before": before})

    async def weight(self, conn: Connection, relation: str) -> tuple[float, float]:
        """Bytes of a table with all its partitions, and rows as they were last counted by ANALYZE."""
        row = await (await conn.execute(SQL["weight"], {"relation": relation})).fetchone()
        assert row is not None, "a function gives one row"
        return row[0], row[1]

    async def set_policies(self, conn: Connection, kind: Kind, wanted: bool, raw_days: int, compress_days: int) -> None:
        """Nothing: plain PostgreSQL has no background jobs."""
