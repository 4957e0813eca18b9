"""Services that are set alike live by one clock, whenever they were started."""

from storage import shared_clock
from storage.pool import connect
from telemetry.clock import HOUR_US, SECOND_US, CityClock

NOON_US = 1_763_899_200 * SECOND_US


async def shared(database: str, first: CityClock, second: CityClock) -> tuple[CityClock, CityClock]:
    async with await connect(database) as conn:
        return await shared_clock.share(conn, first), await shared_clock.share(conn, second)


async def test_the_second_with_the_same_start_follows_the_first(database: str) -> None:
    first = CityClock(NOON_US - HOUR_US, NOON_US, 60.0)
    one, other = await shared(database, first, CityClock(first.start_us, NOON_US + SECOND_US, 60.0))
    assert one == other == first


async def test_a_speed_alone_is_shared_too(database: str) -> None:
    first = CityClock(NOON_US, NOON_US, 60.0)
    later_us = NOON_US + 3 * SECOND_US
    one, other = await shared(database, first, CityClock(later_us, later_us, 60.0))
    assert one == other == first


async def test_another_start_sets_a_new_clock(database: str) -> None:
    wanted = CityClock(NOON_US + HOUR_US, NOON_US, 60.0)
    _, other = await shared(database, CityClock(NOON_US, NOON_US, 60.0), wanted)
    assert other == wanted
