"""The nightly check finds rollups that are not what their rows say, and has them made anew, in both modes."""

import datetime as dt

import pytest

from storage import rollup_check
from storage.lifecycle import Round, keeper, maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import at, random_rows, register, store, table

EVENING = at("2026-10-26 19:00")
NIGHT = at("2026-10-27 02:10")
"""Ten past three in Berlin."""
DAY, OTHER_DAY = at("2026-10-24 22:00"), at("2026-10-23 22:00")
"""Local days of 25 and 24 hours."""
LAMPS = [("lamp-1", "streetlight", "north"), ("lamp-2", "streetlight", "south")]


async def night(pool: Pool, days: int = 0) -> Round:
    """Maintenance of a night."""
    return await maintain(pool, to_us(NIGHT + dt.timedelta(days=days)))


@pytest.fixture(autouse=True)
async def town(conn: Connection, pool: Pool) -> None:
    """Three days of two lamps, across the end of summer time, summed up since the night before."""
    await conn.execute("INSERT INTO rollup_check VALUES (%s, 0, 0, 0, NULL, 0)", (EVENING - dt.timedelta(hours=1),))
    await register(conn, *LAMPS)
    await store(
        conn, "streetlight", random_rows("streetlight", [1, 2], at("2026-10-23 22:00"), 70, seed=1, step_s=3000)
    )
    await maintain(pool, to_us(EVENING))


async def falsify(conn: Connection) -> None:
    """One figure in each rollup is no longer what the rows say; of hours, one counts what was never there."""
    (relation,) = (await table(conn, "SELECT to_regclass('streetlight_hourly_aggregate')"))[0]
    if relation is None:
        await conn.execute("UPDATE streetlight_hourly SET temp_c_max = 99 WHERE asset_id = 1 AND bucket = %s", (DAY,))
        await conn.execute(
            "INSERT INTO streetlight_hourly (asset_id, bucket, count) VALUES (2, %s, 7)"
            " ON CONFLICT (asset_id, bucket) DO UPDATE SET count = 700",
            (DAY + dt.timedelta(hours=2),),
        )
    else:
        (name,) = (
            await table(
                conn,
                "SELECT format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)"
                " FROM timescaledb_information.continuous_aggregates WHERE view_name = 'streetlight_hourly_aggregate'",
            )
        )[0]
        await conn.execute(f"UPDATE {name} SET count = count + 1 WHERE asset_id = 1 AND bucket = %s", (DAY,))
        await conn.execute(f"DELETE FROM {name} WHERE asset_id = 2 AND bucket = %s", (DAY + dt.timedelta(hours=2),))
    increases = "streetlight_hourly" if relation is None else "streetlight_hourly_increase"
    await conn.execute(
        f"UPDATE {increases} SET energy_kwh_delta = -1 WHERE bucket = %s", (DAY + dt.timedelta(hours=5),)
    )
    await conn.execute("UPDATE streetlight_daily SET motion_sum = 0 WHERE asset_id = 1 AND bucket = %s", (DAY,))
    await conn.execute("UPDATE zone_daily SET energy_kwh_delta = 0 WHERE zone = 'north' AND bucket = %s", (OTHER_DAY,))


async def everything(conn: Connection) -> list[object]:
    """All rollups, rounded so that the order of adding up does not show."""
    return [
        [
            tuple(round(value, 6) if isinstance(value, float) else value for value in row)
            for row in await table(conn, f"SELECT * FROM {relation} ORDER BY 1, 2, 3")
        ]
        for relation in ("streetlight_hourly", "streetlight_daily", "zone_daily")
    ]


async def test_a_difference_is_found_and_mended(conn: Connection, pool: Pool) -> None:
    before = await everything(conn)
    await falsify(conn)
    assert await everything(conn) != before
    check = (await night(pool)).check
    assert check is not None
    assert check.asset_days >= 6
    assert check.differing >= 3
    assert check.example is not None
    await maintain(pool, to_us(NIGHT))
    assert await everything(conn) == before
    assert await rollup_check.last(conn, NIGHT + dt.timedelta(hours=1)) == check


async def test_one_check_a_night_and_nothing_to_find(conn: Connection, pool: Pool) -> None:
    first = (await night(pool)).check
    assert (first and first.differing, first and first.asset_days_left) == (0, 0)
    assert (await night(pool)).check is None
    late = [(1, at("2026-10-25 00:10"), {"level_pct": 3.0, "energy_kwh": 499.0, "motion": 5})]
    await store(conn, "streetlight", late)
    second = (await night(pool, days=1)).check
    assert second is not None
    assert second.differing == 0
    assert second.asset_days >= 2


async def test_a_day_whose_rows_have_gone_is_not_tried_for_ever(conn: Connection, pool: Pool) -> None:
    late = DAY - dt.timedelta(days=1_000)
    await conn.execute("INSERT INTO rollup_touched VALUES ('streetlight', %s)", (late,))
    gone = "INSERT INTO raw_horizon (kind, dropped_before) VALUES ('streetlight', %s) ON CONFLICT (kind) DO UPDATE"
    await conn.execute(f"{gone} SET dropped_before = excluded.dropped_before", (late + dt.timedelta(days=30),))
    await night(pool)
    assert await table(conn, "SELECT FROM rollup_touched WHERE day = %s", late) == []


async def test_a_check_without_time_says_what_it_left(conn: Connection, pool: Pool) -> None:
    await conn.execute(
        "INSERT INTO asset (asset, kind) SELECT 'more-' || n, 'streetlight' FROM generate_series(1, 300) n"
    )
    async with pool.connection() as own:
        check = await rollup_check.run(own, await keeper(own), to_us(NIGHT), budget_s=0)
    assert check.asset_days_left == 3 * 302
