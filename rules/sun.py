"""When it is dark: dusk and dawn of a place, from the sun's elevation as `astral` computes it.

Dusk and dawn are the sun at −6° (civil twilight) or another height, moved by offsets. Where the sun does not pass that
height for days, as beyond the polar circles, it is simply dark or light all the while.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from astral import Observer
from astral.sun import elevation

from telemetry.clock import DAY_US, MINUTE_US, SECOND_US, to_datetime

CIVIL_DEG = 6.0
"""So far below the horizon the sun stands at civil dusk and dawn, between which the guards hold."""
SAMPLE_US = 10 * MINUTE_US
"""A passage of the sun through that height and back within this time goes unseen, and does not matter."""
LOOK_DAYS = 2
"""How far ahead and back a change between dark and light is looked for; beyond it there is none."""
DAYS_KEPT_MAX = 64


@dataclass(frozen=True, slots=True)
class Night:
    """The present night or, by day, the last one. Where none is in sight it lies before all times."""

    dusk_us: int
    dawn_us: int


class Sun:
    """The sun over one place.

    `lat` and `lon` are WGS 84 degrees; offsets move dusk and dawn by seconds, later if positive. A night that the
    offsets leave empty is none. Dusk and dawn are the sun `below_deg` under the horizon.
    """

    def __init__(
        self,
        lat: float,
        lon: float,
        dusk_offset_s: int = 0,
        dawn_offset_s: int = 0,
        below_deg: float = CIVIL_DEG,
    ) -> None:
        self.lat, self.lon, self._below_deg = lat, lon, below_deg
        self._observer = Observer(lat, lon)
        self._dusk_offset_us = dusk_offset_s * SECOND_US
        self._dawn_offset_us = dawn_offset_s * SECOND_US
        self._days: dict[int, list[tuple[int, bool]]] = {}
        self._spans: dict[int, list[tuple[int, bool]]] = {}

    def dark_at(self, moment_us: int) -> bool:
        """Whether it is dark: dusk is, dawn is not."""
        changes = self._near(moment_us)
        place = bisect_right(changes, (moment_us, True))
        if place:
            return changes[place - 1][1]
        return not changes[0][1] if changes else self._low(moment_us)

    def next_change_us(self, moment_us: int) -> int:
        """The next dusk or dawn after a moment; the moment plus `LOOK_DAYS` days if none is in sight by then."""
        for when, _ in self._near(moment_us):
            if when > moment_us:
                return when
        return moment_us + LOOK_DAYS * DAY_US

    def changes(self, from_us: int, to_us: int) -> list[tuple[int, bool]]:
        """Every dusk and dawn from a moment (inclusive) to another (exclusive): when, and whether it becomes dark."""
        found: list[tuple[int, bool]] = []
        moment_us = from_us - 1
        while (moment_us := self.next_change_us(moment_us)) < to_us:
            if self.dark_at(moment_us) != self.dark_at(moment_us - 1):
                found.append((moment_us, self.dark_at(moment_us)))
        return found

    def dark_between(self, from_us: int, to_us: int) -> bool:
        """Whether it is dark at any time from `from_us` (inclusive) to `to_us` (exclusive)."""
        moment_us = from_us
        while moment_us < to_us:
            if self.dark_at(moment_us):
                return True
            moment_us = self.next_change_us(moment_us)
        return False

    def night(self, moment_us: int) -> Night:
        """The night at a moment, by day the last one."""
        changes = self._near(moment_us)
        place = bisect_right(changes, (moment_us, True))
        if self.dark_at(moment_us):
            dusk_us = changes[place - 1][0] if place else moment_us - LOOK_DAYS * DAY_US
            return Night(dusk_us, self.next_change_us(moment_us))
        if not place:
            return Night(moment_us - LOOK_DAYS * DAY_US, moment_us - LOOK_DAYS * DAY_US)
        dusk_us = changes[place - 2][0] if place >= 2 else moment_us - LOOK_DAYS * DAY_US
        return Night(dusk_us, changes[place - 1][0])

    def _near(self, moment_us: int) -> list[tuple[int, bool]]:
        """Changes round a moment in order: (when, whether it becomes dark), offsets applied."""
        day = moment_us // DAY_US
        if day not in self._spans:
            if len(self._spans) > DAYS_KEPT_MAX:
                self._spans.clear()
                self._days.clear()
            found = [each for d in range(day - LOOK_DAYS, day + LOOK_DAYS + 1) for each in self._passages(d)]
            self._spans[day] = self._offset(found)
        return self._spans[day]

    def _offset(self, changes: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
        """The changes moved by the offsets, without nights that become empty; dark and light alternate."""
        moved = [(at + (self._dusk_offset_us if dark else self._dawn_offset_us), dark) for at, dark in changes]
        kept: list[tuple[int, bool]] = []
        for change in moved:
            if kept and change[0] <= kept[-1][0]:
                kept.pop()
            else:
                kept.append(change)
        return kept

    def _passages(self, day: int) -> list[tuple[int, bool]]:
        """When the sun passes that height on a UTC day (days since 1970), to the second."""
        if day not in self._days:
            edges = range(day * DAY_US, (day + 1) * DAY_US + 1, SAMPLE_US)
            low = [self._low(edge) for edge in edges]
            self._days[day] = [
                (self._passage(edges[i], edges[i + 1], low[i + 1]), low[i + 1])
                for i in range(len(low) - 1)
                if low[i] != low[i + 1]
            ]
        return self._days[day]

    def _passage(self, before_us: int, after_us: int, low_after: bool) -> int:
        while after_us - before_us > SECOND_US:
            middle_us = (before_us + after_us) // (2 * SECOND_US) * SECOND_US
            if self._low(middle_us) == low_after:
                after_us = middle_us
            else:
                before_us = middle_us
        return after_us

    def _low(self, moment_us: int) -> bool:
        return elevation(self._observer, to_datetime(moment_us), with_refraction=False) < -self._below_deg


@lru_cache(maxsize=16)
def switching_sun(lat: float, lon: float, dusk_offset_s: int, dawn_offset_s: int, below_deg: float) -> Sun:
    """The sun by which a town switches its lamps; kept, for its passages are long to reckon."""
    return Sun(lat, lon, dusk_offset_s, dawn_offset_s, below_deg)
