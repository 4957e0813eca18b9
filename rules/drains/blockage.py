"""`drain_blockage`: water stands above its usual for hours though it is known to be dry.

Usual is the 99th percentile of dry-weather levels over the last weeks, learned from a level every half hour in one
figure a drain: a level above it raises it by 99 parts of a gain, a level below lowers it by one part, so that it comes
to rest where one level in a hundred lies above (Robbins and Monro with a constant gain, which forgets). What is learned
while the delay runs is taken back if the alarm rises, and nothing is learned while it stands: a blockage does not
become the usual.
"""

from dataclasses import dataclass

import numpy as np

from rules import timing
from rules.drains import rain as rains
from rules.drains.rain import Rain
from rules.drains.sewer import Sewer
from rules.memory import NEVER_US, CountColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from rules.timing import Delays, Latch, Turned
from telemetry.clock import HOUR_US

SHARE = 0.99
GAIN_M = 0.02
LESSON_US = HOUR_US // 2
LESSONS_A_DAY = 48
FIRST_LESSONS = 100
"""So many first levels teach their greatest, which is their 99th percentile."""
GAP_US = HOUR_US
"""After so long without a level nobody knows whether water stood above its usual: the delay begins anew."""


@dataclass(slots=True, eq=False)
class Usual(Memory):
    """`usual_m` after so many `lessons`, the last tried at `tried_us`; `held_m` is what it was when a delay began."""

    usual_m: RealColumn
    lessons: CountColumn
    tried_us: TimeColumn
    held_m: RealColumn


def delays(sewer: Sewer) -> Delays:
    """How long water has to stand above its usual, and at it again."""
    return Delays(sewer.span_us("blockage_raise_delay_s"), sewer.span_us("blockage_clear_delay_s"))


def measure(
    latch: Latch, usual: Usual, rain: Rain, sewer: Sewer, rows: Rows, at_us: Times, level_m: Reals, gap_us: Times
) -> Turned:
    """One level a drain, `gap_us` after the one before; learns, and turns what has lasted its delay."""
    busy = latch.active[rows] | (latch.since_us[rows] != NEVER_US)
    limit_m = np.where(busy, usual.held_m[rows], usual.usual_m[rows])
    above = level_m > limit_m + sewer.figure("deadband_m")[rows]
    lesson = ~latch.active[rows] & (at_us - usual.tried_us[rows] >= LESSON_US)
    matters = np.flatnonzero(busy | above | lesson)
    if not len(matters):
        return Turned(rows[:0], at_us[:0])
    rows, at_us, level_m, limit_m = rows[matters], at_us[matters], level_m[matters], limit_m[matters]
    above, lesson, busy = above[matters], lesson[matters], busy[matters]
    dry = rains.over(rain, sewer, rows, at_us).dry_for(at_us, sewer.span_us("blockage_dry_s")[rows])
    known = usual.lessons[rows] >= LESSONS_A_DAY * sewer.figure("blockage_learn_days")[rows]
    begins = ~busy & above & dry & known
    usual.held_m[rows[begins]] = usual.usual_m[rows[begins]]
    lost = ~latch.active[rows] & (gap_us[matters] > GAP_US)
    latch.since_us[rows[lost]] = NEVER_US
    timing.observe(latch, rows, at_us, level_m, above & dry & known, level_m <= limit_m)
    usual.tried_us[rows[lesson]] = at_us[lesson]
    taught = lesson & dry
    learn(usual, rows[taught], level_m[taught])
    turned = timing.fire(latch, rows, at_us, delays(sewer))
    risen = turned.rows[latch.active[turned.rows]]
    usual.usual_m[risen] = usual.held_m[risen]
    return turned


def learn(usual: Usual, rows: Rows, level_m: Reals) -> None:
    """One dry-weather level a drain."""
    before = usual.usual_m[rows]
    followed = before + GAIN_M * np.where(level_m > before, SHARE, SHARE - 1)
    usual.usual_m[rows] = np.where(usual.lessons[rows] < FIRST_LESSONS, np.fmax(before, level_m), followed)
    usual.lessons[rows] += 1
