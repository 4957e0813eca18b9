"""When parking zones are closed: by their opening hours, on market days, and where an operator has closed them. Pure.

A zone that no opening hours name is always open. Where a calendar names a day, its hours go before the weekday's.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rules.calendars import Calendars
from rules.daytimes import DUSK, Daytime, read_daytime
from rules.measures import CLOSURE, Measure
from rules.sun import Sun
from telemetry.clock import DAY_US, MINUTE_US, to_datetime, to_us
from telemetry.thresholds import Closure, OpeningHours, Parking

DAYS_KEPT_MAX = 4_096
"""Days of zones whose spans are remembered; beyond it all are reckoned anew."""
ONE_DAY = dt.timedelta(days=1)

Span = tuple[int, int]
"""From a moment (inclusive) to another (exclusive), in microseconds since 1970 UTC."""


@dataclass(frozen=True)
class _Timed:
    """Opening hours or a closure with its times read."""

    entry: OpeningHours | Closure
    start: Daytime
    end: Daytime


class Opening:
    """Which zones are closed at a moment. Raises `ValueError` for hours whose times or days are none."""

    def __init__(
        self, parking: Parking, calendars: Calendars, sun: Sun, timezone: ZoneInfo, measures: Sequence[Measure] = ()
    ) -> None:
        self._calendars, self._sun, self._timezone = calendars, sun, timezone
        self._hours = [_Timed(each, read_daytime(each.start), read_daytime(each.end)) for each in parking.hours]
        self._closures = [_Timed(each, read_daytime(each.start), read_daytime(each.end)) for each in parking.closures]
        self._measures = [each for each in measures if each.what == CLOSURE]
        self._days: dict[tuple[str, dt.date], list[Span]] = {}

    def closed(self, zone: str, at_us: int) -> bool:
        """Whether the zone is closed at a moment."""
        if any(each.zone == zone and each.from_us <= at_us < each.until_us for each in self._measures):
            return True
        if not self._hours and not self._closures:
            return False
        return any(start_us <= at_us < end_us for start_us, end_us in self._spans(zone, self._local(at_us).date()))

    def _spans(self, zone: str, day: dt.date) -> list[Span]:
        """When the zone is closed on a local day."""
        key = (zone, day)
        if key not in self._days:
            if len(self._days) >= DAYS_KEPT_MAX:
                self._days.clear()
            self._days[key] = [*self._outside_hours(zone, day), *self._occasions(zone, day)]
        return self._days[key]

    def _outside_hours(self, zone: str, day: dt.date) -> Iterator[Span]:
        if not any(zone in each.entry.zones for each in self._hours):
            return
        from_us, until_us = self._midnight_us(day), self._midnight_us(day + ONE_DAY)
        for start_us, end_us in sorted([*self._open(zone, day - ONE_DAY), *self._open(zone, day)]):
            if start_us > from_us:
                yield from_us, min(start_us, until_us)
            from_us = max(from_us, end_us)
        if from_us < until_us:
            yield from_us, until_us

    def _open(self, zone: str, day: dt.date) -> list[Span]:
        """When the zone opens on a day, and until when."""
        hours = [
            each for each in self._hours if zone in each.entry.zones and self._calendars.match(each.entry.days, day)
        ]
        named = [each for each in hours if self._calendars.days(each.entry.days).named(day)]
        valid = named or hours
        if any(isinstance(each.entry, OpeningHours) and each.entry.closed for each in valid):
            return []
        return [self._span(each, day) for each in valid]

    def _occasions(self, zone: str, day: dt.date) -> Iterator[Span]:
        for each in self._closures:
            for begun in (day - ONE_DAY, day):
                if zone in each.entry.zones and self._calendars.match(each.entry.days, begun):
                    yield self._span(each, begun)

    def _span(self, timed: _Timed, day: dt.date) -> Span:
        """From its start on a day to its end, on the next day where that is not after the start."""
        start_us, end_us = self._instant_us(timed.start, day), self._instant_us(timed.end, day)
        return start_us, end_us if end_us > start_us else self._instant_us(timed.end, day + ONE_DAY)

    def _instant_us(self, time: Daytime, day: dt.date) -> int:
        midnight_us = self._midnight_us(day)
        if not time.by_sun:
            after, minute = divmod(time.minutes, 24 * 60)
            wall = dt.datetime.combine(day + after * ONE_DAY, dt.time(minute // 60, minute % 60), self._timezone)
            return to_us(wall)
        changes = self._sun.changes(midnight_us, midnight_us + DAY_US)
        noon_us = midnight_us + DAY_US // 2
        change_us = next((when for when, dark in changes if dark == (time.after == DUSK)), noon_us)
        return change_us + time.minutes * MINUTE_US

    def _midnight_us(self, day: dt.date) -> int:
        return to_us(dt.datetime.combine(day, dt.time(), self._timezone))

    def _local(self, at_us: int) -> dt.datetime:
        return to_datetime(at_us).astimezone(self._timezone)
