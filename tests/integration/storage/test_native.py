"""Old data on plain PostgreSQL: partitions by month, made in time and on demand, dropped when due."""

import asyncio
import datetime as dt

import numpy as np
import psycopg
import pytest
from structlog.testing import capture_logs

from storage.lifecycle import Ages, Partitions, maintain
from storage.native import Native
from storage.pool import Connection, Pool, connect
from telemetry.clock import to_us
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, register, store, table

NOW = at("2026-11-23 09:20")
BAY = ("bay-1", "parking_bay", "south")
FREE = {"occupied": False}


async def partitions(conn: Connection, kind: str = "parking_bay") -> list[str]:
    rows = await table(
        conn,
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1",
        kind,
    )
    return [name for (name,) in rows]


async def test_the_coming_months_are_ready(native: Connection, native_pool: Pool) -> None:
    await maintain(native_pool, to_us(NOW))
    for kind in KINDS:
        assert await partitions(native, kind) == [f"{kind}_2026_11", f"{kind}_2026_12", f"{kind}_2027_01"]
    await maintain(native_pool, to_us(at("2026-12-01 00:00")))
    assert "parking_bay_2027_02" in await partitions(native)


async def test_old_rows_share_a_place_a_year_and_all_before_2000_share_one(native: Connection) -> None:
    moments = ["1970-01-01 00:00", "1999-12-31 23:59", "2018-01-01 00:00", "2018-12-31 23:59", "2026-11-30 23:59"]
    await store(native, "parking_bay", [(1, at(moment), FREE) for moment in moments])
    await store(native, "parking_bay", [(1, at("2018-06-15 12:00"), FREE)])
    assert await partitions(native) == ["parking_bay_2018_00", "parking_bay_2026_11", "parking_bay_before_2000"]
    assert await table(native, "SELECT count(*) FROM parking_bay_2018_00") == [(3,)]
    assert await table(native, "SELECT count(*) FROM parking_bay_before_2000") == [(2,)]


async def test_known_months_cost_no_query(native: Connection) -> None:
    places = await Partitions.of(native)
    october = np.array([to_us(at("2026-10-01 00:00")), to_us(at("2026-10-31 23:59"))])
    await places.ensure(native, "parking_bay", october)
    await native.close()
    await places.ensure(native, "parking_bay", october)
    await places.ensure(native, "parking_bay", np.array([], dtype=np.int64))


async def test_writers_make_the_same_partition_at_once(database: str, native: Connection) -> None:
    months = np.array([to_us(at(f"20{year}-06-01 00:00")) for year in range(10, 26)])

    async def write() -> None:
        async with await connect(database) as conn:
            await (await Partitions.of(conn)).ensure(conn, "parking_bay", months)

    await asyncio.gather(*(write() for _ in range(6)))
    assert len(await partitions(native)) == len(months)


async def test_a_partition_is_made_while_others_read_and_write(database: str, native: Connection) -> None:
    await store(native, "parking_bay", [(1, NOW, FREE)])
    async with await connect(database) as other, other.transaction():
        await other.execute("SELECT FROM parking_bay")
        await other.execute(
            "INSERT INTO parking_bay (asset_id, observed_at, received_at, occupied) VALUES (2, %s, %s, true)",
            (NOW, NOW),
        )
        await asyncio.wait_for(store(native, "parking_bay", [(1, at("2020-01-01 00:00"), FREE)]), 5)


async def test_what_is_too_old_is_dropped_and_its_rollups_stay(native: Connection, native_pool: Pool) -> None:
    await register(native, BAY)
    moments = ["1999-01-01 00:00", "2024-10-31 12:00", "2024-11-01 12:00", "2026-11-23 09:00"]
    await store(native, "parking_bay", [(1, at(moment), FREE) for moment in moments])
    done = await maintain(native_pool, to_us(NOW), ages=Ages(raw_days=740))
    assert done.dropped == 2
    assert [month for month in await partitions(native) if month < "parking_bay_2026_12"] == [
        "parking_bay_2024_11",
        "parking_bay_2026_11",
    ]
    assert await table(native, "SELECT count(*) FROM parking_bay") == [(2,)]
    assert await table(native, "SELECT count(*) FROM parking_bay_daily") == [(4,)]


