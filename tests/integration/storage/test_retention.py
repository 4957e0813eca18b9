"""How long data is kept: each kind for its own time, refused uplinks for theirs, in both modes."""

import datetime as dt

from storage.lifecycle import Ages, maintain
from storage.pool import Connection, Pool
from telemetry.clock import HOUR_US, to_us
from tests.integration.storage.rows import at, register, store, table

NOW = at("2026-11-23 09:20")
OLD = NOW - dt.timedelta(days=150)
AGES = Ages(raw_days_by_kind={"parking_bay": 60}, quarantine_days=90)


async def test_each_kind_is_kept_for_its_own_time(conn: Connection, pool: Pool) -> None:
    await register(conn, ("bay-1", "parking_bay", "south"), ("shaft-1", "drain_level", "south"))
    for moment in (OLD, NOW):
        await store(conn, "parking_bay", [(1, moment, {"occupied": True})])
        await store(conn, "drain_level", [(2, moment, {"level_m": 0.3})])
    for number, moment in enumerate((OLD, NOW)):
        await conn.execute(
            "INSERT INTO quarantine (day, received_at, topic, digest, element, reason, detail, payload)"
            " VALUES (%s, %s, 'topic', %s, 0, 'malformed_json', '', '')",
            (moment.date(), moment, bytes([number])),
        )
    await conn.execute(
        "INSERT INTO ledger (day, received, stored, quarantined) SELECT d, 3, 2, 1 FROM unnest(%s::date[]) d",
        ([OLD.date(), NOW.date()],),
    )
    await maintain(pool, to_us(NOW), ages=AGES)
    assert await table(conn, "SELECT observed_at FROM parking_bay") == [(NOW,)]
    assert await table(conn, "SELECT observed_at FROM drain_level ORDER BY 1") == [(OLD,), (NOW,)]
    assert await table(conn, "SELECT count(*) FROM parking_bay_hourly") == [(2,)]
    assert await table(conn, "SELECT received_at FROM quarantine") == [(NOW,)]
    booked = "SELECT rows_retired, quarantine_retired FROM ledger ORDER BY day"
    assert await table(conn, booked) == [(1, 1), (0, 0)]
    await maintain(pool, to_us(NOW + dt.timedelta(hours=2)), ages=AGES)
    assert await table(conn, "SELECT count(*) FROM ledger_check WHERE differs_since IS NOT NULL") == [(0,)]


async def test_old_history_is_summed_up_before_it_is_dropped(conn: Connection, pool: Pool) -> None:
    await register(conn, ("bay-1", "parking_bay", "south"))
    days = [(1, OLD + dt.timedelta(days=n), {"occupied": n % 2 == 0}) for n in range(4)]
    await store(conn, "parking_bay", days)
    assert (await maintain(pool, to_us(NOW), ages=AGES, budget_s=0)).dropped == 0
    assert (await maintain(pool, to_us(NOW), ages=AGES)).dropped > 0
    assert await table(conn, "SELECT count(*) FROM parking_bay") == [(0,)]
    assert await table(conn, "SELECT count(*), sum(occupied_true_count) FROM parking_bay_daily") == [(4, 2)]


async def test_a_clock_that_is_days_ahead_drops_nothing(conn: Connection, pool: Pool) -> None:
    """What it dropped was gone for good, and the partitions of its years stood ahead of everybody's."""
    now = dt.datetime.now(dt.UTC)
    await register(conn, ("bay-1", "parking_bay", "south"))
    await store(conn, "parking_bay", [(1, now - dt.timedelta(days=95), {"occupied": True})])
    partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'parking_bay'::regclass"
    before = await table(conn, partitions)
    ages = Ages(raw_days=100)
    ahead = await maintain(pool, to_us(now + dt.timedelta(days=800)), clock_is_real=True, ages=ages)
    assert (ahead.dropped, await table(conn, partitions)) == (0, before)
    assert await table(conn, "SELECT count(*) FROM parking_bay_daily") == [(1,)]
    right = await maintain(pool, to_us(now) + HOUR_US // 2, clock_is_real=True, ages=Ages(raw_days=60))
    assert right.dropped > 0
