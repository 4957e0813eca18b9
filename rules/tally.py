"""So many reports in a row: a latch that turns by counting reports, not by time; many of them in columns.

A report that says neither leaves the count as it is; one that says the contrary begins it anew.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import Bools, CountColumn, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from rules.timing import Turned


@dataclass(slots=True, eq=False)
class Tally(Memory):
    """`active`: it is raised. `count` reports in a row would turn it. `cause_us`, `value`: the first that raised it."""

    active: FlagColumn
    count: CountColumn
    cause_us: TimeColumn
    value: RealColumn


@dataclass(frozen=True, slots=True)
class Enough:
    """How many reports in a row raise and clear, `(n,)` each."""

    to_raise: Reals
    to_clear: Reals


def observe(
    tally: Tally, rows: Rows, at_us: Times, value: Reals, raises: Bools, clears: Bools, enough: Enough
) -> Turned:
    """One report a row, all `(k,)`; returns what turns by it."""
    speaks = raises | clears
    rows, at_us, value, raises, clears = rows[speaks], at_us[speaks], value[speaks], raises[speaks], clears[speaks]
    active = tally.active[rows]
    turning = np.where(active, clears, raises)
    begins = turning & ~active & (tally.count[rows] == 0)
    tally.cause_us[rows[begins]] = at_us[begins]
    tally.value[rows[begins]] = value[begins]
    counted = np.where(turning, tally.count[rows] + 1, 0)
    turned = turning & (counted >= np.where(active, enough.to_clear[rows], enough.to_raise[rows]))
    tally.count[rows] = np.where(turned, 0, counted)
    tally.active[rows[turned]] ^= True
    return Turned(rows[turned], at_us[turned])
