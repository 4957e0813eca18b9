"""Bays that say the same for ever: a bay that did not change while its zone's median bay did many times is stuck.

The comparison is with its neighbours, not with a time: at the cemetery a bay is quiet for days, at the station none is.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import NEVER_US, Bools, CountColumn, Counts, FlagColumn, Memory, Rows, TimeColumn
from rules.occupancy import UNKNOWN, Occupancy
from telemetry.clock import SECOND_US
from telemetry.thresholds import Parking


@dataclass(slots=True, eq=False)
class Stuck(Memory):
    """`changes`: how often the bay had changed when it was last seen to have done so, at `since_us`.

    `median`: how often its zone's median bay had changed by then. `stuck`: the alarm stands, for a bay
    that has been the same since `cause_us`.
    """

    changes: CountColumn
    median: CountColumn
    since_us: TimeColumn
    stuck: FlagColumn
    cause_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Found:
    """Bays that have turned out to be stuck, and bays that are not any more; `ahead` `(k,)` is what the median did."""

    stuck: Rows
    ahead: Counts
    free: Rows


def look(memory: Stuck, bays: Occupancy, rows: Rows, at_us: int, parking: Parking) -> Found:
    """Compare the bays of one zone; `rows` are those that are in use. Where too few are heard, no bay is judged."""
    heard: Bools = bays.shown[rows] != UNKNOWN
    judged = heard & (int(heard.sum()) >= parking.stuck_bays_min)
    median = int(np.median(bays.changes[rows[heard]])) if judged.any() else 0
    begins = (bays.changes[rows] != memory.changes[rows]) | (memory.since_us[rows] == NEVER_US) | ~judged
    begun = rows[begins]
    free = begun[memory.stuck[begun]]
    memory.stuck[begun] = False
    memory.changes[begun] = bays.changes[begun]
    memory.median[begun] = median
    memory.since_us[begun] = np.where(judged[begins], at_us, NEVER_US)
    ahead = median - memory.median[rows]
    long = at_us - np.maximum(memory.since_us[rows], 0) >= parking.stuck_after_s * SECOND_US
    stuck = rows[judged & long & (ahead >= parking.stuck_changes) & ~memory.stuck[rows]]
    memory.stuck[stuck] = True
    memory.cause_us[stuck] = memory.since_us[stuck]
    return Found(stuck, median - memory.median[stuck], free)
