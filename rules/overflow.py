"""Drains that fill: `drain_high` at the crown (Einstau) and `drain_overflow` at the ground (Überstau).

Each is a latch with a raise level, a clear level a deadband below it, and delays by event time and by timer. A drain
whose crown or ground is not registered has no such alarm. What stands in the street is never claimed from a sensor.
"""

from dataclasses import dataclass

import numpy as np

from rules import timing
from rules.memory import NEVER_US, Reals, Rows, Times
from rules.timing import Delays, Latch, Turned
from telemetry.alarms import AlarmType
from telemetry.clock import SECOND_US
from telemetry.thresholds import Drainage


@dataclass(frozen=True, slots=True)
class Stage:
    """One height that matters: `limit_m` `(n,)` is where it lies in each drain, NaN where not registered."""

    type: AlarmType
    limit_name: str
    limit_m: Reals
    deadband_m: float
    delays: Delays


def stages(drainage: Drainage, crown_m: Reals, ground_m: Reals) -> tuple[Stage, Stage]:
    """The two stages that are alarms, lowest first."""
    high = Delays(drainage.high_raise_delay_s * SECOND_US, drainage.high_clear_delay_s * SECOND_US)
    over = Delays(drainage.overflow_raise_delay_s * SECOND_US, drainage.overflow_clear_delay_s * SECOND_US)
    return (
        Stage(AlarmType.DRAIN_HIGH, "crown_m", crown_m, drainage.deadband_m, high),
        Stage(AlarmType.DRAIN_OVERFLOW, "ground_m", ground_m, drainage.deadband_m, over),
    )


def expire(latch: Latch, stage: Stage, rows: Rows, until_us: Times | int) -> Turned:
    """The alarms that turn because their delay has run out by `until_us`."""
    return timing.fire(latch, rows, until_us, stage.delays)


def measure(latch: Latch, stage: Stage, rows: Rows, at_us: Times, level_m: Reals) -> Turned:
    """One level a drain: begins and ends delays, and turns at once what has none."""
    limit = stage.limit_m[rows]
    raises = level_m >= limit
    clears = level_m < limit - stage.deadband_m
    timing.observe(latch, rows, at_us, level_m, raises, clears)
    return timing.fire(latch, rows, at_us, stage.delays)


def release(latch: Latch, stage: Stage) -> Rows:
    """Reset what has no registered height any more; returns the alarms that stood and are over by that."""
    unlimited = np.isnan(stage.limit_m)
    over = np.flatnonzero(latch.active & unlimited)
    latch.active[unlimited] = False
    latch.since_us[unlimited] = NEVER_US
    return over
