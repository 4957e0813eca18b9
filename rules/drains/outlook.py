"""Where the water of each drain stands and when it will reach the ground, as people are told.

What is told has a deadband. Earliest: if the rise goes on as it bends. Likely: at the median slope. Latest: at the
slowest of most slopes, which may be never. Told only while the water rises, of the next hours only, and no longer than
two report intervals after the last level.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rules import timing
from rules.drains.sewer import Sewer
from rules.drains.water import Rise
from rules.memory import NEVER_US, Bools, Codes, Column, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from rules.overflow import NORMAL
from rules.timing import Delays, Latch, Turned
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US

HOLDS_INTERVALS = 2
"""What was said is taken back after so many report intervals without a level."""
MOVES_SHARE = 0.1
MOVES_US = MINUTE_US
"""What was said is said anew if it moves by more than this share of the time that is left, and by more than this."""
SPREAD = 1.5
"""Water that rises evenly may still be so much faster or slower by the next report."""
FAR_US = 24 * HOUR_US
"""A latest time further ahead is none."""


@dataclass(slots=True, eq=False)
class Outlook(Memory):
    """`stage` is a code of `rules.overflow`. The water reaches the ground at `likely_us`, seen at `observed_us`.

    `latest_us` is before all time where the water may also never reach it. All this holds until `until_us`. `at_least`:
    the water stands in the sensor's blind zone.
    """

    stage: Annotated[Codes, Column(np.int8, NORMAL)]
    rate_m_h: RealColumn
    observed_us: TimeColumn
    earliest_us: TimeColumn
    likely_us: TimeColumn
    latest_us: TimeColumn
    until_us: TimeColumn
    at_least: FlagColumn


def tell(outlook: Outlook, sewer: Sewer, rows: Rows, at_us: Times, level_m: Reals, rise: Rise) -> tuple[Bools, Times]:
    """Say anew what one level a drain changes; returns where an overflow is ahead, and how far, `(k,)`."""
    gap_m = sewer.ground_m[rows] - level_m
    with np.errstate(divide="ignore", invalid="ignore"):
        likely = _ahead_us(gap_m / rise.rate_m_h)
        latest = np.where(
            rise.slow_m_h > 0, _ahead_us(np.fmax(gap_m / rise.slow_m_h, SPREAD * gap_m / rise.rate_m_h)), FAR_US
        )
    ahead = rise.rising & (gap_m > 0) & (likely <= sewer.span_us("outlook_s_max")[rows])
    _take_back(outlook, rows[~ahead])
    chosen = np.flatnonzero(ahead)
    if len(chosen):
        earliest = np.minimum(_earliest_us(gap_m[chosen], rise, chosen), _ahead_us(likely[chosen] / SPREAD / HOUR_US))
        row, seen_us = rows[chosen], at_us[chosen]
        outlook.until_us[row] = seen_us + HOLDS_INTERVALS * sewer.interval_us[row]
        moved = np.abs(seen_us + likely[chosen] - outlook.likely_us[row])
        stands = moved <= np.maximum(MOVES_US, (MOVES_SHARE * likely[chosen]).astype(np.int64))
        new, row = chosen[~stands], row[~stands]
        outlook.rate_m_h[row] = np.round(rise.rate_m_h[new], 3)
        outlook.observed_us[row], outlook.likely_us[row] = at_us[new], at_us[new] + likely[new]
        outlook.earliest_us[row] = at_us[new] + earliest[~stands]
        outlook.latest_us[row] = np.where(latest[new] < FAR_US, at_us[new] + latest[new], NEVER_US)
    return ahead, likely


def expire(outlook: Outlook, rows: Rows, until_us: Times | int) -> None:
    """Take back what rests on levels that are too old."""
    old = (outlook.until_us[rows] != NEVER_US) & (outlook.until_us[rows] <= until_us)
    if old.any():
        _take_back(outlook, rows[old])


def judge(latch: Latch, sewer: Sewer, rows: Rows, at_us: Times, rise: Rise, told: tuple[Bools, Times]) -> Turned:
    """`drain_rising_fast`: at this rate the ground is reached soon."""
    ahead, likely_us = told
    within_us = sewer.span_us("rising_fast_within_s")[rows]
    timing.observe(
        latch, rows, at_us, rise.rate_m_h, ahead & (likely_us <= within_us), ~(ahead & (likely_us <= 2 * within_us))
    )
    return timing.fire(latch, rows, at_us, delays(sewer))


def delays(sewer: Sewer) -> Delays:
    """Of `drain_rising_fast`: it rises at once, for three levels stand behind it."""
    return Delays(0, sewer.span_us("rising_clear_delay_s"))


def _take_back(outlook: Outlook, rows: Rows) -> None:
    rows = rows[outlook.until_us[rows] != NEVER_US]
    outlook.rate_m_h[rows] = np.nan
    for times in (outlook.observed_us, outlook.earliest_us, outlook.likely_us, outlook.latest_us, outlook.until_us):
        times[rows] = NEVER_US


def _earliest_us(gap_m: Reals, rise: Rise, chosen: Rows) -> Times:
    """When the ground is reached if the rise bends on as it does, or stays at its fastest."""
    speed, bend = rise.speed_m_h[chosen], rise.bend_m_h2[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        bent_h = np.where(bend > 0, (np.sqrt(speed**2 + 2 * bend * gap_m) - speed) / bend, gap_m / speed)
    return np.minimum(_ahead_us(bent_h), _ahead_us(gap_m / rise.fast_m_h[chosen]))


def _ahead_us(hours: Reals) -> Times:
    """Hours ahead to the second, in microseconds; a day where it is later, or cannot be said."""
    known = np.nan_to_num(hours, nan=FAR_US / HOUR_US, posinf=FAR_US / HOUR_US)
    ahead: Times = np.rint(np.clip(known, 0, FAR_US / HOUR_US) * (HOUR_US / SECOND_US)).astype(np.int64) * SECOND_US
    return ahead
