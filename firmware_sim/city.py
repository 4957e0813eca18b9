"""A seeded town: its registry rows as the contract's CSV has them, and the traits by which its devices live.

The n-th device is the same in a small and in a large town of one seed: a larger town only has more of them.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from firmware_sim import places
from firmware_sim.behaviours import BayTraits, DrainTraits, LampTraits
from firmware_sim.chance import Chance
from firmware_sim.places import DISTRICTS, CarPark, Road
from firmware_sim.surroundings import Surroundings
from firmware_sim.weather import RESERVOIR_K_MIN, Weather
from telemetry.clock import SECOND_US
from telemetry.kinds import KINDS

Row = dict[str, str]
"""One line of a registry CSV: column → text, empty where not given. A `zone` row names the zone in `asset`."""
Traits = LampTraits | DrainTraits | BayTraits

COLUMNS = tuple(
    dict.fromkeys(
        ["asset", "kind", "name", "zone", "lat", "lon", "device"]
        + [name for kind in KINDS.values() for name in kind.attribute_names]
    )
)
"""Header of a registry CSV."""

LAMP, DRAIN, BAY = "streetlight", "drain_level", "parking_bay"
# fmt: off
_PATTERN = (
    LAMP, BAY, LAMP, LAMP, BAY, LAMP, DRAIN, LAMP, BAY, LAMP,
    BAY, LAMP, LAMP, BAY, LAMP, DRAIN, BAY, LAMP, LAMP, BAY,
)
# fmt: on
"""Kinds of every twenty devices in turn: 55 % lamps, 10 % drains, 35 % bays."""
_LAMPS_A_STREET = 14
_METRES_A_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Member:
    """One device with the asset that it serves and how that lives; `cabinet` feeds a lamp, and is empty elsewhere."""

    device: str
    asset: str
    kind: str
    report_every_s: int
    traits: Traits
    cabinet: str = ""


@dataclass(frozen=True)
class City:
    """A town of so many devices.

    Args:
        devices: how many.
        seed: everything is drawn from it.
        lat: middle of the town, WGS 84 degrees.
        lon: the same.
        timezone: IANA name; people live by it.
        report_every_s: report interval by kind in s, also registered; a kind's default where not given.
        cloudbursts_us: moments at which a cloudburst surely begins.
    """

    devices: int = 300
    seed: int = 1
    lat: float = places.LAT
    lon: float = places.LON
    timezone: str = places.TIMEZONE
    report_every_s: Mapping[str, int] = field(default_factory=dict)
    cloudbursts_us: tuple[int, ...] = ()

    @cached_property
    def town(self) -> Surroundings:
        """What all devices share."""
        return Surroundings(Weather(self.seed, self.cloudbursts_us), self.lat, self.lon, self.timezone)

    def rows(self) -> Iterator[Row]:
        """The registry: zones first, then assets with their devices."""
        for number in range(self.devices):
            kind, nth = _kind(number)
            if kind == LAMP and nth < len(DISTRICTS):
                district = DISTRICTS[nth]
                yield self._zone(district.zone, district.name, district.north_m, district.east_m)
            elif kind == BAY and _bay_place(nth)[1] == 0:
                park, _ = _bay_place(nth)
                yield self._zone(park.zone, park.name, park.north_m, park.east_m)
        for number in range(self.devices):
            yield self._asset_row(number)

    def members(self) -> Iterator[Member]:
        """The devices with their traits."""
        for number in range(self.devices):
            kind, nth = _kind(number)
            interval_s = self.report_every_s.get(kind, KINDS[kind].wire.report_every_s)
            cabinet = _cabinet(nth) if kind == LAMP else ""
            yield Member(self._device(number), _asset(kind, nth), kind, interval_s, self._traits(kind, nth), cabinet)

    def _chance(self, kind: str, nth: int) -> Chance:
        return Chance.seeded("city", self.seed, kind, nth)

    def _device(self, number: int) -> str:
        """An EUI-64 with the bit of locally given addresses, so that it can be nobody's."""
        return f"02{Chance.seeded('device', self.seed, number).key >> 32:08X}{number:06X}"

    def _traits(self, kind: str, nth: int) -> Traits:
        chance = self._chance(kind, nth)
        if kind == LAMP:
            return _lamp_traits(chance, DISTRICTS[nth % 6].streets[_street(nth)].road)
        if kind == DRAIN:
            return _drain_traits(chance, nth)
        park, _ = _bay_place(nth)
        return BayTraits(chance, park.custom, Chance.seeded("demand", self.seed, park.zone).between(0.5, 1.3))

    def _asset_row(self, number: int) -> Row:
        kind, nth = _kind(number)
        row = _row(asset=_asset(kind, nth), kind=kind, device=self._device(number))
        if kind in self.report_every_s:
            row["report_every_s"] = str(self.report_every_s[kind])
        if kind == LAMP:
            row |= self._lamp_row(nth)
        elif kind == DRAIN:
            row |= self._drain_row(nth)
        else:
            row |= self._bay_row(nth)
        return row

    def _lamp_row(self, nth: int) -> Row:
        district, street = DISTRICTS[nth % 6], DISTRICTS[nth % 6].streets[_street(nth)]
        chance = self._chance(LAMP, nth).of("registry")
        turn, post = divmod(nth // 6, _LAMPS_A_STREET * 6)
        along = turn * _LAMPS_A_STREET + post % _LAMPS_A_STREET
        classes, minima = _ROADS[street.road]
        which = chance.whole(len(classes))
        crossing = along % 7 == 0 and street.road != "path"
        quiet = street.road in ("residential", "path") and not crossing
        return self._position(nth % 6, _street(nth), 28.0 * (along + 0.5), chance) | {
            "name": f"{street.name} {along + 1}",
            "zone": district.zone,
            "lighting_class": classes[which],
            "min_level_pct": str(minima[which]),
            "crossing": _truth(crossing),
            "ring_sign": _truth(quiet and chance.happens(0.4, 1)),
            "cabinet": _cabinet(nth),
            "direct": _truth(street.road == "main" and chance.happens(0.15, 2)),
        }

    def _drain_row(self, nth: int) -> Row:
        district, traits = DISTRICTS[nth % 6], self._traits(DRAIN, nth)
        assert isinstance(traits, DrainTraits)
        chance = self._chance(DRAIN, nth).of("registry")
        hole = nth // 6
        street = district.streets[hole % 6]
        return self._position(nth % 6, hole % 6, 60.0 * (hole // 6) + 15.0, chance) | {
            "name": f"Schacht {street.name} {hole // 6 + 1}",
            "zone": district.zone,
            "sensor_height_m": f"{traits.sensor_height_m:.2f}",
            "blind_zone_m": f"{traits.blind_zone_m:.2f}",
            "crown_m": f"{traits.crown_m:.2f}",
            "sill_m": f"{traits.crown_m * 1.15:.2f}" if chance.happens(0.2, 3) else "",
            "ground_m": f"{traits.ground_m:.2f}",
            "upstream": _asset(DRAIN, nth - 6) if nth >= 6 else "",
            "rain_from": _asset(DRAIN, nth % 6) if nth >= 6 else "",
            "invert_m_nhn": f"{chance.between(82.0, 141.0, 4) - traits.ground_m:.2f}",
        }

    def _bay_row(self, nth: int) -> Row:
        park, place = _bay_place(nth)
        reserved = "disabled" if place % 18 == 2 else "charging" if place % 12 == 9 else ""
        rank, file = divmod(place, 12)
        lat, lon = self._at(park.north_m + 16.0 * rank, park.east_m + 2.7 * file)
        return {
            "name": f"{park.name}, Stellplatz {place + 1}",
            "zone": park.zone,
            "lat": lat,
            "lon": lon,
            "reserved_for": reserved,
        }

    def _zone(self, zone: str, name: str, north_m: float, east_m: float) -> Row:
        lat, lon = self._at(north_m, east_m)
        return _row(asset=zone, kind="zone", name=name, lat=lat, lon=lon)

    def _position(self, district: int, street: int, along_m: float, chance: Chance) -> Row:
        """A place along a street that leaves the district's middle in a direction of its own."""
        bearing = math.radians(60.0 * street + 25.0 * district)
        aside_m = chance.between(-4.0, 4.0, 7)
        north_m = DISTRICTS[district].north_m + along_m * math.cos(bearing) - aside_m * math.sin(bearing)
        east_m = DISTRICTS[district].east_m + along_m * math.sin(bearing) + aside_m * math.cos(bearing)
        lat, lon = self._at(north_m, east_m)
        return {"lat": lat, "lon": lon}

    def _at(self, north_m: float, east_m: float) -> tuple[str, str]:
        lat = self.lat + north_m / _METRES_A_DEGREE
        lon = self.lon + east_m / (_METRES_A_DEGREE * math.cos(math.radians(self.lat)))
        return f"{lat:.6f}", f"{lon:.6f}"


def write_csv(rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> str:
    """The rows as a registry CSV with its header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


_ROADS: dict[Road, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "main": (("M3", "M4"), (50, 40)),
    "collector": (("M5", "P2"), (40, 40)),
    "residential": (("P4", "P5"), (30, 20)),
    "path": (("P6",), (15,)),
}
"""Lighting classes after EN 13201 of a road, and the least light in % that a luminaire there may give."""
_RATED_W: dict[Road, tuple[float, ...]] = {
    "main": (88.0, 104.0),
    "collector": (52.0, 66.0),
    "residential": (24.0, 31.0, 38.0),
    "path": (16.0, 21.0),
}
_PASSERS_PER_H: dict[Road, float] = {"main": 420.0, "collector": 180.0, "residential": 45.0, "path": 12.0}
_CROWNS_M = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def _lamp_traits(chance: Chance, road: Road) -> LampTraits:
    rated = _RATED_W[road]
    return LampTraits(
        chance=chance.of("life"),
        rated_w=rated[chance.whole(len(rated), 1)],
        standby_w=round(chance.between(0.4, 0.9, 2), 2),
        passers_per_h=_PASSERS_PER_H[road] * chance.between(0.6, 1.4, 3),
        astro_offset_s=round(chance.between(-60.0, 60.0, 4)),
    )


def _drain_traits(chance: Chance, nth: int) -> DrainTraits:
    crown_m = _CROWNS_M[chance.whole(len(_CROWNS_M), 1)]
    ground_m = round(crown_m + chance.between(1.1, 2.6, 2), 2)
    return DrainTraits(
        chance=chance.of("life"),
        reports="level_m" if chance.happens(0.45, 3) else "distance_m",
        sensor_height_m=round(ground_m - 0.10, 2),
        blind_zone_m=0.25,
        crown_m=crown_m,
        ground_m=ground_m,
        dry_m=round(crown_m * chance.between(0.08, 0.2, 4), 3),
        full_at_mm=max(3.5, chance.lognormal(13.0, 0.5, 3)),
        catchment=chance.whole(len(RESERVOIR_K_MIN), 6),
        rain_share=chance.between(0.7, 1.3, 7),
        travel_us=int(chance.between(60.0, 900.0, 8) * SECOND_US),
        has_rain_gauge=nth < len(DISTRICTS),
        has_flow_meter=chance.happens(0.3, 9),
    )


@lru_cache(maxsize=64)
def _kind_ranks() -> tuple[tuple[str, int], ...]:
    return tuple((kind, _PATTERN[:place].count(kind)) for place, kind in enumerate(_PATTERN))


def _kind(number: int) -> tuple[str, int]:
    """The kind of the n-th device, and how many of its kind come before it."""
    block, place = divmod(number, len(_PATTERN))
    kind, rank = _kind_ranks()[place]
    return kind, block * _PATTERN.count(kind) + rank


def _street(nth: int) -> int:
    """The street of the n-th lamp within its district: 14 lamps a street, then the next, then round again."""
    return nth // 6 // _LAMPS_A_STREET % 6


def _cabinet(nth: int) -> str:
    """The cabinet that feeds the n-th lamp: one a street, more where the street has more lamps."""
    turn = nth // 6 // (_LAMPS_A_STREET * 6)
    name = places.slug(DISTRICTS[nth % 6].streets[_street(nth)].name)
    return f"KV-{name}" + (f"-{turn + 1}" if turn else "")


@lru_cache(maxsize=100_000)
def _bay_place(nth: int) -> tuple[CarPark, int]:
    """The car park of the n-th bay and its place there."""
    number = first = 0
    while nth >= first + (bays := places.car_park(number).bays):
        first, number = first + bays, number + 1
    return places.car_park(number), nth - first


_NAMES = {LAMP: "lamp", DRAIN: "drain", BAY: "bay"}


def _asset(kind: str, nth: int) -> str:
    return f"{_NAMES[kind]}-{nth + 1:05d}"


def _row(**given: str) -> Row:
    return dict.fromkeys(COLUMNS, "") | given


def _truth(value: bool) -> str:
    return "true" if value else "false"


assert [_PATTERN.count(kind) for kind in (LAMP, DRAIN, BAY)] == [11, 2, 7]