async def test_late_rows_from_a_dropped_time_do_not_spoil_its_rollups(native: Connection, native_pool: Pool) -> None:
    await register(native, BAY)
    await store(native, "parking_bay", [(1, at(f"2024-01-01 12:{minute}"), FREE) for minute in (10, 20, 30)])
    await maintain(native_pool, to_us(NOW))
    await store(native, "parking_bay", [(1, at("2024-01-01 12:40"), FREE)])
    await maintain(native_pool, to_us(NOW))
    assert await table(native, "SELECT count FROM parking_bay_hourly") == [(3,)]
    assert await table(native, "SELECT count FROM parking_bay_daily") == [(3,)]


async def test_hours_are_dropped_later_and_days_never(native: Connection, native_pool: Pool) -> None:
    await register(native, BAY)
    moments = ["2020-10-31 12:00", "2020-11-30 12:00", "2026-11-23 09:00"]
    await store(native, "parking_bay", [(1, at(moment), FREE) for moment in moments])
    await maintain(native_pool, to_us(NOW), ages=Ages(raw_days=730, hourly_days=2190))
    assert await table(native, "SELECT bucket FROM parking_bay_hourly ORDER BY 1") == [
        (at("2020-11-30 12:00"),),
        (at("2026-11-23 09:00"),),
    ]
    assert await table(native, "SELECT count(*) FROM parking_bay_daily") == [(3,)]


async def test_retention_looks_once_a_day(native: Connection, native_pool: Pool) -> None:
    await maintain(native_pool, to_us(NOW))
    await store(native, "parking_bay", [(1, at("2020-01-01 12:00"), FREE)])
    assert (await maintain(native_pool, to_us(NOW) + 1)).dropped == 0
    assert (await maintain(native_pool, to_us(at("2026-11-24 09:21")))).dropped == 1


async def test_a_writer_that_forgets_makes_a_dropped_partition_again(native: Connection, native_pool: Pool) -> None:
    old = at("2020-01-01 12:00")
    moment = np.array([to_us(old)])
    insert = "INSERT INTO parking_bay (asset_id, observed_at, received_at, occupied) VALUES (1, %s, %s, true)"
    places = await Partitions.of(native)
    await places.ensure(native, "parking_bay", moment)
    await maintain(native_pool, to_us(NOW))
    await places.ensure(native, "parking_bay", moment)
    with pytest.raises(psycopg.errors.CheckViolation, match="no partition of relation"):
        await native.execute(insert, (old, old))
    places.forget()
    await places.ensure(native, "parking_bay", moment)
    await native.execute(insert, (old, old))


async def begin_retiring(conn: Connection, end: str) -> None:
    """As retention does before it drops anything."""
    await conn.execute("INSERT INTO raw_horizon (kind, dropped_before) VALUES ('parking_bay', %s)", (at(end),))


async def test_an_interrupted_drop_is_finished(database: str, native: Connection, native_pool: Pool) -> None:
    await store(native, "parking_bay", [(1, at("2020-01-01 12:00"), FREE)])
    await begin_retiring(native, "2020-02-01 00:00")
    async with await connect(database) as reader, await connect(database) as dropper, reader.transaction():
        await reader.execute("SELECT FROM parking_bay")
        await dropper.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await dropper.execute("ALTER TABLE parking_bay DETACH PARTITION parking_bay_2020_01 CONCURRENTLY")
        await Native().look_ahead(dropper, KINDS["parking_bay"], to_us(NOW))  # waits for nobody's end
    await maintain(native_pool, to_us(NOW))
    assert "parking_bay_2020_01" not in await partitions(native)
    assert await table(native, "SELECT FROM pg_class WHERE relname = 'parking_bay_2020_01'") == []


async def test_a_long_reader_holds_up_neither_maintenance_nor_late_rows(
    database: str, native: Connection, native_pool: Pool
) -> None:
    """Beside a backup every round failed, and a late row of the month that was to go stopped all of ingest."""
    old, minute = at("2020-01-01 12:00"), dt.timedelta(minutes=1)
    await register(native, BAY)
    await store(native, "parking_bay", [(1, old, FREE), (1, NOW, FREE)])
    async with await connect(database) as reader, reader.transaction():
        await reader.execute("SELECT FROM parking_bay")
        with capture_logs() as logs:
            beside = await maintain(native_pool, to_us(NOW))
        assert (beside.days, beside.dropped) == (2, 0)
        assert [(each["kind"], each["log_level"]) for each in logs if "is being read" in each["event"]] == [
            ("parking_bay", "warning")
        ]
        await store(native, "parking_bay", [(1, old + minute, FREE), (1, NOW + minute, FREE)])
        assert (await maintain(native_pool, to_us(NOW + minute))).days == 1
    assert (await maintain(native_pool, to_us(NOW + 2 * minute))).dropped == 1
    assert await table(native, "SELECT sum(rows_retired)::int FROM ledger") == [(2,)]


