"""Rollups equal the rows they are made of, in both modes, whatever the order in which the rows came."""

import datetime as dt
import math
from typing import Any

import pytest

from storage import rollups
from storage.lifecycle import keeper, maintain
from storage.migrate import migrate
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from telemetry.kind import Kind
from telemetry.kinds import KINDS
from tests.integration.storage.rows import Row, at, random_rows, register, store, table

NOW = at("2026-10-26 09:20")
LAMPS = [("lamp-1", "streetlight", "north"), ("lamp-2", "streetlight", "south"), ("lamp-3", "streetlight", "north")]
SHAFTS = [("shaft-1", "drain_level", "north"), ("shaft-2", "drain_level", "north")]
BAYS = [("bay-1", "parking_bay", "south"), ("bay-2", "parking_bay", "")]


@pytest.fixture(autouse=True)
async def town(conn: Connection) -> None:
    await register(conn, *LAMPS, *SHAFTS, *BAYS)


async def summed(conn: Connection, kind: Kind, bucket: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the rollup of the rows must be: by asset and bucket, without the increases of counters."""
    sums = ", ".join(column.of_rows for column in rollups.columns(kind) if column.of_rows)
    rows = await table(conn, f"SELECT asset_id, {bucket} AS bucket, {sums} FROM {kind.name} GROUP BY 1, 2")
    return {row[:2]: row[2:] for row in rows}


async def kept(conn: Connection, kind: Kind, relation: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    names = ", ".join(column.name for column in rollups.columns(kind) if column.of_rows)
    rows = await table(conn, f"SELECT asset_id, bucket, {names} FROM {relation}")
    return {row[:2]: row[2:] for row in rows}


def same(one: dict[tuple[Any, ...], tuple[Any, ...]], other: dict[tuple[Any, ...], tuple[Any, ...]]) -> bool:
    """Equal but for the last digits of a mean."""
    return one.keys() == other.keys() and all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9))
        for key in one
        for a, b in zip(one[key], other[key], strict=True)
    )


async def check_everything(conn: Connection) -> None:
    for kind in KINDS.values():
        hours = await summed(conn, kind, "date_trunc('hour', observed_at, 'UTC')")
        assert hours
        assert same(await kept(conn, kind, f"{kind.name}_hourly"), hours)
        days = await summed(conn, kind, "date_trunc('day', observed_at, 'Europe/Berlin')")
        assert same(await kept(conn, kind, f"{kind.name}_daily"), days)


async def test_rollups_equal_their_rows_and_still_do_after_late_data(conn: Connection, pool: Pool) -> None:
    begin, later = NOW - dt.timedelta(hours=40), to_us(NOW + dt.timedelta(days=30))
    last: dict[str, list[Row]] = {}
    for number, kind in enumerate(KINDS):
        ids = [row[0] for row in await table(conn, "SELECT asset_id FROM asset WHERE kind = %s", kind)]
        rows = random_rows(kind, ids, begin, 40, seed=number)
        late, last[kind] = rows[::5], rows[1::5]
        in_time = [row for index, row in enumerate(rows) if index % 5 > 1]
        await store(conn, kind, in_time)
        await maintain(pool, to_us(NOW))
        await store(conn, kind, late)
    await maintain(pool, to_us(NOW))
    await check_everything(conn)
    assert await table(conn, "SELECT FROM rollup_dirty UNION ALL SELECT FROM rollup_work") == []
    compressed = (await maintain(pool, later)).compressed
    assert bool(compressed) == ((await keeper(conn)).mode == "timescale")
    for kind, rows in last.items():
        await store(conn, kind, rows)
    await maintain(pool, later)
    await check_everything(conn)


async def test_the_open_hour_is_there_and_grows(conn: Connection, pool: Pool) -> None:
    for minute in ("09:01", "09:11"):
        await store(conn, "parking_bay", [(6, at(f"2026-10-26 {minute}"), {"occupied": True})])
        await maintain(pool, to_us(NOW))
    (row,) = await table(conn, "SELECT bucket, count, occupied_true_count, occupied_n FROM parking_bay_hourly")
    assert row == (at("2026-10-26 09:00"), 2, 2, 2)
    (row,) = await table(conn, "SELECT bucket, count FROM parking_bay_daily")
    assert row == (at("2026-10-25 23:00"), 2)


async def test_hours_stay_right_when_the_clock_moves_on(conn: Connection, pool: Pool) -> None:
    for hour in range(6, 10):
        await store(conn, "parking_bay", [(6, at(f"2026-10-26 0{hour}:55"), {"occupied": True})])
        await maintain(pool, to_us(at(f"2026-10-26 0{hour}:58")))
    await store(conn, "parking_bay", [(6, at("2026-10-26 09:59"), {"occupied": False})])
    await maintain(pool, to_us(at("2026-10-26 11:30")))
    counts = await table(conn, "SELECT count FROM parking_bay_hourly ORDER BY bucket")
    assert counts == [(1,), (1,), (1,), (2,)]


@pytest.mark.parametrize(
    ("day", "hours", "begin"),
    [
        ("2026-03-29", 23, "2026-03-28 23:00"),
        ("2026-10-25", 25, "2026-10-24 22:00"),
        ("2026-07-01", 24, "2026-06-30 22:00"),
    ],
)
async def test_a_local_day_has_its_hours_across_daylight_saving(
    conn: Connection, pool: Pool, day: str, hours: int, begin: str
) -> None:
    noon = at(f"{day} 12:00")
    rows = [(6, noon + dt.timedelta(hours=hour), {"occupied": True}) for hour in range(-30, 30)]
    await store(conn, "parking_bay", rows)
    await maintain(pool, to_us(noon + dt.timedelta(days=2)))
    assert await table(conn, "SELECT count FROM parking_bay_daily WHERE bucket = %s", at(begin)) == [(hours,)]


async def test_the_mean_of_a_day_is_the_mean_of_its_readings(conn: Connection, pool: Pool) -> None:
    levels = [("10:01", 10.0), ("10:20", 20.0), ("10:40", None), ("11:05", 60.0)]
    rows = [(4, at(f"2026-10-25 {time}"), {"level_m": 1.0, "temp_c": value}) for time, value in levels]
    await store(conn, "drain_level", rows)
    await maintain(pool, to_us(NOW))
    columns = "count, temp_c_avg, temp_c_min, temp_c_max, temp_c_n, battery_pct_avg, battery_pct_n"
    assert await table(conn, f"SELECT {columns} FROM drain_level_daily") == [(4, 30.0, 10.0, 60.0, 3, None, 0)]


async def test_a_zones_day_is_that_of_its_assets(conn: Connection, pool: Pool) -> None:
    moment = at("2026-10-25 10:00")
    lamps = [(1, 40.0, 3), (2, 80.0, 5), (3, 60.0, None)]
    rows = [(asset, moment, {"level_pct": level, "motion": motion}) for asset, level, motion in lamps]
    await store(conn, "streetlight", [*rows, (1, moment + dt.timedelta(hours=1), {"level_pct": 50.0, "motion": 4})])
    await store(conn, "parking_bay", [(7, moment, {"occupied": True})])
    await maintain(pool, to_us(NOW))
    columns = "zone, kind, bucket, assets, count, level_pct_avg, level_pct_n, motion_sum, occupied_n"
    day = at("2026-10-24 22:00")
    assert await table(conn, f"SELECT {columns} FROM zone_daily ORDER BY zone") == [
        ("north", "streetlight", day, 2, 3, 50.0, 3, 7, None),
        ("south", "streetlight", day, 1, 1, 80.0, 1, 5, None),
    ]


async def test_another_time_zone_cuts_all_days_anew(any_database: str, conn: Connection, pool: Pool) -> None:
    await store(conn, "parking_bay", [(6, at("2026-10-25 23:30"), {"occupied": True})])
    await maintain(pool, to_us(NOW))
    assert await table(conn, "SELECT bucket FROM parking_bay_daily") == [(at("2026-10-25 23:00"),)]
    await migrate(any_database, timezone="Europe/Lisbon")
    await maintain(pool, to_us(NOW))
    assert await table(conn, "SELECT bucket FROM parking_bay_daily") == [(at("2026-10-24 23:00"),)]
    assert await table(conn, "SELECT bucket FROM zone_daily") == [(at("2026-10-24 23:00"),)]


async def test_a_round_out_of_time_goes_on_in_the_next(conn: Connection, pool: Pool) -> None:
    rows = [(6, NOW - dt.timedelta(days=day), {"occupied": True}) for day in range(5)]
    await store(conn, "parking_bay", rows)
    first = await maintain(pool, to_us(NOW), budget_s=0)
    assert (first.days, first.days_left, first.rest_s) == (1, 4, 0)
    second = await maintain(pool, to_us(NOW))
    assert (second.days, second.days_left) == (4, 0)
    assert second.rest_s >= 10
    assert await table(conn, "SELECT count(*) FROM parking_bay_daily") == [(5,)]
