"""When parking zones are closed: by their opening hours, on market days, and where an operator has closed them. Pure.

A zone that no opening hours name is always open. Where a calendar names a day, its hours go before the weekday's.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rules.daytimes import Daytime, read_daytime
from rules.hours import ONE_DAY, Hours, Span
from rules.measures import CLOSURE, Measure
from telemetry.thresholds import Closure, OpeningHours, Parking

DAYS_KEPT_MAX = 4_096
"""Days of zones whose spans are remembered; beyond it all are reckoned anew."""
LOOK_DAYS = 8
"""So many days ahead it is looked when a zone opens or closes next."""


@dataclass(frozen=True)
class _Timed:
    """Opening hours or a closure with its times read."""

    entry: OpeningHours | Closure
    start: Daytime
    end: Daytime


class Opening:
    """Which zones are closed at a moment. Raises `ValueError` for hours whose times or days are none."""

    def __init__(self, parking: Parking, hours: Hours, measures: Sequence[Measure] = ()) -> None:
        self._town = hours
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
        return any(start_us <= at_us < end_us for start_us, end_us in self._spans(zone, self._town.day(at_us)))

    def next_change_us(self, zone: str, at_us: int) -> int | None:
        """When the zone opens or closes next, `None` if it does not within `LOOK_DAYS` days."""
        days = [self._town.day(at_us) + number * ONE_DAY for number in range(LOOK_DAYS)]
        spans = [span for day in days for span in self._spans(zone, day)]
        spans += [(each.from_us, each.until_us) for each in self._measures if each.zone == zone]
        now = self.closed(zone, at_us)
        edges = sorted({edge for span in spans for edge in span if edge > at_us})
        return next((edge for edge in edges if self.closed(zone, edge) != now), None)

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
        from_us, until_us = self._town.midnight_us(day), self._town.midnight_us(day + ONE_DAY)
        for start_us, end_us in sorted([*self._open(zone, day - ONE_DAY), *self._open(zone, day)]):
            if start_us > from_us:
                yield from_us, min(start_us, until_us)
            from_us = max(from_us, end_us)
        if from_us < until_us:
            yield from_us, until_us

    def _open(self, zone: str, day: dt.date) -> list[Span]:
        """When the zone opens on a day, and until when."""
        calendars = self._town.calendars
        hours = [each for each in self._hours if zone in each.entry.zones and calendars.match(each.entry.days, day)]
        named = [each for each in hours if calendars.days(each.entry.days).named(day)]
        valid = named or hours
        if any(isinstance(each.entry, OpeningHours) and each.entry.closed for each in valid):
            return []
        return [self._town.span(each.start, each.end, day) for each in valid]

    def _occasions(self, zone: str, day: dt.date) -> Iterator[Span]:
        for each in self._closures:
            for begun in (day - ONE_DAY, day):
                if zone in each.entry.zones and self._town.calendars.match(each.entry.days, begun):
                    yield self._town.span(each.start, each.end, begun)
