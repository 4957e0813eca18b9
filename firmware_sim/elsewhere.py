"""Whether the platform's clock stands where a replay begins; a replay with its own timestamps makes sense nowhere else.

The platform retains its clock on `topics.CLOCK`, so that one who replays from another machine need not be told.
"""

import asyncio
import datetime as dt

import msgspec

from bus.session import Watcher
from telemetry import topics
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, CityClock, to_rfc3339, to_us

EARLY_US = 5 * MINUTE_US
"""The platform's clock may stand so long before the first observation."""
LATE_US = HOUR_US
"""The platform's clock may have passed the first observation by so much …"""
LATE_REAL_S = 60.0
"""… and by the city time of so many real seconds: a town takes a while to start, and its clock may be fast."""
ANSWER_S = 2.0


class ClockElsewhere(Exception):
    """The platform's clock does not stand where the replay begins; the message is one sentence with the mend."""


class _Retained(msgspec.Struct, frozen=True):
    start: dt.datetime
    anchor: dt.datetime
    speed: float


def parse_clock(payload: bytes) -> CityClock | None:
    """The clock that the platform retains; `None` if the payload is none."""
    try:
        clock = msgspec.json.decode(payload, type=_Retained)
        return CityClock(to_us(clock.start), to_us(clock.anchor), clock.speed)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError):
        return None


async def platform_clock(url: str, answer_s: float = ANSWER_S) -> CityClock | None:
    """The city clock of the platform at a broker; `None` where none is retained or nothing answers in time.

    Raises:
        BadAddress: the URL is none.
    """
    heard: asyncio.Future[CityClock | None] = asyncio.get_running_loop().create_future()

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        if not heard.done():
            heard.set_result(parse_clock(payload))

    async with Watcher(url, f"clock-{id(heard):x}", [topics.CLOCK], hear):
        try:
            return await asyncio.wait_for(heard, answer_s)
        except TimeoutError:
            return None


def refuse_elsewhere(name: str, start_us: int, now_us: int, speed: float) -> None:
    """Refuse a replay whose first observation is not about now.

    Args:
        name: the file's name, for the sentence.
        start_us: time of the first observation.
        now_us: the city's present moment.
        speed: of the city clock.

    Raises:
        ClockElsewhere: the clock stands more than 5 min before the start, or too far behind it.
    """
    late_us = LATE_US + int(LATE_REAL_S * SECOND_US * speed)
    if start_us - EARLY_US <= now_us <= start_us + late_us:
        return
    raise ClockElsewhere(
        f"The city clock stands at {_minute(now_us)} and {name} begins at {_minute(start_us)}: start the platform with "
        f"LAMPLIGHTER_CLOCK_START={_minute(start_us - MINUTE_US)}, or replay with --shift-to-now."
    )


def _minute(moment_us: int) -> str:
    return to_rfc3339(moment_us // MINUTE_US * MINUTE_US)
