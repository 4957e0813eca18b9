"""Old data on a server with TimescaleDB: hypertables, columnstore compression and continuous aggregates.

Everything is done explicitly on the city clock; the server's own policies are registered besides only while the city
clock is the real one, because they read the server's.
"""

import datetime as dt

from storage import queries, relations, rollups
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kind import Kind

SQL = queries.load("timescale")
LEDGER = queries.load("ledger")
LIFECYCLE = queries.load("lifecycle")
BACKSTOP_DAYS = 14
"""The server's own retention comes so much later than ours, which notes what it drops."""


def aggregate_of(kind: Kind) -> str:
    """The continuous aggregate: `<kind>_hourly` itself, unless that is a view which adds the increases of counters."""
    return f"{kind.name}_hourly_aggregate" if rollups.counters(kind) else f"{kind.name}_hourly"


class Timescale:
    """The keeper of old data under TimescaleDB; `lifecycle` is the door to it."""

    mode = "timescale"

    async def adopt(self, conn: Connection, kind: Kind) -> None:
        """Turn a plain observation table into a hypertable, and make its hourly rollup, or remake it wider."""
        name = kind.name
        cursor = await conn.execute(SQL["is_hypertable"], {"kind": name})
        if not cursor.rowcount:
            await conn.execute(SQL["hypertable"].format(kind=name))
            await conn.execute(SQL["compressible"].format(kind=name))
        wanted = {column.name for column in rollups.columns(kind)}
        made = await relations.relkind(conn, f"{name}_hourly") is not None
        if not made:
            await self._make_hourly(conn, kind)
        elif not wanted <= set(await relations.column_names(conn, f"{name}_hourly")):
            await self._widen_hourly(conn, kind)

    async def _make_hourly(self, conn: Connection, kind: Kind) -> None:
        aggregate, columns = aggregate_of(kind), rollups.columns(kind)
        sums = ", ".join(f"{column.of_rows} AS {column.name}" for column in columns if column.of_rows)
        await conn.execute(SQL["aggregate"].format(kind=kind.name, aggregate=aggregate, sums=sums))
        increases = [column for column in columns if not column.of_rows]
        if increases:
            await relations.make_rollup(conn, f"{kind.name}_hourly_increase", relations.ASSET_KEYS, increases)
            names = ", ".join(f"h.{each.name}" if each.of_rows else f"i.{each.name}" for each in columns)
            view = SQL["hourly_with_increase"].format(kind=kind.name, aggregate=aggregate, columns=names)
            await conn.execute(view)

    async def _widen_hourly(self, conn: Connection, kind: Kind) -> None:
        """A continuous aggregate cannot be altered, so it is made anew; hours whose rows are gone are carried over."""
        name = kind.name
        await conn.execute(SQL["save_hours"].format(kind=name), {"kind": name})
        if await relations.relkind(conn, f"{name}_hourly_aggregate"):
            await conn.execute(f"DROP VIEW {name}_hourly")
            await conn.execute(f"DROP MATERIALIZED VIEW {name}_hourly_aggregate")
        else:
            await conn.execute(f"DROP MATERIALIZED VIEW {name}_hourly")
        await self._make_hourly(conn, kind)
        await self._carry_hours(conn, kind)

    async def _carry_hours(self, conn: Connection, kind: Kind) -> None:
        """Put the saved hours where the aggregate keeps its own."""
        table = f"saved_{kind.name}_hours"
        saved = await relations.column_names(conn, table)
        row = await (await conn.execute(SQL["materialized"], {"aggregate": aggregate_of(kind)})).fetchone()
        assert row is not None, "the aggregate has just been made"
        wanted = {"asset_id", "bucket", *(column.name for column in rollups.columns(kind) if column.of_rows)}
        names = ", ".join(each for each in saved if each in wanted)
        await conn.execute(f"INSERT INTO {row[0]} ({names}) SELECT {names} FROM {table}")
        await conn.execute(f"DROP TABLE {table}")

    async def partitions(self, conn: Connection, kind: str) -> set[int]:
        """None of ours: a hypertable makes its chunks itself."""
        return set()

    async def make_partitions(self, conn: Connection, kind: str, months: set[int]) -> None:
        """Nothing: a hypertable makes its chunks itself."""

    async def look_ahead(self, conn: Connection, kind: Kind, now_us: int) -> None:
        """Nothing: a hypertable makes its chunks itself."""

    async def refresh(self, conn: Connection, kind: Kind, since: dt.datetime | None, until: dt.datetime) -> None:
        """Bring the continuous aggregate up to date between two hours; not within a transaction.

        The open hour must lie outside: once refreshed, what still comes into it would not be seen.
        """
        statement = SQL["refresh"].format(aggregate=aggregate_of(kind))
        await conn.execute(statement, {"since": since, "until": until})

    async def sum_up(self, conn: Connection, kind: Kind, hours: list[dt.datetime]) -> None:
        """Nothing: `refresh` has done it."""

    async def hours_to_fill(self, conn: Connection, kind: Kind) -> str:
        """A table that lasts as long as the connection."""
        await conn.execute(SQL["hours_to_fill"].format(kind=kind.name))
        return f"saved_{kind.name}_hours"

    async def hours_filled(self, conn: Connection, kind: Kind, until: dt.datetime) -> None:
        """Carry over what no row tells: increases, and hours whose rows are gone; the rows tell the others."""
        for field in rollups.counters(kind):
            await conn.execute(SQL["fill_increases"].format(kind=kind.name, field=field))
        await conn.execute(SQL["forget_hours_with_rows"].format(kind=kind.name), {"kind": kind.name})
        await self._carry_hours(conn, kind)
        row = await (await conn.execute(LIFECYCLE["horizon"], {"kind": kind.name})).fetchone()
        await self.refresh(conn, kind, row[0] if row else None, until)

    async def store_increase(
        self, conn: Connection, kind: Kind, field: str, increase: str, hours: list[dt.datetime]
    ) -> None:
        """Write what the statement `increase` gives for a counter of these hours."""
        statement = SQL["store_increase"].format(kind=kind.name, field=field, increase=increase)
        await conn.execute(statement, {"kind": kind.name, "hours": hours})

    async def forget_hours(self, conn: Connection, kind: Kind, assets: list[int], hours: list[dt.datetime]) -> None:
        """Have the aggregate made anew from the first of these hours to the last, believed unchanged or not."""
        if rollups.counters(kind):
            await conn.execute(SQL["forget_increases"].format(kind=kind.name), {"assets": assets, "hours": hours})
        span = {"since": hours[0], "until": hours[-1] + dt.timedelta(hours=1)}
        await conn.execute(SQL["refresh_all"].format(aggregate=aggregate_of(kind)), span)

    async def compress(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Move the chunks that end before to the columnstore; returns how many."""
        parameters = {"kind": kind.name, "before": to_datetime(before_us)}
        chunks = await (await conn.execute(SQL["uncompressed"], parameters)).fetchall()
        for (chunk,) in chunks:
            await conn.execute(SQL["compress"], {"chunk": chunk})
        return len(chunks)

    async def end_of_rows(self, conn: Connection, kind: Kind, before_us: int) -> dt.datetime | None:
        """Where the newest chunk ends that ends before; `None` if none does."""
        parameters = {"kind": kind.name, "before": to_datetime(before_us)}
        row = await (await conn.execute(SQL["end_of_rows"], parameters)).fetchone()
        return row[0] if row else None

    async def drop_rows(self, conn: Connection, kind: Kind, before_us: int) -> int:
        """Drop the chunks that end before, booked in the ledger as retired; returns how many.

        Nobody writes to them meanwhile, so that no row is dropped that was not counted.
        """
        parameters = {"relation": kind.name, "before": to_datetime(before_us)}
        async with conn.transaction():
            end = await self.end_of_rows(conn, kind, before_us)
            if end is None:
                return 0
            for (chunk,) in await (await conn.execute(SQL["old_chunks"], parameters)).fetchall():
                await conn.execute(f"LOCK TABLE {chunk} IN EXCLUSIVE MODE")
            await conn.execute(LEDGER["retire"].format(relation=kind.name), {"end": end})
            return len(await (await conn.execute(SQL["drop_chunks"], parameters)).fetchall())

    async def drop_hours(self, conn: Connection, kind: Kind, before: dt.datetime) -> None:
        """Drop hourly rollups from before, whole chunks at a time."""
        await conn.execute(SQL["drop_chunks"], {"relation": aggregate_of(kind), "before": before})
        if rollups.counters(kind):
            await conn.execute(SQL["drop_increases"].format(kind=kind.name), {"before": before})

    async def weight(self, conn: Connection, relation: str) -> tuple[float, float]:
        """Bytes of a hypertable, of the one behind an aggregate, or of a plain table; compressed rows count."""
        row = await (await conn.execute(SQL["weight"], {"relation": relation})).fetchone()
        assert row is not None, "a function gives one row"
        return row[0], row[1]

    async def set_policies(self, conn: Connection, kind: Kind, wanted: bool, raw_days: int, compress_days: int) -> None:
        """Register the server's own policies with our intervals, or remove them.

        Hours are refreshed only as far back as rows are sure to be there: a refresh forgets the hours of dropped rows.
        """
        name, aggregate = kind.name, aggregate_of(kind)
        raw, compress = dt.timedelta(days=raw_days + BACKSTOP_DAYS), dt.timedelta(days=compress_days)
        refresh = dt.timedelta(days=min(raw_days, compress_days))
        intervals = {"raw": raw, "compress": compress, "refresh": refresh}
        cursor = await conn.execute(SQL["policies"], {"kind": name, "aggregate": aggregate, **intervals})
        if await cursor.fetchone() == ((3, 3) if wanted else (0, 0)):
            return
        await conn.execute("SELECT remove_compression_policy(%s::regclass, if_exists => true)", (name,))
        await conn.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", (name,))
        await conn.execute("SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", (aggregate,))
        if wanted:
            await conn.execute("SELECT add_compression_policy(%s::regclass, %s::interval)", (name, compress))
            await conn.execute("SELECT add_retention_policy(%s::regclass, %s::interval)", (name, raw))
            await conn.execute(SQL["add_refresh_policy"], {"aggregate": aggregate, "since": refresh})
