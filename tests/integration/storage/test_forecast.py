"""What the database weighs and what a day adds, as both modes tell it."""

import datetime as dt

import pytest

from storage import forecast
from storage.lifecycle import Ages, maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import at, register, store, table

NOW = at("2026-11-23 09:20")


async def test_a_database_is_foreseen_once_it_holds_something(conn: Connection, pool: Pool) -> None:
    assert await forecast.measure(conn, Ages(), to_us(NOW)) is None
    await register(conn, ("bay-1", "parking_bay", "south"))
    minutes = [NOW - dt.timedelta(minutes=minute) for minute in range(2 * 24 * 60)]
    await store(conn, "parking_bay", [(1, moment, {"occupied": True}) for moment in minutes])
    await maintain(pool, to_us(NOW))
    await conn.execute("ANALYZE parking_bay")
    found = await forecast.measure(conn, Ages(), to_us(NOW))
    assert found is not None
    (rows,) = [part for part in found.parts if part.days == 730]
    assert rows.day_bytes == pytest.approx(rows.size_bytes / 2, rel=0.05)
    (size,) = (await table(conn, "SELECT pg_database_size(current_database())"))[0]
    assert found.size_bytes == pytest.approx(size, rel=0.05)
    assert found.settled_bytes == pytest.approx(size - rows.size_bytes + 730 * rows.day_bytes, rel=0.05)
