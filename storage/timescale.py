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
BACKSTOP_DAYS = 14
"""The server's own retention comes so much later than ours, which notes what it drops."""


def aggregate_of(kind: Kind) -> str:
    """The continuous aggregate: `<kind>_hourly` itself, unless that is a view which adds the increases of counters."""
    return f"{kind.name}_hourly_aggregate" if rollups.counters(kind) else f"{kind.name}_hourly"


class Timescale:
    """The keeper of old data under TimescaleDB; `lifecycle` is the door to it."""

    mode = "timescale"

    async def adopt(self, conn: Connection, kind: Kind) -> None:
        """Turn a plain observation table into a hypertable, and make or remake its hourly rollup."""
        name = kind.name
        cursor = await conn.execute(
            "SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = %s", (name,)
        )
        if not cursor.rowcount:
            await conn.execute(SQL["hypertable"].format(kind=name))
            await conn.execute(SQL["compressible"].format(kind=name))
        wanted = [column for column in rollups.columns(kind) if column.of_rows]
        aggregate = aggregate_of(kind)
        known = await relations.column_names(conn, aggregate) if await relations.relkind(conn, aggregate) else []
        if not {column.name for column in wanted} <= set(known):
            await self._make_aggregate(conn, kind, wanted, bool(known))

    async def _make_aggregate(self, conn: Connection, kind: Kind, wanted: list[rollups.Column], replaces: bool) -> None:
        aggregate = aggregate_of(kind)
        if replaces:
            await conn.execute(f"DROP MATERIALIZED VIEW {aggregate} CASCADE")
        sums = ", ".join(f"{column.of_rows} AS {column.name}" for column in wanted)
        await conn.execute(SQL["aggregate"].format(kind=kind.name, aggregate=aggregate, sums=sums))
        increases = [column for column in rollups.columns(kind) if not column.of_rows]
        if not increases:
            return
        await relations.make_rollup(conn, f"{kind.name}_hourly_increase", relations.ASSET_KEYS, increases)
        columns = [f"h.{c.name}" if c.of_rows else f"i.{c.name}" for c in rollups.columns(kind)]
        statement = SQL["hourly_with_increase"]
        await conn.execute(statement.format(kind=kind.name, aggregate=aggregate, columns=", ".join(columns)))

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

    async def store_increase(
        self, conn: Connection, kind: Kind, field: str, increase: str, hours: list[dt.datetime]
    ) -> None:
        """Write what the statement `increase` gives for a counter of these hours."""
        statement = SQL["store_increase"].format(kind=kind.name, field=field, increase=increase)
        await conn.execute(statement, {"kind": kind.name, "hours": hours})

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
        """Drop the chunks that end before; returns how many."""
        parameters = {"relation": kind.name, "before": to_datetime(before_us)}
        return len(await (await conn.execute(SQL["drop_chunks"], parameters)).fetchall())

    async def drop_hours(self, conn: Connection, kind: Kind, before: dt.datetime) -> None:
        """Drop hourly rollups from before, whole chunks at a time."""
        await conn.execute(SQL["drop_chunks"], {"relation": aggregate_of(kind), "before": before})
        if rollups.counters(kind):
            await conn.execute(SQL["drop_increases"].format(kind=kind.name), {"before": before})

    async def set_policies(self, conn: Connection, kind: Kind, wanted: bool, raw_days: int, compress_days: int) -> None:
        """Register the server's own policies with our intervals, or remove them."""
        name, aggregate = kind.name, aggregate_of(kind)
        cursor = await conn.execute(SQL["has_policies"], {"kind": name})
        row = await cursor.fetchone()
        if row is not None and row[0] == wanted:
            return
        await conn.execute("SELECT remove_compression_policy(%s::regclass, if_exists => true)", (name,))
        await conn.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", (name,))
        await conn.execute("SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", (aggregate,))
        if wanted:
            raw, compress = dt.timedelta(days=raw_days + BACKSTOP_DAYS), dt.timedelta(days=compress_days)
            await conn.execute("SELECT add_compression_policy(%s::regclass, %s::interval)", (name, compress))
            await conn.execute("SELECT add_retention_policy(%s::regclass, %s::interval)", (name, raw))
            await conn.execute(SQL["add_refresh_policy"], {"aggregate": aggregate, "since": raw})
