"""A day whose rollups cannot be made holds up no other kind, and is made once it can be."""

from storage.lifecycle import maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import at, register, store, table

NOON = at("2026-10-26 12:00")


async def test_sums_that_overflow_stop_only_their_own_day(native: Connection, native_pool: Pool) -> None:
    await register(native, ("lamp-1", "streetlight", "north"), ("shaft-1", "drain_level", "north"))
    await native.execute("ALTER TABLE streetlight DROP CONSTRAINT streetlight_power_w_range")
    rows = [(1, at(f"2026-10-26 09:0{minute}"), {"level_pct": 50.0, "power_w": 1.5e308}) for minute in (1, 2)]
    await store(native, "streetlight", rows)
    await store(native, "drain_level", [(2, at("2026-10-26 09:05"), {"level_m": 0.5})])

    await maintain(native_pool, to_us(NOON))
    assert await table(native, "SELECT count(*) FROM drain_level_hourly") == [(1,)]
    assert await table(native, "SELECT count(*) FROM streetlight_hourly") == [(0,)]

    await native.execute("UPDATE streetlight SET power_w = 40")
    await maintain(native_pool, to_us(NOON))
    assert await table(native, "SELECT power_w_avg FROM streetlight_hourly") == [(40.0,)]
