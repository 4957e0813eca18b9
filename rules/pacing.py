"""How many commands may go out in a step: a figure for each zone and one for all, so that no radio network is flooded.

A rate is kept by counting how many of its slots a step has passed, by the city clock; nothing has to be remembered.
The order is fair: zones take turns, and within a zone who has waited longest comes first. Those who wait since the same
moment come in an order that hangs on their id, so that neighbours are not switched one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.memory import Counts, Rows, Times
from telemetry.clock import SECOND_US

BURST_US = 5 * SECOND_US
"""After a pause no more goes out at once than otherwise in this time."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many commands may go out: to each zone by its number `(zones,)`, and in all."""

    zone: Counts
    all: int


def room(zones_per_s: Sequence[float], all_per_s: float, before_us: int, now_us: int, pace_us: int) -> Room:
    """What a step from one moment to another may send; `pace_us` is how far apart steps may lie under a fast clock."""
    before_us = max(before_us, now_us - max(BURST_US, 2 * pace_us))
    zones = [_slots(each, before_us, now_us) for each in zones_per_s]
    return Room(np.array(zones, np.int32), _slots(all_per_s, before_us, now_us))


def take(room: Room, zone: NDArray[np.int32], since_us: Times, order: NDArray[np.int64]) -> Rows:
    """Whose turn it is among those who wait, all `(k,)`: indices, in the order in which they go out."""
    if not len(zone):
        return np.empty(0, np.intp)
    queue = np.lexsort((order, since_us, zone))
    begins = np.flatnonzero(np.concatenate(([True], np.diff(zone[queue]) != 0)))
    place = np.arange(len(queue)) - np.repeat(begins, np.diff(np.append(begins, len(queue))))
    fits = place < room.zone[zone[queue]]
    queue, place = queue[fits], place[fits]
    fair = np.lexsort((order[queue], since_us[queue], place))
    return queue[fair][: room.all]


def _slots(per_s: float, before_us: int, now_us: int) -> int:
    thousandths = round(per_s * 1000)
    return now_us * thousandths // (1000 * SECOND_US) - before_us * thousandths // (1000 * SECOND_US)
