"""What the rules are told and do not decide: assets in columns, thresholds, sun and clock arithmetic, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from rules.calendars import Calendars
from rules.drains.sewer import Sewer
from rules.hours import Hours
from rules.lamps import Lamps
from rules.measures import Measure
from rules.memory import Bools, Codes, Names, Reals, Rows, Times
from rules.opening import Opening
from rules.sun import CIVIL_DEG, Sun, switching_sun
from telemetry.alarms import Alarm, zone_subject
from telemetry.clock import SECOND_US, to_datetime
from telemetry.kinds import KINDS
from telemetry.kinds.drain_level import DrainLevel
from telemetry.kinds.parking_bay import ParkingBay
from telemetry.kinds.streetlight import StreetLight
from telemetry.registry import Asset, Registry, Zone
from telemetry.thresholds import Thresholds

LAMPS, DRAINS, BAYS = StreetLight.name, DrainLevel.name, ParkingBay.name

OPEN_TO_ALL, DISABLED, CHARGING = 0, 1, 2
"""For whom a bay is: codes of `Bays.category`."""
RESERVATIONS: dict[str, int] = {"disabled": DISABLED, "charging": CHARGING}


@dataclass(frozen=True)
class Roll:
    """The assets of one kind in order of their id; every array has shape `(n,)`."""

    kind: str
    assets: tuple[Asset, ...]

    def __len__(self) -> int:
        return len(self.assets)

    @cached_property
    def asset_id(self) -> NDArray[np.int32]:
        """Ids, ascending."""
        return np.array([asset.asset_id for asset in self.assets], np.int32)

    @cached_property
    def interval_us(self) -> Times:
        """How often each reports."""
        return np.array([asset.report_every_s for asset in self.assets], np.int64) * SECOND_US

    @cached_property
    def interval_given(self) -> Bools:
        """Whether that is registered for the asset itself, not only what its kind usually does."""
        return np.array([asset.attributes.report_every_s is not None for asset in self.assets], np.bool_)

    @cached_property
    def device(self) -> Names:
        """The device that serves each, empty where none does."""
        return np.array([asset.device or "" for asset in self.assets], np.object_)

    @cached_property
    def served(self) -> Bools:
        """Whether a device serves each."""
        return np.array([asset.device is not None for asset in self.assets], np.bool_)

    def rows(self, asset_ids: NDArray[Any]) -> Rows:
        """The row of each asset, −1 for one that is not of this roll."""
        if not len(self.assets):
            return np.full(len(asset_ids), -1, np.intp)
        found = np.minimum(np.searchsorted(self.asset_id, asset_ids), len(self.assets) - 1)
        return np.where(self.asset_id[found] == asset_ids, found, -1)

    @cached_property
    def every_row(self) -> Rows:
        """All rows, in order."""
        return np.arange(len(self.assets), dtype=np.intp)


@dataclass(frozen=True)
class Bays:
    """Bays by zone. `zone` `(n,)` indexes `zones`, −1 for a bay without; `members[z]` are the rows of zone z.

    `changed_us` is since when the registry says of each zone and its bays what it says.
    """

    zones: tuple[str, ...]
    zone: NDArray[np.int32]
    category: Codes
    members: tuple[Rows, ...]
    lat: tuple[float | None, ...]
    lon: tuple[float | None, ...]
    names: tuple[str, ...]
    changed_us: tuple[int, ...]


@dataclass(frozen=True)
class City:
    """One version of registry and thresholds, compiled for the rules; immutable. Retired assets are left out.

    `sun` is that of the guards: civil twilight. `zone_refresh_us` is how often a zone's word is repeated though nothing
    changed. Leases are not renewed, and commands not repeated, more often than every `pace_us`, which matters only
    under a very fast clock. `measures` are what operators have ordered for zones.
    """

    registry: Registry
    thresholds: Thresholds
    sun: Sun
    timezone: ZoneInfo
    zone_refresh_us: int = 30 * SECOND_US
    pace_us: int = 0
    measures: tuple[Measure, ...] = ()
    rolls: dict[str, Roll] = field(init=False)
    _figures: dict[tuple[str, str, str], Reals] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[Asset]] = {kind: [] for kind in KINDS}
        for asset in sorted(self.registry.assets.values(), key=lambda asset: asset.asset_id):
            if not asset.retired:
                by_kind[asset.kind].append(asset)
        rolls = {kind: Roll(kind, tuple(assets)) for kind, assets in by_kind.items()}
        object.__setattr__(self, "rolls", rolls)

    def asset(self, asset_id: int) -> Asset | None:
        """The asset of this id, `None` if it is not in service."""
        asset = self.registry.assets.get(asset_id)
        return None if asset is None or asset.retired else asset

    def figures(self, kind: str, section: str, name: str) -> Reals:
        """A figure of the thresholds for each asset of a kind `(n,)`: its own, else its zone's, else everybody's."""
        key = (kind, section, name)
        if key not in self._figures:
            told, roll = self.thresholds, self.rolls[kind]
            figures = np.full(len(roll), float(getattr(getattr(told, section), name)))
            if any(name in own.get(section, {}) for own in (*told.zones.values(), *told.assets.values())):
                figures[:] = [told.figure(section, name, asset.asset, asset.zone) for asset in roll.assets]
            self._figures[key] = figures
        return self._figures[key]

    @cached_property
    def clock(self) -> Sun:
        """The sun by which lamps are switched, where `sun` is that of the guards: civil twilight, without offsets."""
        lighting = self.thresholds.lighting
        offsets_s, below_deg = (lighting.dusk_offset_s, lighting.dawn_offset_s), lighting.sun_below_horizon_deg
        if offsets_s == (0, 0) and below_deg == CIVIL_DEG:
            return self.sun
        return switching_sun(self.sun.lat, self.sun.lon, *offsets_s, below_deg)

    @cached_property
    def lamps(self) -> Lamps:
        """Street lights."""
        figures = partial(self.figures, LAMPS, "lighting")
        assets, numbers = self.rolls[LAMPS].assets, self.zone_number
        return Lamps(assets, self.thresholds, self.clock, self.timezone, numbers, figures)

    @cached_property
    def commands_per_s(self) -> tuple[list[float], float]:
        """How many commands a second may go to each zone, by its number, and to all."""
        of = self.thresholds.figure
        zones = [of("commanding", "zone_commands_per_s", "", zone) for zone in self.zone_number]
        return zones, self.thresholds.commanding.commands_per_s

    @cached_property
    def zone_number(self) -> dict[str | None, int]:
        """A number for each zone that has assets, and one for no zone."""
        named = sorted({asset.zone for roll in self.rolls.values() for asset in roll.assets if asset.zone is not None})
        return {None: 0} | {zone: number for number, zone in enumerate(named, 1)}

    @cached_property
    def sewer(self) -> Sewer:
        """Drains."""
        return Sewer(self.rolls[DRAINS].assets, partial(self.figures, DRAINS))

    @cached_property
    def bays(self) -> Bays:
        """Parking bays by zone."""
        return _bays(self.registry, self.rolls[BAYS])

    @cached_property
    def _zone_by_asset(self) -> dict[str, str | None]:
        return {asset.asset: asset.zone for asset in self.registry.assets.values()}

    def zone_of(self, alarm: Alarm) -> str | None:
        """The zone that an alarm is about, `None` for none."""
        if alarm.asset is not None:
            return self._zone_by_asset.get(alarm.asset)
        zone = alarm.subject.removeprefix(zone_subject(""))
        return zone if zone != alarm.subject else None

    @cached_property
    def opening(self) -> Opening:
        """When parking zones are closed."""
        return Opening(self.thresholds.parking, self.hours, self.measures)

    @cached_property
    def hours(self) -> Hours:
        """From days and times to moments."""
        return Hours(Calendars(self.thresholds.calendars), self.sun, self.timezone)

    def local(self, at_us: int) -> datetime:
        """The town's wall clock."""
        return to_datetime(at_us).astimezone(self.timezone)

    def zones_changed_since(self, registry: Registry) -> set[str]:
        """The zones of which another version of the registry knew other members, or another name or place."""
        bays = [each for each in registry.assets.values() if each.kind == BAYS and not each.retired]
        roll = Roll(BAYS, tuple(sorted(bays, key=lambda bay: bay.asset_id)))
        before, now = _faces(_bays(registry, roll), roll), _faces(self.bays, self.rolls[BAYS])
        return {zone for zone, face in now.items() if before.get(zone) != face}


