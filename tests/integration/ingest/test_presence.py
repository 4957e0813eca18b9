"""What devices say of themselves, what ingest says of itself, and the city clock at the broker."""

import asyncio
import json

from bus.session import Watcher
from telemetry import topics
from tests.integration.ingest.conftest import City, Ingest
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually


async def known(city: City, device: str) -> tuple[object, ...]:
    ((*row,),) = await city.rows("SELECT online, firmware, status_at IS NOT NULL FROM device WHERE device = %s", device)
    return tuple(row)


async def until_known(city: City, device: str, expected: tuple[object, ...]) -> None:
    async def attempt() -> None:
        assert await known(city, device) == expected

    await eventually(attempt)


async def test_a_device_speaks_for_itself_on_any_of_its_kinds(ingest: Ingest, city: City) -> None:
    assert await known(city, "L1") == (None, None, False)
    await city.status("L1", {"online": True, "firmware": "1.4.2"})
    await until_known(city, "L1", (True, "1.4.2", True))
    await city.status("L1", {"online": False}, kind="parking_bay")
    await until_known(city, "L1", (False, "1.4.2", True))


async def test_a_word_counts_though_the_clock_was_ahead_at_the_last_one(ingest: Ingest, city: City) -> None:
    """Nothing that a device said was believed until the clock that had been set back was where it had been."""
    await city.conn.execute(
        "UPDATE device SET online = true, status_at = clock_timestamp() + interval '2 hours' WHERE device = 'L1'"
    )
    await city.status("L1", {"online": False})
    await until_known(city, "L1", (False, None, True))


async def test_words_that_cannot_be_understood_change_nothing(ingest: Ingest, city: City) -> None:
    for said in (b"", b"online", b'{"online": 1}', b'{"online": true, "firmware": "\\u0000"}', b'{"firmware": "1"}'):
        await city.status("L2", said)
    await city.status("stranger", {"online": True})
    await city.status("D1", {"online": True})
    await until_known(city, "D1", (True, None, True))
    assert await known(city, "L2") == (None, None, False)
    assert (await city.ledger())["received"] == 0


async def test_the_city_clock_is_retained_by_the_broker(ingest: Ingest, broker: BrokerPart) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with Watcher(broker.url, "clock-test", [topics.CLOCK], lambda _, payload, __: heard.put_nowait(payload)):
        said = json.loads(await asyncio.wait_for(heard.get(), 10))
    assert said == {"start": "1970-01-01T00:00:00Z", "anchor": "1970-01-01T00:00:00Z", "speed": 1.0}


async def test_the_process_says_what_it_holds(ingest: Ingest, city: City) -> None:
    async def attempt() -> None:
        beats = await city.rows("SELECT in_flight, clock_timestamp() - seen_at < interval '5 s' FROM ingest_instance")
        assert beats == [(0, True)]

    await eventually(attempt)
