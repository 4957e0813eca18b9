"""Free bays: from what sensors say to what the public is told.

A change counts once it has lasted its dwell time; the first state after unknown counts at once; a bay not heard of for
some of its report intervals is unknown, never free. All of it happens in event time. What counts is first a `move`, and
is shown once the moment has settled, so that a zone's word is exact for the moment it names.

A change that comes a whole report interval after the last message came with a heartbeat: its edge was missed. It is
corrected like any other change, and counted.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray

from rules.arrival import rounds
from rules.memory import NEVER_US, Bools, Codes, Column, CountColumn, Memory, Reals, Rows, TimeColumn, Times
from telemetry.clock import SECOND_US
from telemetry.thresholds import Parking

UNKNOWN, FREE, OCCUPIED = -1, 0, 1
StateColumn = Annotated[Codes, Column(np.int8, UNKNOWN)]
HEARTBEAT_SHARE = 0.95
"""A message this share of the report interval after the last one is a heartbeat."""


@dataclass(slots=True, eq=False)
class Occupancy(Memory):
    """`raw`: as last reported; since `since_us` it differs from `state`, what counts by event time.

    `shown` is what the public has been told; it changed at `changed_us`, and before that at `earlier_us`, between free
    and occupied, and `changes` times in all.
    """

    raw: StateColumn
    state: StateColumn
    since_us: TimeColumn
    shown: StateColumn
    changed_us: TimeColumn
    earlier_us: TimeColumn
    changes: CountColumn


@dataclass(slots=True, eq=False)
class Moves:
    """Changes of `state` that are not shown yet, oldest first for each bay; all `(m,)`."""

    row: Rows
    at_us: Times
    state: Codes

    @classmethod
    def none(cls) -> Self:
        """No moves."""
        return cls(np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.int8))

    @classmethod
    def join(cls, parts: "list[Moves]") -> "Moves":
        """Several lots in their order."""
        return cls(*[np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)])

    def take(self, chosen: Rows | Bools) -> "Moves":
        """The chosen ones."""
        return Moves(self.row[chosen], self.at_us[chosen], self.state[chosen])

    def __len__(self) -> int:
        return len(self.row)


def expire(bays: Occupancy, rows: Rows, until_us: Times | int, unknown_us: Times, parking: Parking) -> Moves:
    """What changes by `until_us` without a message: dwell times end, bays become unknown.

    `unknown_us` `(k,)` is when each bay becomes unknown if nothing is heard of it.
    """
    since = bays.since_us[rows]
    dwell = np.where(bays.raw[rows] == OCCUPIED, parking.dwell_in_s, parking.dwell_out_s) * SECOND_US
    due = since + dwell
    dwelt = (since != NEVER_US) & (due <= np.minimum(until_us, unknown_us))
    settled = rows[dwelt]
    bays.state[settled] = bays.raw[settled]
    bays.since_us[settled] = NEVER_US
    dwelt_moves = Moves(settled, due[dwelt], bays.state[settled])
    lost = (bays.state[rows] != UNKNOWN) & (unknown_us <= until_us)
    gone = rows[lost]
    bays.raw[gone] = UNKNOWN
    bays.state[gone] = UNKNOWN
    bays.since_us[gone] = NEVER_US
    return Moves.join([dwelt_moves, Moves(gone, unknown_us[lost], bays.state[gone])])


def report(bays: Occupancy, rows: Rows, at_us: Times, occupied: Reals, heartbeat: Bools) -> tuple[Moves, int]:
    """One message a bay; returns what counts at once, and how many missed edges it revealed."""
    said = np.where(occupied > 0, OCCUPIED, FREE).astype(np.int8)
    raw, state = bays.raw[rows], bays.state[rows]
    first = state == UNKNOWN
    changed = ~first & (raw != said)
    bays.raw[rows] = said
    bays.state[rows[first]] = said[first]
    bays.since_us[rows[changed]] = np.where(said == state, NEVER_US, at_us)[changed]
    return Moves(rows[first], at_us[first], said[first]), int((changed & heartbeat).sum())


def show(bays: Occupancy, moves: Moves) -> None:
    """Let moves, sorted by time, be shown."""
    for chosen in rounds(moves.row):
        row, state = moves.row[chosen], moves.state[chosen]
        before = bays.shown[row]
        edge = (before != UNKNOWN) & (state != UNKNOWN) & (before != state)
        bays.earlier_us[row[edge]] = bays.changed_us[row[edge]]
        bays.changed_us[row[edge]] = moves.at_us[chosen][edge]
        bays.changes[row[edge]] += 1
        bays.shown[row] = state


def net_filled(bays: Occupancy, rows: Rows, at_us: int, window_us: int) -> int:
    """How many more of `rows` are occupied at `at_us` than a window before; a bay that went to and fro is none."""
    begin_us = at_us - window_us
    once = (bays.changed_us[rows] > begin_us) & (bays.earlier_us[rows] <= begin_us)
    shown = bays.shown[rows]
    filled: NDArray[np.bool_] = once & (shown == OCCUPIED)
    emptied: NDArray[np.bool_] = once & (shown == FREE)
    return int(filled.sum()) - int(emptied.sum())
