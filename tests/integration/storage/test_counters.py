"""The increase of a cumulative counter: between consecutive readings, in the hour of the later one."""

import datetime as dt

import pytest

from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from storage.registry import import_csv
from telemetry.clock import to_us
from tests.integration.storage.rows import Row, at, register, store, table

NOW = at("2026-11-03 09:20")


@pytest.fixture(autouse=True)
async def lamp(conn: Connection) -> None:
    await register(conn, ("lamp-1", "streetlight", "north"), ("lamp-2", "streetlight", "north"))


def reading(moment: str, energy_kwh: float | None, asset: int = 1) -> Row:
    return asset, at(moment), {"level_pct": 50.0, "energy_kwh": energy_kwh}


async def increases(conn: Connection, relation: str = "streetlight_hourly") -> list[tuple[dt.datetime, float | None]]:
    rows = await table(conn, f"SELECT bucket, energy_kwh_delta FROM {relation} WHERE asset_id = 1 ORDER BY bucket")
    return [(bucket, None if value is None else round(value, 6)) for bucket, value in rows]


async def test_a_difference_belongs_to_the_hour_of_the_later_reading(conn: Connection, pool: Pool) -> None:
    await store(
        conn,
        "streetlight",
        [
            reading("2026-11-02 10:50", 100.0),
            reading("2026-11-02 11:10", 101.5),
            reading("2026-11-02 11:40", 102.0),
            reading("2026-11-02 14:00", 105.0),
            reading("2026-11-02 11:30", 7.0, asset=2),
        ],
    )
    await maintain(pool, to_us(NOW))
    assert await increases(conn) == [
        (at("2026-11-02 10:00"), None),
        (at("2026-11-02 11:00"), 2.0),
        (at("2026-11-02 14:00"), 3.0),
    ]
    assert await increases(conn, "streetlight_daily") == [(at("2026-11-01 23:00"), 5.0)]
    assert await table(conn, "SELECT energy_kwh_delta FROM zone_daily") == [(5.0,)]


async def test_a_reset_is_left_out(conn: Connection, pool: Pool) -> None:
    levels = [("10:10", 100.0), ("10:20", 101.0), ("10:30", 0.2), ("10:40", 0.9)]
    await store(conn, "streetlight", [reading(f"2026-11-02 {time}", value) for time, value in levels])
    await maintain(pool, to_us(NOW))
    assert await increases(conn) == [(at("2026-11-02 10:00"), 1.7)]


async def test_the_step_between_two_devices_is_left_out(conn: Connection, pool: Pool) -> None:
    swap = "asset,kind,device\nlamp-1,streetlight,new-meter\n"
    await import_csv(conn, swap, to_us(at("2026-11-02 10:25")))
    levels = [("10:10", 100.0), ("10:20", 101.0), ("10:30", 500.0), ("10:40", 500.5)]
    await store(conn, "streetlight", [reading(f"2026-11-02 {time}", value) for time, value in levels])
    await maintain(pool, to_us(NOW))
    assert await increases(conn) == [(at("2026-11-02 10:00"), 1.5)]


async def test_readings_without_the_counter_are_passed_over(conn: Connection, pool: Pool) -> None:
    levels = [("10:10", 100.0), ("11:20", None), ("12:30", 103.0)]
    await store(conn, "streetlight", [reading(f"2026-11-02 {time}", value) for time, value in levels])
    await maintain(pool, to_us(NOW))
    assert [value for _, value in await increases(conn)] == [None, None, 3.0]


async def test_a_late_reading_moves_the_share_of_the_next_ones_hour_and_day(conn: Connection, pool: Pool) -> None:
    await store(conn, "streetlight", [reading("2026-11-01 20:10", 100.0), reading("2026-11-02 20:10", 110.0)])
    await maintain(pool, to_us(NOW))
    assert await increases(conn, "streetlight_daily") == [
        (at("2026-10-31 23:00"), None),
        (at("2026-11-01 23:00"), 10.0),
    ]
    await store(conn, "streetlight", [reading("2026-11-01 21:10", 104.0)])
    await maintain(pool, to_us(NOW))
    assert await increases(conn) == [
        (at("2026-11-01 20:00"), None),
        (at("2026-11-01 21:00"), 4.0),
        (at("2026-11-02 20:00"), 6.0),
    ]
    assert await increases(conn, "streetlight_daily") == [
        (at("2026-10-31 23:00"), 4.0),
        (at("2026-11-01 23:00"), 6.0),
    ]


async def test_history_that_comes_newest_first_adds_up(conn: Connection, pool: Pool) -> None:
    begin = at("2026-10-20 00:00")
    rows: list[Row] = [
        (1, begin + dt.timedelta(hours=7 * n), {"level_pct": 1.0, "energy_kwh": 10.0 * n}) for n in range(40)
    ]
    for part in (rows[30:], rows[10:20], rows[:10], rows[20:30]):
        await store(conn, "streetlight", part)
        await maintain(pool, to_us(NOW))
    assert sum(value or 0 for _, value in await increases(conn)) == 390.0
    assert sum(value or 0 for _, value in await increases(conn, "streetlight_daily")) == 390.0
