"""The dimming program: which level the town wants at a moment, by sun and local wall clock.

Steps are tried in order and the first that matches decides, else the night level between dusk and dawn, and the day
level otherwise. Steps speak of local wall-clock time; over a change of summer time a step lasts an hour more or less.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from rules.memory import Bools, Reals
from rules.sun import Sun
from telemetry.clock import DAY_US, MINUTE_US, to_datetime
from telemetry.guards import MIN_LEVEL_PCT_DEFAULT
from telemetry.thresholds import DimmingStep, Lighting

DAY_MINUTES = 24 * 60
DAYS_KEPT_MAX = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """From `start_us` (inclusive) to `end_us` (exclusive) the program wants `level_pct`; `because` names the rule."""

    start_us: int
    end_us: int
    level_pct: float
    dark: bool
    because: str


class Program:
    """What the town wants of its lamps at each moment. Raises `ValueError` for a step whose time is no `HH:MM`."""

    def __init__(self, lighting: Lighting, sun: Sun, timezone: ZoneInfo) -> None:
        self._lighting, self._sun, self._timezone = lighting, sun, timezone
        self._steps = [(minute_of(step.start), minute_of(step.end), step) for step in lighting.steps]
        self._edges = {edge for start, end, _ in self._steps for edge in (start, end)}
        self._days: dict[int, list[Segment]] = {}

    def at(self, moment_us: int) -> Segment:
        """The segment that holds at a moment."""
        day = moment_us // DAY_US
        if day not in self._days:
            if len(self._days) > DAYS_KEPT_MAX:
                self._days.clear()
            self._days[day] = self._segments(day)
        segments = self._days[day]
        return segments[bisect_right(segments, moment_us, key=lambda segment: segment.start_us) - 1]

    def _segments(self, day: int) -> list[Segment]:
        """All segments of a UTC day and of the days round it, neighbours of the same rule as one."""
        segments: list[Segment] = []
        for start_us, end_us in pairwise(self._instants((day - 1) * DAY_US, (day + 2) * DAY_US)):
            dark = self._sun.dark_at(start_us)
            level_pct, because = self._want(start_us, dark)
            if segments and segments[-1].because == because:
                start_us = segments.pop().start_us
            segments.append(Segment(start_us, end_us, level_pct, dark, because))
        return segments

    def _instants(self, from_us: int, to_us: int) -> list[int]:
        """Every moment at which the wish may change, with both ends."""
        instants = {from_us, to_us}
        change_us = self._sun.next_change_us(from_us)
        while change_us < to_us:
            instants.add(change_us)
            change_us = self._sun.next_change_us(change_us)
        before = self._wall_minute(from_us)
        for minute_us in range(from_us + MINUTE_US, to_us, MINUTE_US):
            wall = self._wall_minute(minute_us)
            if wall in self._edges or wall != (before + 1) % DAY_MINUTES:
                instants.add(minute_us)
            before = wall
        return sorted(instants)

    def _want(self, moment_us: int, dark: bool) -> tuple[float, str]:
        if not dark:
            return self._lighting.day_level_pct, "day"
        wall = self._wall_minute(moment_us)
        for start, end, step in self._steps:
            if start <= wall < end if start < end else wall >= start or wall < end:
                return step.level_pct, name_of(step)
        return self._lighting.night_level_pct, "night"

    def _wall_minute(self, moment_us: int) -> int:
        local = to_datetime(moment_us).astimezone(self._timezone)
        return local.hour * 60 + local.minute


def floored(level_pct: float, dark: bool, floor_pct: Reals, may_be_off: Bools) -> Reals:
    """The level for each lamp `(n,)`, 0–100 %: between dusk and dawn never below what a guard allows; by day as it is.

    A registered floor of 0 is no leave to be off: what may not be off gets the least that any lamp gets.
    """
    level_pct = min(max(level_pct, 0.0), 100.0)
    if not dark:
        return np.full(len(floor_pct), level_pct)
    raised = np.minimum(np.fmax(level_pct, floor_pct), 100.0)
    raised = np.where(raised > 0, raised, MIN_LEVEL_PCT_DEFAULT)
    return np.where(may_be_off, 0.0, raised) if level_pct == 0 else raised


def minute_of(clock: str) -> int:
    """Minutes since midnight of `HH:MM`; `24:00` is midnight."""
    hours, _, minutes = clock.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        raise ValueError(f"{clock!r} is no time of day as HH:MM")
    minute = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or minute > DAY_MINUTES:
        raise ValueError(f"{clock!r} is no time of day as HH:MM")
    return minute % DAY_MINUTES


def name_of(step: DimmingStep) -> str:
    """What a step is called where a reason is asked for."""
    return f"{step.start}–{step.end}"
