"""A typical week, learned: the mean of a quantity at each quarter of an hour of the local week.

A day counts half as much after six weeks. The five working days lend each other a share of their weight, because
they are alike and each comes only once a week; Saturday and Sunday stand alone.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isnan
from typing import Self

import numpy as np

from rules.memory import NEVER_US, Reals, Times
from telemetry.clock import DAY_US, MINUTE_US

Local = Callable[[int], dt.datetime]
"""The wall clock's time of a moment in microseconds since 1970 UTC."""

SLOT_US = 15 * MINUTE_US
SLOTS_A_DAY = 96
WORKING_DAYS = range(5)
HALF_LIFE_US = 42 * DAY_US
LENT = 0.5
"""What another working day's mean weighs beside the day's own."""
WEIGHT_MIN = 0.05
"""With less behind it, a mean is not known."""


def slot_of(local: dt.datetime) -> int:
    """The quarter of an hour of the week, 0 for Monday 00:00 to 671."""
    return local.weekday() * SLOTS_A_DAY + (local.hour * 60 + local.minute) // 15


def slots_between(after_us: int, until_us: int) -> Iterator[int]:
    """The full quarters of an hour after a moment, up to and with another."""
    yield from range((after_us // SLOT_US + 1) * SLOT_US, until_us + 1, SLOT_US)


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """Means, the weight behind each, and when it was last learned, all `(672,)`. Immutable."""

    mean: Reals
    weight: Reals
    learned_us: Times

    @classmethod
    def blank(cls) -> Self:
        """Nothing is known of any hour."""
        size = 7 * SLOTS_A_DAY
        return cls(np.zeros(size), np.zeros(size), np.full(size, NEVER_US))

    def learned(self, values: Iterable[tuple[int, int, float]]) -> "Week":
        """The week after (slot, moment, value) have been taken in."""
        mean, weight, learned_us = self.mean.copy(), self.weight.copy(), self.learned_us.copy()
        for slot, at_us, value in values:
            kept = weight[slot] * _faded(at_us - int(learned_us[slot])) if weight[slot] else 0.0
            weight[slot] = kept + 1
            mean[slot] += (value - mean[slot]) / weight[slot]
            learned_us[slot] = at_us
        return Week(mean, weight, learned_us)

    def at(self, at_us: int, now_us: int, local: Local) -> float:
        """The mean at a moment, on the straight line between two quarters of an hour; NaN where it is not known.

        At the edge of what is known, as where a car park opens, the quarter that is known stands for both.
        """
        before_us = at_us // SLOT_US * SLOT_US
        here = self._mean(slot_of(local(before_us)), now_us)
        there = self._mean(slot_of(local(before_us + SLOT_US)), now_us)
        if isnan(here) or isnan(there):
            return there if isnan(here) else here
        return here + (there - here) * (at_us - before_us) / SLOT_US

    def _mean(self, slot: int, now_us: int) -> float:
        day, quarter = divmod(slot, SLOTS_A_DAY)
        alike = WORKING_DAYS if day in WORKING_DAYS else (day,)
        total = weight = 0.0
        for each in alike:
            place = each * SLOTS_A_DAY + quarter
            if self.weight[place]:
                share = float(self.weight[place]) * _faded(now_us - int(self.learned_us[place]))
                share *= 1 if each == day else LENT
                total += share * float(self.mean[place])
                weight += share
        return total / weight if weight >= WEIGHT_MIN else float("nan")


def _faded(age_us: int) -> float:
    """What is left of a weight after some time."""
    return float(0.5 ** (age_us / HALF_LIFE_US))
