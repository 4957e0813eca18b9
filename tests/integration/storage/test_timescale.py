"""Old data under TimescaleDB: chunks, columnstore, retention and policies, all on the city clock."""

import datetime as dt

from storage.lifecycle import Ages, maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, register, store, table

NOW = at("2018-06-15 12:00")
"""The city lives years before the server's clock."""
BAY = ("bay-1", "parking_bay", "south")
FREE = {"occupied": False}


async def chunks(conn: Connection) -> list[tuple[bool]]:
    return await table(
        conn,
        "SELECT is_compressed FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'parking_bay' ORDER BY range_start",
    )


async def test_every_kind_is_a_hypertable_of_weeks_with_an_aggregate_of_hours(timescale: Connection) -> None:
    found = await table(
        timescale,
        "SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions"
        " WHERE hypertable_schema = 'public' ORDER BY 1",
    )
    assert found == [(kind, dt.timedelta(days=7)) for kind in sorted(KINDS)]
    aggregates = await table(
        timescale,
        "SELECT hypertable_name, materialized_only FROM timescaledb_information.continuous_aggregates ORDER BY 1",
    )
    assert aggregates == [(kind, False) for kind in sorted(KINDS)]
    indexes = await table(timescale, "SELECT indexname FROM pg_indexes WHERE tablename = 'parking_bay' ORDER BY 1")
    assert indexes == [("parking_bay_pkey",), ("parking_bay_receipt",), ("parking_bay_redelivery",)]


async def test_old_chunks_are_compressed_and_still_take_rows(timescale: Connection, timescale_pool: Pool) -> None:
    await register(timescale, BAY)
    for days in (40, 30, 1):
        await store(timescale, "parking_bay", [(1, NOW - dt.timedelta(days=days), FREE)])
    assert (await maintain(timescale_pool, to_us(NOW))).compressed == 2
    assert await chunks(timescale) == [(True,), (True,), (False,)]
    await store(timescale, "parking_bay", [(1, NOW - dt.timedelta(days=40, minutes=5), FREE)])
    await maintain(timescale_pool, to_us(NOW))
    assert await table(timescale, "SELECT sum(count)::int FROM parking_bay_hourly") == [(4,)]


async def test_a_duplicate_in_a_compressed_chunk_is_known(timescale: Connection, timescale_pool: Pool) -> None:
    row = (1, NOW - dt.timedelta(days=40), FREE)
    await store(timescale, "parking_bay", [row])
    await maintain(timescale_pool, to_us(NOW))
    again = await timescale.execute(
        "INSERT INTO parking_bay (asset_id, observed_at, received_at, occupied) VALUES (1, %s, %s, true)"
        " ON CONFLICT DO NOTHING",
        (row[1], row[1]),
    )
    assert again.rowcount == 0


async def test_what_is_too_old_is_dropped_and_its_rollups_stay(timescale: Connection, timescale_pool: Pool) -> None:
    await register(timescale, BAY)
    for days in (120, 100, 1):
        await store(timescale, "parking_bay", [(1, NOW - dt.timedelta(days=days), FREE)])
    done = await maintain(timescale_pool, to_us(NOW), ages=Ages(raw_days=90))
    assert done.dropped == 2
    assert await table(timescale, "SELECT count(*) FROM parking_bay") == [(1,)]
    late = (1, NOW - dt.timedelta(days=120, seconds=1), FREE)
    await store(timescale, "parking_bay", [late])
    await maintain(timescale_pool, to_us(NOW), ages=Ages(raw_days=90))
    assert await table(timescale, "SELECT sum(count)::int FROM parking_bay_hourly") == [(3,)]
    assert await table(timescale, "SELECT sum(count)::int FROM parking_bay_daily") == [(3,)]


async def test_policies_are_the_servers_only_while_the_clock_is_real(
    timescale: Connection, timescale_pool: Pool
) -> None:
    names = (
        "SELECT proc_name, count(*)::int FROM timescaledb_information.jobs"
        " WHERE hypertable_schema = 'public' OR proc_name LIKE 'policy_refresh%%' GROUP BY 1 ORDER BY 1"
    )
    jobs = "SELECT job_id FROM timescaledb_information.jobs ORDER BY 1"
    await maintain(timescale_pool, to_us(NOW))
    assert await table(timescale, names) == []
    await maintain(timescale_pool, to_us(NOW), clock_is_real=True)
    registered = await table(timescale, jobs)
    await maintain(timescale_pool, to_us(NOW), clock_is_real=True)
    assert await table(timescale, jobs) == registered
    assert await table(timescale, names) == [
        ("policy_compression", 3),
        ("policy_refresh_continuous_aggregate", 3),
        ("policy_retention", 3),
    ]
    await maintain(timescale_pool, to_us(NOW), clock_is_real=True, ages=Ages(raw_days_by_kind={"parking_bay": 60}))
    after = (
        "SELECT hypertable_name, (config ->> 'drop_after')::interval FROM timescaledb_information.jobs"
        " WHERE proc_name = 'policy_retention' AND hypertable_name LIKE 'p%%'"
    )
    assert await table(timescale, after) == [("parking_bay", dt.timedelta(days=74))]
    await maintain(timescale_pool, to_us(NOW))
    assert await table(timescale, names) == []


async def test_the_servers_own_jobs_do_what_maintenance_does(timescale: Connection, timescale_pool: Pool) -> None:
    now = at("2026-11-23 12:00")
    await register(timescale, BAY)
    await maintain(timescale_pool, to_us(now), clock_is_real=True)
    await store(timescale, "parking_bay", [(1, now - dt.timedelta(days=60), FREE)])
    for (job,) in await table(timescale, "SELECT job_id FROM timescaledb_information.jobs WHERE job_id >= 1000"):
        await timescale.execute("CALL run_job(%s)", (job,))
    assert await chunks(timescale) == [(True,)]


async def test_the_servers_own_jobs_keep_the_hours_whose_rows_are_dropped(
    timescale: Connection, timescale_pool: Pool
) -> None:
    """They refreshed them a fortnight beyond the rows, which forgets them: hours went with their rows."""
    now = dt.datetime.now(dt.UTC)  # as those jobs have it
    await register(timescale, BAY)
    moments = [now - dt.timedelta(days=days) for days in (72, 66, 1)]
    await store(timescale, "parking_bay", [(1, moment, FREE) for moment in moments])
    ages = Ages(raw_days_by_kind={"parking_bay": 62})
    await maintain(timescale_pool, to_us(now), clock_is_real=True, ages=ages)
    rows, hours = "SELECT count(*)::int FROM parking_bay", "SELECT count(*)::int FROM parking_bay_hourly"
    assert await table(timescale, hours) == [(3,)]
    kept = await table(timescale, rows)
    assert kept < [(3,)], "the first are dropped"
    for (job,) in await table(timescale, "SELECT job_id FROM timescaledb_information.jobs WHERE job_id >= 1000"):
        await timescale.execute("CALL run_job(%s)", (job,))
    assert await table(timescale, rows) == kept
    assert await table(timescale, hours) == [(3,)]