async def test_one_process_maintains_at_a_time(native: Connection, native_pool: Pool) -> None:
    await native.execute("SELECT pg_advisory_lock(hashtext('lamplighter maintenance'))")
    assert (await maintain(native_pool, to_us(NOW))).idle
    await native.execute("SELECT pg_advisory_unlock_all()")
    assert not (await maintain(native_pool, to_us(NOW))).idle


async def test_marking_waits_for_nobody(database: str, native: Connection) -> None:
    await store(native, "parking_bay", [(1, NOW, FREE)])
    async with await connect(database) as keeper, keeper.transaction():
        await keeper.execute("DELETE FROM rollup_dirty")
        await asyncio.wait_for(store(native, "parking_bay", [(2, NOW, FREE)]), 5)
    assert len(await table(native, "SELECT FROM rollup_dirty")) == 1


async def test_a_row_keeps_within_the_ranges_of_its_kind(native: Connection) -> None:
    await (await Partitions.of(native)).ensure(native, "streetlight", np.array([to_us(NOW)]))
    insert = "INSERT INTO streetlight (asset_id, observed_at, received_at, {}) VALUES (1, %s, %s, {})"
    for names, values in [("level_pct", "100.5"), ("level_pct", "'NaN'"), ("level_pct, energy_kwh", "1, 'Infinity'")]:
        with pytest.raises(psycopg.errors.CheckViolation):
            await native.execute(insert.format(names, values), (NOW, NOW))
    with pytest.raises(psycopg.errors.NotNullViolation):
        await native.execute(insert.format("power_w", "1"), (NOW, NOW))


async def test_what_a_killed_drop_left_behind_is_dropped_and_booked(native: Connection) -> None:
    old = at("2020-01-01 12:00")
    await store(native, "parking_bay", [(1, old, FREE)])
    await begin_retiring(native, "2020-02-01 00:00")
    await native.execute("ALTER TABLE parking_bay DETACH PARTITION parking_bay_2020_01")
    await store(native, "parking_bay", [(2, old, FREE)])
    assert await table(native, "SELECT asset_id FROM parking_bay") == [(2,)]
    assert await table(native, "SELECT day, rows_retired FROM ledger") == [(old.date(), 1)]


async def test_what_was_made_again_while_a_drop_waited_for_its_turn_stays(native: Connection) -> None:
    """Rows that came between a partition's detachment and its drop went with it, though they had been acknowledged."""
    old = at("2020-01-01 12:00")
    await store(native, "parking_bay", [(1, old, FREE)])
    await begin_retiring(native, "2020-02-01 00:00")
    await native.execute("ALTER TABLE parking_bay DETACH PARTITION parking_bay_2020_01")
    await store(native, "parking_bay", [(2, old, FREE)])
    await Native()._drop_detached(native, "parking_bay", "parking_bay_2020_01")
    assert await table(native, "SELECT asset_id FROM parking_bay") == [(2,)]


async def test_what_was_detached_by_hand_is_not_dropped(native: Connection, native_pool: Pool) -> None:
    """It was, by whoever looked at the partitions next: an archive that somebody had set aside."""
    kept, name = at("2026-08-14 12:00"), "parking_bay_2026_08"
    await store(native, "parking_bay", [(1, kept, FREE)])
    await begin_retiring(native, "2010-01-01 00:00")
    await native.execute(f"ALTER TABLE parking_bay DETACH PARTITION {name}")
    await maintain(native_pool, to_us(NOW))
    assert await table(native, f"SELECT asset_id FROM {name}") == [(1,)]
    await store(native, "parking_bay", [(2, kept, FREE)])
    assert await table(native, "SELECT asset_id FROM parking_bay ORDER BY 1") == [(1,), (2,)]
