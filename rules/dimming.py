"""What a dimming program wants of lamps at a moment, by sun, calendar and local wall clock.

Steps are tried in order and the first that matches decides, else the night level between dusk and dawn, and the day
level otherwise. A night runs from noon to noon of the local day on which it begins, so the small hours of a Friday
night are Friday's. Times on the wall clock follow it: over a change of summer time a step lasts an hour more or less.
"""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from rules.calendars import Calendars
from rules.daytimes import DAY_MINUTES, DUSK, Daytime, read_daytime
from rules.memory import Bools, Reals
from rules.sun import Sun
from telemetry.clock import MINUTE_US, to_datetime, to_us
from telemetry.guards import MIN_LEVEL_PCT_DEFAULT
from telemetry.thresholds import DimmingProgram, DimmingStep

NOON_MINUTE = DAY_MINUTES // 2
NIGHTS_KEPT_MAX = 64
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """From `start_us` (inclusive) to `end_us` (exclusive) the program wants `level_pct`; `because` names the rule.

    `lit`: it is a time at which lamps burn.
    """

    start_us: int
    end_us: int
    level_pct: float
    lit: bool
    because: str


class Span(NamedTuple):
    """From a moment to another, by number of the step that decides, −1 for none."""

    start_us: int
    end_us: int
    step: int


