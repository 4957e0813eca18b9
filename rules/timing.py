"""On-delay, off-delay and deadband, shared by the rules: many latches in columns, moved by event time and by timers.

A latch rises when what raises it has held for the on-delay, and falls when what clears it has held for the off-delay.
Between the two levels lies the deadband: there nothing begins, and a delay that was running begins anew.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import NEVER_US, Bools, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times


@dataclass(slots=True, eq=False)
class Latch(Memory):
    """`active`: it is raised. `since_us`: since when what would turn it has held, `NEVER_US` while it does not.

    `cause_us` and `value`: when what raised it began, and the value seen then; they stay until the next time.
    """

    active: FlagColumn
    since_us: TimeColumn
    cause_us: TimeColumn
    value: RealColumn


@dataclass(frozen=True, slots=True)
class Delays:
    """How long, in microseconds, a condition has to hold to raise and to clear: one figure, or `(n,)` one an asset."""

    on_us: Times | int
    off_us: Times | int

    def of(self, rows: Rows, active: Bools) -> Times:
        """How long what would turn each of these latches has to hold, `(k,)`."""
        on_us, off_us = (each if isinstance(each, int) else each[rows] for each in (self.on_us, self.off_us))
        return np.where(active, off_us, on_us)


@dataclass(frozen=True, slots=True)
class Turned:
    """Latches that have just turned: their rows and, in the same order, when; both `(k,)`."""

    rows: Rows
    at_us: Times


def fire(latch: Latch, rows: Rows, until_us: Times | int, delays: Delays) -> Turned:
    """Turn the latches whose delay ends by `until_us` (one moment, or one a row)."""
    since = latch.since_us[rows]
    running = np.flatnonzero(since != NEVER_US)
    rows = rows[running]
    due = since[running] + delays.of(rows, latch.active[rows])
    ripe = due <= (until_us if isinstance(until_us, int) else until_us[running])
    turned = rows[ripe]
    if len(turned):
        rising = turned[~latch.active[turned]]
        latch.cause_us[rising] = latch.since_us[rising]
        latch.active[turned] ^= True
        latch.since_us[turned] = NEVER_US
    return Turned(turned, due[ripe])


def observe(latch: Latch, rows: Rows, at_us: Times, value: Reals, raises: Bools, clears: Bools) -> None:
    """Let one observation a row begin or end the running of a delay; all arguments are `(k,)`."""
    active = latch.active[rows]
    turning = np.where(active, clears, raises)
    running = latch.since_us[rows] != NEVER_US
    begins = turning & ~running
    latch.since_us[rows[begins]] = at_us[begins]
    latch.since_us[rows[running & ~turning]] = NEVER_US
    rising = begins & ~active
    latch.value[rows[rising]] = value[rising]
