"""Whether a lamp gives the light it has acknowledged: three reports beside the setpoint in force are an alarm.

The count runs over the setpoint, not over the command, because a lease is renewed by a new command before a lamp that
reports seldom could have been seen three times.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import NEVER_US, CountColumn, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS


@dataclass(slots=True, eq=False)
class Following(Memory):
    """`acked_pct`: the setpoint in force until `acked_until_us`, NaN for none.

    `misses`: reports in a row beside it, the first at `missed_us`. `failing`: the alarm stands, caused at `cause_us`.
    """

    acked_pct: RealColumn
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


def set_point(lamps: Following, row: int, setpoint_pct: float, until_us: int) -> None:
    """A lamp has acknowledged a setpoint."""
    if lamps.acked_pct[row] != setpoint_pct:
        lamps.misses[row] = 0
    lamps.acked_pct[row] = setpoint_pct
    lamps.acked_until_us[row] = until_us


def report(lamps: Following, rows: Rows, at_us: Times, level_pct: Reals) -> Judged:
    """One report a lamp."""
    bound = ~np.isnan(lamps.acked_pct[rows]) & (at_us <= lamps.acked_until_us[rows])
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


def forget(lamps: Following, rows: Rows) -> None:
    """Nothing is asked of these lamps any more."""
    lamps.acked_pct[rows] = np.nan
    lamps.misses[rows] = 0
    lamps.acked_until_us[rows] = NEVER_US
