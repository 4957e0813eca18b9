"""What the rules are told of street lights and do not decide: their programs, photocells, cabinets and neighbours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from rules.calendars import Calendars
from rules.dimming import Program
from rules.memory import Bools, Names, Reals, Rows, Times
from rules.photocell import Limits
from rules.sun import Sun
from telemetry.clock import SECOND_US
from telemetry.guards import floor_pct, may_be_off
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.registry import Asset
from telemetry.thresholds import Thresholds

METRES_A_DEGREE = 111_195.0
_SCATTER = 2_654_435_761
"""Knuth's multiplier: ids that follow each other end up far apart."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Lamps that switch together: by one program and, where `cell` is a row and not −1, by one photocell."""

    program: Program
    cell: int


@dataclass(frozen=True)
class Lamps:
    """The street lights of a city in columns, `(n,)` each, in the order of their roll."""

    assets: tuple[Asset, ...]
    thresholds: Thresholds
    clock: Sun
    timezone: ZoneInfo
    zone_number: Mapping[str | None, int]
    figures: Callable[[str], Reals]
    """A figure of section `lighting` by name, for each lamp."""

    @cached_property
    def _beats(self) -> tuple[tuple[Beat, ...], NDArray[np.int32]]:
        calendars, programs = Calendars(self.thresholds.calendars), {}
        row_of = {asset.asset: row for row, asset in enumerate(self.assets)}
        numbers: dict[tuple[str, int], int] = {}
        numbers_at: dict[tuple[str, str | None], int] = {}
        beat = np.empty(len(self.assets), np.int32)
        for row, asset in enumerate(self.assets):
            at = (asset.asset if asset.asset in self.thresholds.assets else "", asset.zone)
            if at not in numbers_at:
                wanted = self.thresholds.program(*at)
                cell = row_of.get(self.thresholds.photocell(*at), -1)
                if wanted.name not in programs:
                    programs[wanted.name] = Program(wanted, calendars, self.clock, self.timezone)
                numbers_at[at] = numbers.setdefault((wanted.name, cell), len(numbers))
            beat[row] = numbers_at[at]
        return tuple(Beat(programs[name], cell) for name, cell in numbers), beat

    @property
    def beats(self) -> tuple[Beat, ...]:
        """All of them."""
        return self._beats[0]

    @property
    def beat(self) -> NDArray[np.int32]:
        """Each lamp's place in `beats`."""
        return self._beats[1]

    @cached_property
    def day_level_pct(self) -> Reals:
        """What its program wants of each by day."""
        return np.array([each.program.day_level_pct for each in self.beats], np.float64)[self.beat]

    @cached_property
    def is_cell(self) -> Bools:
        """Which lamps are photocells of some."""
        found = np.zeros(len(self.assets), np.bool_)
        found[[each.cell for each in self.beats if each.cell >= 0]] = True
        return found

    def cell_limits(self, row: int, patience_us: int) -> Limits:
        """What a photocell goes by; after `patience_us` without a reading it leaves it to the sun."""
        names = ("photocell_on_lx", "photocell_off_lx", "photocell_delay_s")
        on_lx, off_lx, delay_s = (float(self.figures(name)[row]) for name in names)
        return Limits(on_lx, off_lx, round(delay_s * SECOND_US), patience_us)

    @cached_property
    def floor_pct(self) -> Reals:
        """The least level at night."""
        classes = self.thresholds.lighting.class_min_pct
        return np.array([floor_pct(_lamp(asset), classes) for asset in self.assets], np.float64)

    @cached_property
    def may_be_off(self) -> Bools:
        """Which may be off at night."""
        return np.array([may_be_off(_lamp(asset)) for asset in self.assets], np.bool_)

    @cached_property
    def zone(self) -> NDArray[np.int32]:
        """The number of each one's zone, by `zone_number`."""
        return np.array([self.zone_number[asset.zone] for asset in self.assets], np.int32)

    @cached_property
    def fed_by(self) -> Names:
        """The cabinet of each by name, empty where none is registered."""
        return np.array([_lamp(asset).cabinet or "" for asset in self.assets], np.object_)

    @cached_property
    def fed(self) -> dict[str, Rows]:
        """The lamps of each cabinet."""
        found: dict[str, list[int]] = {}
        for row, name in enumerate(self.fed_by.tolist()):
            found.setdefault(name, []).append(row)
        return {name: np.array(rows, np.intp) for name, rows in found.items() if name}

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Numbers as good as drawn by lot from the ids: who comes first among equals, and how a lease is spread."""
        return np.array([asset.asset_id * _SCATTER % 2**32 for asset in self.assets], np.int64)

    @cached_property
    def spread(self) -> Reals:
        """The same from 0 to 1."""
        return self.order / 2**32

    @cached_property
    def direct(self) -> Bools:
        """Which are directly connected and have a boost."""
        direct = np.array([bool(_lamp(asset).direct) for asset in self.assets], np.bool_)
        return direct & (self.figures("boost_pct") > 0)

    @cached_property
    def boost_pct(self) -> Reals:
        """The light of a boost in %, 0 where there is none."""
        return np.where(self.direct, self.figures("boost_pct"), 0.0)

    @cached_property
    def hold_us(self) -> Times:
        """How long a boost is held after the last movement."""
        return self._span("boost_hold_s")

    @cached_property
    def ramp_up_us(self) -> Times:
        """Within how long a boost comes up."""
        return self._span("boost_ramp_up_s")

    @cached_property
    def ramp_down_us(self) -> Times:
        """Within how long a boost goes down."""
        return self._span("boost_ramp_down_s")

    def with_neighbours(self, rows: Sequence[int], at_us: Sequence[int]) -> tuple[Rows, Times]:
        """These lamps and their neighbours, each with the time of what happened."""
        every = [[row, *self._neighbours(row)] for row in rows]
        lengths = [len(each) for each in every]
        return np.array(list(chain.from_iterable(every)), np.intp), np.repeat(np.array(at_us, np.int64), lengths)

    def _neighbours(self, row: int) -> list[int]:
        """The nearest lamps with a boost in reach that are of the same zone or cabinet."""
        if row not in self._known_neighbours:
            rows, lat, lon = self._places
            place = np.flatnonzero(rows == row)
            asset = self.assets[row]
            radius_m, most = self.figures("boost_radius_m")[row], int(self.figures("boost_neighbours")[row])
            near = rows[_near(lat, lon, int(place[0]), radius_m)] if len(place) else rows[:0]
            zone = (self.zone[near] == self.zone[row]) & (asset.zone is not None)
            cabinet = (self.fed_by[near] == self.fed_by[row]) & (self.fed_by[row] != "")
            self._known_neighbours[row] = near[zone | cabinet][:most].tolist()
        return self._known_neighbours[row]

    @cached_property
    def _known_neighbours(self) -> dict[int, list[int]]:
        return {}

    @cached_property
    def _places(self) -> tuple[Rows, Reals, Reals]:
        """Lamps with a boost whose place is known, from south to north: rows, degrees north and east."""
        known = [
            row
            for row in np.flatnonzero(self.direct).tolist()
            if None not in (self.assets[row].lat, self.assets[row].lon)
        ]
        rows = np.array(sorted(known, key=lambda row: (self.assets[row].lat, row)), np.intp)
        places = np.array([(self.assets[row].lat, self.assets[row].lon) for row in rows], np.float64).reshape(-1, 2)
        return rows, places[:, 0], places[:, 1]

    def _span(self, name: str) -> Times:
        return (self.figures(name) * SECOND_US).astype(np.int64)


def _near(lat: Reals, lon: Reals, place: int, radius_m: float) -> Rows:
    """The places within so many metres of one, nearest first, without itself; `lat` ascends."""
    reach_deg = radius_m / METRES_A_DEGREE
    first, last = np.searchsorted(lat, [lat[place] - reach_deg, lat[place] + reach_deg + 1e-12])
    near = np.arange(first, last)
    north_m = (lat[near] - lat[place]) * METRES_A_DEGREE
    east_m = (lon[near] - lon[place]) * METRES_A_DEGREE * np.cos(np.radians(lat[place]))
    away_m = np.hypot(north_m, east_m)
    chosen = (away_m <= radius_m) & (near != place)
    found: Rows = near[chosen][np.argsort(away_m[chosen], kind="stable")]
    return found


def _lamp(asset: Asset) -> StreetLightAttributes:
    assert isinstance(asset.attributes, StreetLightAttributes)
    return asset.attributes
