"""Drains that fill: pre-alarm below the crown, Einstau from the crown on, Überstau from the ground on.

The pre-alarm is a stage and no alarm; the others are `drain_high` and `drain_overflow`. Each is a latch with a raise
level, a clear level a deadband below it, and delays by event time and by timer; the top stage raises at once and clears
slowly. A drain whose crown or ground is not registered has no such stage. What stands in the street (Überflutung) is
never claimed from a sensor.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rules import timing
from rules.memory import NEVER_US, Reals, Rows, Times
from rules.timing import Delays, Latch, Turned
from telemetry.alarms import AlarmType

NORMAL, PRE_ALARM, EINSTAU, UEBERSTAU = range(4)
"""Codes of the stages, lowest first."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One height that matters: `limit_m` `(n,)` is where it lies in each drain, NaN in the `unlimited`.

    `type` is its alarm, `None` for a stage that is none.
    """

    type: AlarmType | None
    limit_name: str
    limit_m: Reals
    deadband_m: Reals
    delays: Delays
    unlimited: Rows


class Heights(Protocol):
    """What stages are made of: registered heights and figures, one a drain."""

    @property
    def crown_m(self) -> Reals:
        """The crown of the pipe."""
        ...

    @property
    def ground_m(self) -> Reals:
        """The ground."""
        ...

    def figure(self, name: str) -> Reals:
        """A figure of drainage."""
        ...

    def span_us(self, name: str) -> Times:
        """A figure in seconds, as microseconds."""
        ...


def stages(heights: Heights) -> tuple[Stage, Stage, Stage]:
    """Pre-alarm, Einstau and Überstau."""
    deadband, figure, span_us = heights.figure("deadband_m"), heights.figure, heights.span_us
    at_once = np.zeros(len(deadband), np.int64)
    pre = Delays(at_once, span_us("pre_alarm_clear_delay_s"))
    high = Delays(span_us("high_raise_delay_s"), span_us("high_clear_delay_s"))
    over = Delays(span_us("overflow_raise_delay_s"), span_us("overflow_clear_delay_s"))
    below_m = heights.crown_m - figure("pre_alarm_below_crown_m")
    crown_m, ground_m = heights.crown_m, heights.ground_m
    no_crown, no_ground = np.flatnonzero(np.isnan(crown_m)), np.flatnonzero(np.isnan(ground_m))
    return (
        Stage(None, "pre_alarm_m", below_m, deadband, pre, no_crown),
        Stage(AlarmType.DRAIN_HIGH, "crown_m", crown_m, deadband, high, no_crown),
        Stage(AlarmType.DRAIN_OVERFLOW, "ground_m", ground_m, deadband, over, no_ground),
    )


def expire(latch: Latch, stage: Stage, rows: Rows, until_us: Times | int) -> Turned:
    """The stages that turn because their delay has run out by `until_us`."""
    return timing.fire(latch, rows, until_us, stage.delays)


def measure(latch: Latch, stage: Stage, rows: Rows, at_us: Times, level_m: Reals) -> Turned:
    """One level a drain: begins and ends delays, and turns at once what has none."""
    limit = stage.limit_m[rows]
    raises = level_m >= limit
    clears = level_m < limit - stage.deadband_m[rows]
    timing.observe(latch, rows, at_us, level_m, raises, clears)
    return timing.fire(latch, rows, at_us, stage.delays)


def release(latch: Latch, stage: Stage) -> Rows:
    """Reset what has no registered height any more; returns the stages that stood and are over by that."""
    over = stage.unlimited[latch.active[stage.unlimited]]
    latch.active[over] = False
    latch.since_us[stage.unlimited] = NEVER_US
    return over
