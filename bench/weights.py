"""What a reading weighs where it rests: bytes of table, index, rollups and log; the sizing is computed from these."""

import sys
import time

import numpy as np

from bench import processes
from bench.field import City, Field
from bench.figures import Section, Table
from bench.limit import COPY
from bench.traffic import MIXED, copy_rows
from storage import lifecycle
from storage.pool import connect, open_pool
from telemetry.clock import DAY_US, MINUTE_US

EVERY_US = 5 * MINUTE_US
READINGS_A_DAY = DAY_US // EVERY_US
LOGGED = 50_000

WORDS = """\
A day of readings of each device, one in five minutes, of street lights, which have the widest row, and their rollups;
the write-ahead log of ingest at work, three kinds mixed, with its page images after a checkpoint. No target: the
sizing in [scaling.md](scaling.md) is computed from these figures."""


async def weigh(field: Field) -> list[Section]:
    """Fill a city with a day, sum it up, and look."""
    city = await field.city()
    await field.clear(city)
    rows = city.source.devices * READINGS_A_DAY
    await _fill(city, rows)
    table, index = (
        await _bytes(city, "streetlight", "pg_table_size"),
        await _bytes(city, "streetlight", "pg_indexes_size"),
    )
    rollup_us = await _sum_up(field, city) * 1e6 / rows
    costs = {"row_bytes": table / rows, "index_bytes": index / rows, "rollup_us": rollup_us}
    for name in ("hourly", "daily"):
        relation = f"streetlight_{name}"
        count = await city.ask(f"SELECT count(*) FROM {relation}")
        costs[f"{name}_bytes"] = await _bytes(city, relation, "pg_total_relation_size") / count
    costs["log_bytes"] = await _log_bytes(field)
    costs["packet_bytes"] = city.source.packet_bytes()
    print("  weighed", file=sys.stderr)
    table_ = Table(["", "bytes"])
    for name, key in (
        ("a row", "row_bytes"), ("its index entry", "index_bytes"), ("an hour of an asset, with index", "hourly_bytes"),
        ("a day of an asset, with index", "daily_bytes"), ("write-ahead log a reading", "log_bytes"),
        ("a reading as MQTT packet", "packet_bytes"),
    ):  # fmt: skip
        table_.rows.append([name, f"{costs[key]:,.0f}"])
    table_.rows.append(["database's CPU for the rollups, µs a reading", f"{rollup_us:.1f}"])
    return [Section("What a reading weighs", WORDS, table_, [], costs)]


async def _fill(city: City, rows: int) -> None:
    """The UTC day before yesterday, in order of time, as devices report."""
    begin_us = (time.time_ns() // 1000 // DAY_US - 2) * DAY_US
    observed_us = np.array([begin_us, begin_us + DAY_US - 1], dtype=np.int64)
    hours_us = np.arange(begin_us, begin_us + DAY_US, 60 * MINUTE_US, dtype=np.int64)
    async with await connect(city.url, statement_timeout_s=0) as conn:
        partitions = await lifecycle.Partitions.of(conn)
        await partitions.ensure(conn, "streetlight", observed_us)
        async with conn.transaction(), conn.cursor().copy(COPY) as copy:
            await copy.write(copy_rows(city.source.devices, rows, begin_us, EVERY_US))
        await lifecycle.mark_dirty(conn, "streetlight", hours_us)


async def _sum_up(field: Field, city: City) -> float:
    """Maintenance until no day is left; returns the database's CPU for it, in seconds."""
    pool = await open_pool(city.url)
    try:
        before = processes.weigh(field.database.child.pid)
        while (await lifecycle.maintain(pool, time.time_ns() // 1000)).days_left:
            pass
        return processes.weigh(field.database.child.pid).cpu_s - before.cpu_s
    finally:
        await pool.close()


async def _bytes(city: City, relation: str, measure: str) -> float:
    """Bytes of a relation with its partitions."""
    partitions = f"SELECT sum({measure}(relid)) FROM pg_partition_tree('{relation}')"  # no row where there are none
    return await city.ask(f"SELECT coalesce(({partitions}), {measure}('{relation}'))")


async def _log_bytes(field: Field) -> float:
    """Bytes of write-ahead log a reading."""
    city = await field.city(kinds=MIXED)
    await field.clear(city)
    position = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
    async with field.ingest(city):
        before = await city.ask(position)
        await field.publish(city.source, LOGGED)
        await city.until_stored(LOGGED)
        return (await city.ask(position) - before) / LOGGED
