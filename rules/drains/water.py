"""The last levels of each drain, and how fast its water rises: the median slope of all pairs (Theil–Sen).

The slope is that of the samples within the window, at least of the last three while those are not too old, by event
time. It speaks only while the water rises.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

import numpy as np

from rules.drains.sewer import Sewer
from rules.memory import NEVER_US, Bools, Column, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from telemetry.clock import HOUR_US

SAMPLES = 6
"""So many levels are remembered."""
SAMPLES_MIN = 3
"""With fewer there is no slope."""
INTERVALS_MAX = 4
"""Nor with samples that reach back further than so many report intervals."""
RISE_M_MIN = 0.02
"""Less is the noise of sensors."""
_EARLY, _LATE = (np.array(each, np.intp) for each in zip(*combinations(range(SAMPLES), 2), strict=True))


@dataclass(slots=True, eq=False)
class Water(Memory):
    """The last levels that could be believed, oldest first, each `(n, SAMPLES)`.

    `read_m` was read last, at `read_us`, believed or not; it has been the same since `flat_us`.
    """

    at_us: Annotated[Times, Column(np.int64, NEVER_US, SAMPLES)]
    level_m: Annotated[Reals, Column(np.float64, np.nan, SAMPLES)]
    read_m: RealColumn
    read_us: TimeColumn
    flat_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Rise:
    """How some drains fill, `(k,)`, all in m an hour; `rising` is false where nothing can be said, or it does not.

    `rate_m_h` is the median slope, `slow_m_h` and `fast_m_h` bound most slopes; `speed_m_h` is that of the moment if
    the rise goes on as it bends, `bend_m_h2` by how much it grows each hour.
    """

    rising: Bools
    rate_m_h: Reals
    slow_m_h: Reals
    fast_m_h: Reals
    speed_m_h: Reals
    bend_m_h2: Reals


def remember(water: Water, rows: Rows, at_us: Times, level_m: Reals) -> None:
    """One newer level a drain."""
    for ring, newest in ((water.at_us, at_us), (water.level_m, level_m)):
        kept = ring[rows]
        kept[:, :-1] = kept[:, 1:]
        kept[:, -1] = newest
        ring[rows] = kept


def rise(water: Water, sewer: Sewer, rows: Rows) -> Rise:
    """How these drains fill by their last levels."""
    result = Rise(np.zeros(len(rows), np.bool_), *(np.full(len(rows), np.nan) for _ in range(5)))
    level = water.level_m[rows]
    maybe = np.flatnonzero(level[:, -1] - level[:, -SAMPLES_MIN] > 0)  # NaN where there are too few
    if not len(maybe):
        return result
    rows, level = rows[maybe], level[maybe]
    age_us = water.at_us[rows][:, -1:] - water.at_us[rows]
    used = ~np.isnan(level) & (age_us <= _reach_us(sewer, rows, age_us))
    count = used.sum(axis=1)
    for values, name in zip(_slopes(-age_us / HOUR_US, level, used, count), _NAMES, strict=True):
        getattr(result, name)[maybe] = values
    first = level[np.arange(len(rows)), SAMPLES - count]
    result.rising[maybe] = (
        (count >= SAMPLES_MIN)
        & (level[:, -1] - first >= RISE_M_MIN)
        & (result.rate_m_h[maybe] > 0)
        & (result.speed_m_h[maybe] > 0)
    )
    return result


_NAMES = ("rate_m_h", "slow_m_h", "fast_m_h", "speed_m_h", "bend_m_h2")


def _reach_us(sewer: Sewer, rows: Rows, age_us: Times) -> Times:
    """How old a sample may be, `(k, 1)`: the window, or the third last sample if that is not too old."""
    third_us = age_us[:, -SAMPLES_MIN]
    bound_us = INTERVALS_MAX * sewer.interval_us[rows]
    reach_us = np.maximum(sewer.span_us("slope_window_s")[rows], np.where(third_us <= bound_us, third_us, 0))
    return reach_us[:, np.newaxis]


def _slopes(at_h: Reals, level: Reals, used: Bools, count: Rows) -> tuple[Reals, Reals, Reals, Reals, Reals]:
    """Median, slow and fast slope, speed and bend of rows `(k, SAMPLES)`, of which the last `count` are used."""
    both = used[:, _EARLY] & used[:, _LATE]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(both, (level[:, _LATE] - level[:, _EARLY]) / (at_h[:, _LATE] - at_h[:, _EARLY]), np.nan)
        slope.sort(axis=1)
        row, pairs = np.arange(len(level)), np.maximum(count * (count - 1) // 2, 1)
        median = (slope[row, (pairs - 1) // 2] + slope[row, pairs // 2]) / 2
        slow, fast = slope[row, pairs // 10], slope[row, pairs - 1 - pairs // 10]
        first, middle = np.minimum(SAMPLES - count, SAMPLES - 1), SAMPLES - 1 - np.maximum(count - 1, 0) // 2
        older_h, newer_h = at_h[row, middle] - at_h[row, first], -at_h[row, middle]
        older = (level[row, middle] - level[row, first]) / older_h
        newer = (level[:, -1] - level[row, middle]) / newer_h
        bend = (newer - older) * 2 / (older_h + newer_h)
        speed = newer + np.maximum(bend, 0) * newer_h / 2
    return median, slow, fast, speed, bend
