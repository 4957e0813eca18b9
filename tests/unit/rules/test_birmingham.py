"""Birmingham's car parks of 2016, bay by bay: what is published is what was recorded, clamped to the capacity."""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from telemetry.clock import SECOND_US, to_us
from tests.parts.cities import Life, bay, city, recording

RECORDING = "parking_birmingham_2016_14_car_parks.csv"
LONDON = ZoneInfo("Europe/London")
CAR_PARKS = ("BHMBCCMKT01", "Others-CCCPS98")
DAYS = ("2016-11-25", "2016-11-27")
HEARTBEAT_US = 900 * SECOND_US


def recorded() -> dict[str, tuple[int, dict[int, int]]]:
    """Capacity, and occupied bays by time, of each car park; of two rows for one minute the later one stays."""
    found: dict[str, tuple[int, dict[int, int]]] = {}
    for row in recording(RECORDING):
        if row["SystemCodeNumber"] in CAR_PARKS and DAYS[0] <= row["Timestamp"] < DAYS[1]:
            capacity = int(row["Capacity"])
            at_us = to_us(datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=LONDON))
            _, samples = found.setdefault(row["SystemCodeNumber"], (capacity, {}))
            samples[at_us] = min(max(int(row["Occupancy"]), 0), capacity)
    return found


class Bays:
    """The bays of a car park: which are taken, and when each speaks next by its heartbeat."""

    def __init__(self, first_id: int, capacity: int, start_us: int) -> None:
        self.ids = np.arange(first_id, first_id + capacity)
        self.taken = np.zeros(capacity, bool)
        self.next_us = start_us + np.arange(capacity) * HEARTBEAT_US // capacity

    def become(self, count: int, at_us: int) -> list[tuple[int, int, float]]:
        """Edges that bring the number of taken bays to `count`."""
        change = count - int(self.taken.sum())
        turning = np.flatnonzero(self.taken != (change > 0))[: abs(change)]
        self.taken[turning] = change > 0
        return self._say(turning, at_us)

    def beat(self, until_us: int) -> list[tuple[int, int, float]]:
        """Heartbeats that are due."""
        return self._say(np.flatnonzero(self.next_us <= until_us), until_us)

    def _say(self, who: np.ndarray, at_us: int) -> list[tuple[int, int, float]]:
        self.next_us[who] = at_us + HEARTBEAT_US
        return [
            (each, at_us, float(taken)) for each, taken in zip(self.ids[who].tolist(), self.taken[who], strict=True)
        ]


def test_availability_equals_the_recording_at_every_sampled_time() -> None:
    parks = recorded()
    times = sorted({at_us for _, samples in parks.values() for at_us in samples})
    bays: dict[str, Bays] = {}
    first = 1
    for name, (capacity, _) in parks.items():
        bays[name] = Bays(first, capacity, times[0])
        first += capacity
    assets = [bay(int(number), zone=name) for name, each in bays.items() for number in each.ids]
    life = Life(city(assets), settle_s=120)
    for start_us, end_us in pairwise([*times, times[-1] + 3600 * SECOND_US]):
        edges = [
            row
            for name, (_, samples) in parks.items()
            if start_us in samples
            for row in bays[name].become(samples[start_us], start_us)
        ]
        life.observe(start_us, "parking_bay", edges)
        for now_us in range(start_us, end_us, 600 * SECOND_US):
            life.observe(now_us, "parking_bay", [row for each in bays.values() for row in each.beat(now_us)])
    words: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for word in life.words():
        words[word.zone].append((to_us(datetime.fromisoformat(word.updated_at)), word.free))
    compared = 0
    for name, (capacity, samples) in parks.items():
        for at_us, following_us in pairwise(sorted(samples)):
            (*_, free) = [free for said_us, free in words[name] if said_us < following_us]
            assert free == capacity - samples[at_us], f"{name} at {at_us}"
            compared += 1
    assert compared > 60
