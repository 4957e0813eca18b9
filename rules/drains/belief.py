"""Whether a drain's sensor can be believed: what no water does is left out, and after a few times it is `sensor_fault`.

Out of range, a lost echo (further below the invert than any water) and an impossible step are faults of one reading.
A step is believed after all once a second reading confirms it. Each such reading raises the sensor's doubt by one, each
reading takes a fifth of it away: three in a row are an alarm, as are spikes at every other reading; one spike is none.

A flat line is the same level to the millimetre for long: a pipe that is not dry for a day, or any pipe through heavy
rain. At the sensor's blind zone a flat line is a fault only where it is known to be dry: in rain it says that the water
stands at least so high, and without a gauge nobody knows.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import numpy as np

from rules.drains import rain as rains
from rules.drains.rain import Rain
from rules.drains.sewer import SENSORS, Sewer
from rules.drains.water import Water
from rules.memory import Bools, Codes, Column, FlagColumn, Memory, Reals, Rows, TimeColumn, Times
from telemetry.clock import HOUR_US, MINUTE_US

DOUBT_KEPT = 0.8
DOUBT_RAISES = 2.0
DOUBT_CLEARS = 0.5
DOUBT_GONE = 0.01
SAME_M = 0.000_5
"""Two readings that differ by less are the same."""
BLIND_M = 0.01
"""So near to the blind zone a reading is at it."""


class Fault(IntEnum):
    """What is wrong."""

    NONE = 0
    OUT_OF_RANGE = 1
    LOST_ECHO = 2
    IMPOSSIBLE_STEP = 3
    FLAT_LINE = 4
    BLIND_ZONE = 5


WORDS = {
    Fault.OUT_OF_RANGE: "The level lies higher above the ground than water can stand.",
    Fault.LOST_ECHO: "The level lies below the invert: the echo was lost or came from elsewhere.",
    Fault.IMPOSSIBLE_STEP: "The level jumps as no water does.",
    Fault.FLAT_LINE: "The level has been the same to the millimetre for too long.",
    Fault.BLIND_ZONE: "The level stands at the sensor's blind zone though it is dry.",
}
"""Each fault in a sentence."""

DoubtColumn = Annotated[Reals, Column(np.float64, 0.0)]
FaultColumn = Annotated[Codes, Column(np.int8, Fault.NONE)]


@dataclass(slots=True, eq=False)
class Belief(Memory):
    """`doubt` of the sensor; `doubted` is what was wrong last, since `doubted_us`.

    `active`: the alarm stands because of `fault`, seen since `cause_us`.
    """

    doubt: DoubtColumn
    doubted: FaultColumn
    doubted_us: TimeColumn
    active: FlagColumn
    fault: FaultColumn
    cause_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Judged:
    """Of the drains that reported, `(k,)`: which readings are believed, and whose alarm begins and ends."""

    believed: Bools
    raised: Bools
    cleared: Bools


def judge(belief: Belief, water: Water, rain: Rain, sewer: Sewer, rows: Rows, at_us: Times, level_m: Reals) -> Judged:
    """One reading a drain, none of them NaN."""
    fault = _fault_of_reading(water, sewer, rows, at_us, level_m)
    believed = fault == Fault.NONE
    moved = ~(np.abs(level_m - water.read_m[rows]) < SAME_M)
    water.flat_us[rows[moved]] = at_us[moved]
    water.read_m[rows], water.read_us[rows] = level_m, at_us
    _doubt(belief, rows, at_us, fault)
    stuck = _stuck(water, rain, sewer, rows, at_us, level_m)
    raises = (belief.doubt[rows] >= DOUBT_RAISES) | (stuck != Fault.NONE)
    clears = (belief.doubt[rows] < DOUBT_CLEARS) & (stuck == Fault.NONE)
    active = belief.active[rows]
    raised, cleared = raises & ~active, clears & active
    row, found, is_stuck = rows[raised], stuck[raised], stuck[raised] != Fault.NONE
    belief.fault[row] = np.where(is_stuck, found, belief.doubted[row])
    belief.cause_us[row] = np.where(is_stuck, water.flat_us[row], belief.doubted_us[row])
    belief.active[rows] ^= raised | cleared
    return Judged(believed, raised, cleared)


def unwatch(belief: Belief, served: Bools) -> Rows:
    """Forget the sensors that are gone; returns the drains whose alarms are over by that."""
    over = np.flatnonzero(~served & belief.active)
    belief.active[over], belief.doubt[over] = False, 0.0
    return over


def at_blind_zone(sewer: Sewer, rows: Rows, level_m: Reals) -> Bools:
    """Which readings say no more than "at least this high", `(k,)`."""
    blind: Bools = level_m >= sewer.blind_from_m[rows] - BLIND_M
    return blind


def _doubt(belief: Belief, rows: Rows, at_us: Times, fault: Codes) -> None:
    """Doubt the sensors of which a reading is not believed, and the others less."""
    bad = fault != Fault.NONE
    before = belief.doubt[rows]
    fresh = rows[bad & (before < DOUBT_CLEARS)]
    belief.doubted_us[fresh] = at_us[bad & (before < DOUBT_CLEARS)]
    belief.doubted[rows[bad]] = fault[bad]
    after = before * DOUBT_KEPT + bad
    belief.doubt[rows] = np.where(after < DOUBT_GONE, 0.0, after)


def _fault_of_reading(water: Water, sewer: Sewer, rows: Rows, at_us: Times, level_m: Reals) -> Codes:
    """What is wrong with each reading by itself and after the one before, `(k,)`."""
    before_us, before_m = water.at_us[rows, -1], water.level_m[rows, -1]
    jumped = _jumps(sewer, rows, at_us - before_us, level_m - before_m)
    confirmed = ~_jumps(sewer, rows, at_us - water.read_us[rows], level_m - water.read_m[rows])
    fault = np.where(jumped & ~confirmed, np.int8(Fault.IMPOSSIBLE_STEP), np.int8(Fault.NONE))
    fault[level_m < sewer.lowest_m[rows]] = Fault.LOST_ECHO
    fault[level_m > sewer.highest_m[rows]] = Fault.OUT_OF_RANGE
    return fault


def _jumps(sewer: Sewer, rows: Rows, elapsed_us: Times, by_m: Reals) -> Bools:
    """Which steps no water takes; there is none without a reading before."""
    may_m = sewer.figure("step_m_max", SENSORS)[rows]
    may_m = may_m + sewer.figure("step_m_per_min_max", SENSORS)[rows] * (elapsed_us / MINUTE_US)
    jumps: Bools = np.abs(by_m) > may_m
    return jumps


def _stuck(water: Water, rain: Rain, sewer: Sewer, rows: Rows, at_us: Times, level_m: Reals) -> Codes:
    """What is wrong with a level that stays the same, `(k,)`."""
    stuck = np.full(len(rows), Fault.NONE, np.int8)
    flat_us = at_us - water.flat_us[rows]
    long = np.flatnonzero(flat_us >= sewer.span_us("flat_in_rain_s", SENSORS)[rows])
    if not len(long):
        return stuck
    rows, at_us, level_m, flat_us = rows[long], at_us[long], level_m[long], flat_us[long]
    fallen = rains.over(rain, sewer, rows, at_us)
    blind = at_blind_zone(sewer, rows, level_m)
    rained = (fallen.heavy_us >= water.flat_us[rows]) & (fallen.heavy_us <= at_us - HOUR_US)
    standing = level_m >= sewer.figure("flat_line_above_m", SENSORS)[rows]
    endless = standing & (flat_us >= sewer.span_us("flat_line_s", SENSORS)[rows])
    dry = fallen.dry_for(at_us, sewer.span_us("blockage_dry_s")[rows])
    found = np.where(rained | endless, np.int8(Fault.FLAT_LINE), np.int8(Fault.NONE))
    found = np.where(blind, np.where(dry, np.int8(Fault.BLIND_ZONE), np.int8(Fault.NONE)), found)
    stuck[long] = found
    return stuck