def _bays(registry: Registry, roll: Roll) -> Bays:
    named = sorted({asset.zone for asset in roll.assets if asset.zone is not None})
    index = {zone: number for number, zone in enumerate(named)}
    zone = np.array([index.get(asset.zone or "", -1) for asset in roll.assets], np.int32)
    reserved = [getattr(asset.attributes, "reserved_for", None) for asset in roll.assets]
    category = np.array([RESERVATIONS.get(each or "", OPEN_TO_ALL) for each in reserved], np.int8)
    members = tuple(np.flatnonzero(zone == number) for number in range(len(named)))
    lat: list[float | None] = []
    lon: list[float | None] = []
    known = [registry.zones.get(name, Zone(name, name)) for name in named]
    for row, rows in zip(known, members, strict=True):
        bays = [roll.assets[each] for each in rows]
        lat.append(_place(row.lat, [bay.lat for bay in bays]))
        lon.append(_place(row.lon, [bay.lon for bay in bays]))
    titles, changed_us = tuple(each.name for each in known), tuple(each.changed_us for each in known)
    return Bays(tuple(named), zone, category, members, tuple(lat), tuple(lon), titles, changed_us)


def _faces(bays: Bays, roll: Roll) -> dict[str, tuple[object, ...]]:
    """What of each zone's word is the registry's."""
    return {
        zone: (
            bays.names[number],
            bays.changed_us[number],
            bays.lat[number],
            bays.lon[number],
            roll.asset_id[bays.members[number]].tobytes(),
            bays.category[bays.members[number]].tobytes(),
            roll.interval_us[bays.members[number]].tobytes(),
        )
        for number, zone in enumerate(bays.zones)
    }


def _place(surveyed: float | None, members: Sequence[float | None]) -> float | None:
    """A zone's own coordinate, else the mean of its bays', else none."""
    if surveyed is not None:
        return surveyed
    known = [each for each in members if each is not None]
    return sum(known) / len(known) if known else None
