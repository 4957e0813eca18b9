"""Hours as people write them, as moments: on some days from a time to another, by the wall clock or the sun. Pure."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rules.calendars import Calendars
from rules.daytimes import DUSK, Daytime, read_daytime
from rules.sun import Sun
from telemetry.clock import DAY_US, MINUTE_US, to_datetime, to_us

ONE_DAY = dt.timedelta(days=1)

Span = tuple[int, int]
"""From a moment (inclusive) to another (exclusive), in microseconds since 1970 UTC."""


class Hours:
    """A town's way from days and times to moments."""

    def __init__(self, calendars: Calendars, sun: Sun, timezone: ZoneInfo) -> None:
        self.calendars, self._sun, self._timezone = calendars, sun, timezone

    def hold(self, days: Sequence[str], start: str, end: str, at_us: int) -> bool:
        """Whether a moment lies in such hours. Raises `ValueError` for times or days that are none."""
        first, last, today = read_daytime(start), read_daytime(end), self.day(at_us)
        return any(
            begin_us <= at_us < end_us
            for day in (today - ONE_DAY, today)
            if self.calendars.match(days, day)
            for begin_us, end_us in [self.span(first, last, day)]
        )

    def day(self, at_us: int) -> dt.date:
        """The local day of a moment."""
        return to_datetime(at_us).astimezone(self._timezone).date()

    def midnight_us(self, day: dt.date) -> int:
        """When a local day begins."""
        return to_us(dt.datetime.combine(day, dt.time(), self._timezone))

    def span(self, start: Daytime, end: Daytime, day: dt.date) -> Span:
        """From its start on a day to its end, on the next day where that is not after the start."""
        start_us, end_us = self._instant_us(start, day), self._instant_us(end, day)
        return start_us, end_us if end_us > start_us else self._instant_us(end, day + ONE_DAY)

    def _instant_us(self, time: Daytime, day: dt.date) -> int:
        midnight_us = self.midnight_us(day)
        if not time.by_sun:
            after, minute = divmod(time.minutes, 24 * 60)
            wall = dt.datetime.combine(day + after * ONE_DAY, dt.time(minute // 60, minute % 60), self._timezone)
            return to_us(wall)
        changes = self._sun.changes(midnight_us, midnight_us + DAY_US)
        noon_us = midnight_us + DAY_US // 2
        change_us = next((when for when, dark in changes if dark == (time.after == DUSK)), noon_us)
        return change_us + time.minutes * MINUTE_US
