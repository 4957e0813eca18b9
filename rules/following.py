"""Whether a lamp gives the light it has acknowledged: three reports beside the setpoint in force are an alarm.

The count runs over the setpoint, not over the command, because a lease is renewed by a new command before a lamp that
reports seldom could have been seen three times. Which reports say anything is decided here for the command as well, by
`speaks`, so that no command fails beside this alarm.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import Bools, CountColumn, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS


@dataclass(slots=True, eq=False)
class Following(Memory):
    """`acked_pct`: the setpoint in force after `acked_us` until `acked_until_us`, NaN for none.

    `misses`: reports in a row beside it, the first at `missed_us`. `failing`: the alarm stands, caused at `cause_us`.
    """

    acked_pct: RealColumn
    acked_us: TimeColumn
    acked_until_us: TimeColumn
    misses: CountColumn
    missed_us: TimeColumn
    failing: FlagColumn
    cause_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Judged:
    """Of the reported lamps: rows that now fail, and rows that follow again; level of each failing one."""

    failing: Rows
    level_pct: Reals
    back: Rows


def speaks(at_us: Times, acked_us: Times | int, until_us: Times | int) -> Bools:
    """Which reports say whether a setpoint is followed: those measured after its acknowledgement, while it holds.

    A lamp that was away acknowledges first and then tells what it measured before: that was another setpoint's light.
    """
    said: Bools = (at_us > acked_us) & (at_us <= until_us)
    return said


def set_point(lamps: Following, row: int, setpoint_pct: float, acked_us: int, until_us: int) -> None:
    """A lamp has acknowledged a setpoint; one that it has still in force stays so."""
    if lamps.acked_pct[row] != setpoint_pct or lamps.acked_until_us[row] <= acked_us:
        lamps.misses[row] = 0
        lamps.acked_us[row] = acked_us
    lamps.acked_pct[row] = setpoint_pct
    lamps.acked_until_us[row] = until_us


def part(lamps: Following, row: int, at_us: int) -> None:
    """Another setpoint or another device has taken the place of the one in force."""
    lamps.acked_until_us[row] = min(int(lamps.acked_until_us[row]), at_us)


def report(lamps: Following, rows: Rows, at_us: Times, level_pct: Reals) -> Judged:
    """One report a lamp."""
    bound = ~np.isnan(lamps.acked_pct[rows]) & speaks(at_us, lamps.acked_us[rows], lamps.acked_until_us[rows])
    near = np.abs(level_pct - lamps.acked_pct[rows]) <= FOLLOWED_POINTS
    misses, hits = bound & ~near, rows[bound & near]
    missed = rows[misses]
    fresh = lamps.misses[missed] == 0
    lamps.missed_us[missed[fresh]] = at_us[misses][fresh]
    lamps.misses[missed] += 1
    lamps.misses[hits] = 0
    fails = (lamps.misses[missed] >= FOLLOW_REPORTS) & ~lamps.failing[missed]
    failing, back = missed[fails], hits[lamps.failing[hits]]
    lamps.failing[failing] = True
    lamps.cause_us[failing] = lamps.missed_us[failing]
    lamps.failing[back] = False
    return Judged(failing, level_pct[misses][fails], back)
