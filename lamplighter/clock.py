"""Binding the city clock to this machine's clock."""

import datetime as dt
import time

from telemetry.clock import CityClock, Now, to_us

CITY_YEARS = range(2000, 2200)
"""Where the city clock may stand: there partitions, the sun and the time zones are known."""


def real_now() -> int:
    """This machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def start_clock(start: dt.datetime | None, speed: float) -> CityClock:
    """A city clock that shows `start` at this moment and runs `speed` times as fast; None starts at real time."""
    anchor_us = real_now()
    start_us = anchor_us if start is None else to_us(start)
    return CityClock(start_us, anchor_us, speed)


def ticking(clock: CityClock) -> Now:
    """The clock as a function that returns the city's present moment; one that starts in a while stands until then."""
    if clock.is_real:
        return real_now

    def now() -> int:
        return max(clock.start_us, clock.at(real_now()))

    return now