class Program:
    """What a town wants of some of its lamps at each moment; `sun` is the one by which it switches them.

    Raises:
        ValueError: a step has no valid time of day, or names a day that is none.
    """

    def __init__(self, program: DimmingProgram, calendars: Calendars, sun: Sun, timezone: ZoneInfo) -> None:
        self._program, self._sun, self._timezone = program, sun, timezone
        self._steps = [(read_daytime(step.start), read_daytime(step.end), step) for step in program.steps]
        self._days = [calendars.days(step.days) for step in program.steps]
        self._nights: dict[dt.date, list[Span]] = {}

    @property
    def name(self) -> str:
        """What zones and assets call it by."""
        return self._program.name

    @property
    def day_level_pct(self) -> float:
        """What it wants by day."""
        return self._program.day_level_pct

    def at(self, moment_us: int) -> Segment:
        """What holds at a moment by the sun."""
        return self.wanted(moment_us, self._sun.dark_at(moment_us), self._last_change_us(moment_us))

    def wanted(self, moment_us: int, lit: bool, since_us: int) -> Segment:
        """What is wanted of lamps that have been lit, or not, since a moment; it ends at the next change of the sun."""
        until_us = self._sun.next_change_us(moment_us)
        if not lit:
            return Segment(since_us, until_us, self._program.day_level_pct, False, "day")
        span = self._span(moment_us)
        start_us, end_us = max(span.start_us, since_us), min(span.end_us, until_us)
        if span.step < 0:
            return Segment(start_us, end_us, self._program.night_level_pct, True, "night")
        step = self._steps[span.step][2]
        return Segment(start_us, end_us, step.level_pct, True, name_of(step))

    def _last_change_us(self, moment_us: int) -> int:
        """The last dusk or dawn up to a moment; noon before it where none is near."""
        changes = self._sun.changes(moment_us - 24 * 60 * MINUTE_US, moment_us + 1)
        return changes[-1][0] if changes else self._noon_us(self._night_of(moment_us))

    def _span(self, moment_us: int) -> Span:
        """The span of the night in which a moment lies; neighbours of the same step in the nights beside it are one."""
        night = self._night_of(moment_us)
        spans = self._spans(night)
        place = bisect_right(spans, moment_us, key=lambda span: span.start_us) - 1
        start_us, end_us, step = spans[place]
        if place == 0 and (before := self._spans(night - ONE_DAY)[-1]).step == step:
            start_us = before.start_us
        if place == len(spans) - 1 and (after := self._spans(night + ONE_DAY)[0]).step == step:
            end_us = after.end_us
        return Span(start_us, end_us, step)

    def _spans(self, night: dt.date) -> list[Span]:
        """The spans of one night, which together cover it from noon to noon."""
        if night not in self._nights:
            if len(self._nights) > NIGHTS_KEPT_MAX:
                self._nights.clear()
            self._nights[night] = self._reckoned(night)
        return self._nights[night]

    def _reckoned(self, night: dt.date) -> list[Span]:
        start_us, end_us = self._noon_us(night), self._noon_us(night + ONE_DAY)
        by_sun = dict(self._sun_edges(night, start_us, end_us))
        instants = {start_us, end_us, *by_sun.values(), *self._wall_edges(night), *self._clock_change(start_us, end_us)}
        spans: list[Span] = []
        for from_us, until_us in pairwise(sorted(each for each in instants if start_us <= each <= end_us)):
            step = self._deciding(night, from_us, by_sun)
            if spans and spans[-1].step == step:
                from_us = spans.pop().start_us
            spans.append(Span(from_us, until_us, step))
        return spans

    def _deciding(self, night: dt.date, moment_us: int, by_sun: dict[Daytime, int]) -> int:
        """The number of the first step that matches at a moment of a night, −1 for none."""
        wall = self._wall_minute(moment_us)
        for number, (start, end, step) in enumerate(self._steps):
            if (step.months and night.month not in step.months) or night not in self._days[number]:
                continue
            if start.by_sun or end.by_sun:
                from_us = by_sun[start] if start.by_sun else self._instant_us(night, start.minutes)
                until_us = by_sun[end] if end.by_sun else self._instant_us(night, end.minutes)
                matches = from_us <= moment_us < until_us
            else:
                first, last = start.minutes % DAY_MINUTES, end.minutes % DAY_MINUTES
                matches = first <= wall < last if first < last else wall >= first or wall < last
            if matches:
                return number
        return -1

    def _sun_edges(self, night: dt.date, start_us: int, end_us: int) -> list[tuple[Daytime, int]]:
        """When the times by the sun are in a night; where it stays dark, dusk and dawn are its noons."""
        changes = self._sun.changes(start_us, end_us)
        dusk_us = next((when for when, dark in changes if dark), start_us)
        dawn_us = next((when for when, dark in changes if not dark and when > dusk_us), end_us)
        times = {each for start, end, _ in self._steps for each in (start, end) if each.by_sun}
        return [(each, (dusk_us if each.after == DUSK else dawn_us) + each.minutes * MINUTE_US) for each in times]

    def _wall_edges(self, night: dt.date) -> list[int]:
        """When the times on the wall clock are in a night: twice in the hour that comes twice."""
        minutes = {each.minutes for start, end, _ in self._steps for each in (start, end) if not each.by_sun}
        return [self._instant_us(night, minute, fold) for minute in minutes for fold in (0, 1)]

    def _instant_us(self, night: dt.date, minute: int, fold: int = 0) -> int:
        """When the wall clock shows a minute of the day in a night."""
        minute %= DAY_MINUTES
        day = night if minute >= NOON_MINUTE else night + ONE_DAY
        return to_us(dt.datetime.combine(day, dt.time(minute // 60, minute % 60, fold=fold), self._timezone))

    def _clock_change(self, start_us: int, end_us: int) -> list[int]:
        """The moment within a night at which the wall clock is set forward or back, to the minute."""
        before = self._offset(start_us)
        if self._offset(end_us) == before:
            return []
        while end_us - start_us > MINUTE_US:
            middle_us = (start_us + end_us) // (2 * MINUTE_US) * MINUTE_US
            start_us, end_us = (middle_us, end_us) if self._offset(middle_us) == before else (start_us, middle_us)
        return [end_us]

    def _offset(self, moment_us: int) -> dt.timedelta | None:
        return to_datetime(moment_us).astimezone(self._timezone).utcoffset()

    def _night_of(self, moment_us: int) -> dt.date:
        local = to_datetime(moment_us).astimezone(self._timezone)
        return local.date() if local.hour >= NOON_MINUTE // 60 else local.date() - ONE_DAY

    def _noon_us(self, night: dt.date) -> int:
        return to_us(dt.datetime.combine(night, dt.time(12), self._timezone))

    def _wall_minute(self, moment_us: int) -> int:
        local = to_datetime(moment_us).astimezone(self._timezone)
        return local.hour * 60 + local.minute


def floored(level_pct: Reals, dark: Bools, floor_pct: Reals, may_be_off: Bools) -> Reals:
    """The level for each lamp, all `(n,)`, 0–100 %: where it is dark never below what a guard allows, else as it is.

    A registered floor of 0 is no leave to be off: what may not be off gets the least that any lamp gets.
    """
    level = np.clip(level_pct, 0.0, 100.0)
    raised = np.minimum(np.fmax(level, floor_pct), 100.0)
    raised = np.where(raised > 0, raised, MIN_LEVEL_PCT_DEFAULT)
    kept = ~dark | (may_be_off & (level == 0))
    return np.where(kept, level, raised)


def name_of(step: DimmingStep) -> str:
    """What a step is called where a reason is asked for."""
    only = [*step.days, *(f"month {month}" for month in step.months)]
    return f"{step.start}–{step.end}" + (f" ({', '.join(only)})" if only else "")
