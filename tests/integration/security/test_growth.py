"""What outsiders can make grow is bounded: refused uplinks of devices that nobody registered."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from storage.gateway_booking import Book, Unreadable
from storage.pool import Pool, open_pool
from telemetry import limits
from telemetry.clock import DAY_US
from telemetry.refusals import Reason

NOW_US = 20_000 * DAY_US
SMALL, LARGE = b"{", b"{" * (limits.QUARANTINE_SMALL_BYTES + 1)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, size=1)
    yield pool
    await pool.close()


async def test_a_flood_of_invented_devices_is_counted_and_at_last_not_kept(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUARANTINE_LARGE_ROWS_DAY_MAX", 20)
    monkeypatch.setattr(limits, "QUARANTINE_ROWS_DAY_MAX", 50)
    book = Book(pool, "gateway")
    for batch in range(10):
        await book.add([invented(batch * 10 + place, SMALL if place % 2 else LARGE) for place in range(10)])
    await book.add([invented(0, SMALL, NOW_US + DAY_US)])
    with psycopg.connect(database) as connection:
        kept = connection.execute("SELECT length(payload), count(*) FROM quarantine GROUP BY 1 ORDER BY 1").fetchall()
        booked = connection.execute("SELECT received, quarantined, unkept FROM ledger ORDER BY day").fetchall()
    assert kept == [(len(SMALL), 10 + 30 + 1), (len(LARGE), 10)], "the first 20, small ones up to 50, the next day's"
    assert booked == [(100, 100, 50), (1, 1, 0)]


def invented(number: int, payload: bytes, received_us: int = NOW_US) -> Unreadable:
    device = f"invented-{number}"
    topic = f"city/v1/streetlight/{device}/telemetry"
    return Unreadable(topic, device, Reason.UNKNOWN_DEVICE, "nobody registered it", payload, received_us)
