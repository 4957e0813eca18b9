"""What SensorThings speaks of, before it speaks: each zone or asset with its place and its newest readings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api.moments import rfc3339
from api.standards.shown import label, reserved
from storage.readings import AssetState
from telemetry.availability import ZoneAvailability
from telemetry.kind import Kind
from telemetry.kinds import KINDS
from telemetry.kinds.parking_bay import ParkingBay

NEVER_PUBLIC_KINDS = frozenset({ParkingBay.name})
"""Where a single car stands is nobody's business, whatever settings say."""
NEVER_PUBLIC_FIELDS = frozenset({"motion"})
"""How many people pass under a lamp is nobody's business either."""
ZONE_KIND = "parking_zone"


@dataclass(frozen=True, slots=True)
class Observed:
    """A property that is observed, with its unit's symbol; `kind` is of what."""

    kind: str
    name: str
    words: str
    unit: str

    @property
    def key(self) -> str:
        """Its id."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of a property, true at a moment (RFC 3339)."""

    observed: Observed
    value: float | bool
    at: str


@dataclass(frozen=True, slots=True)
class Source:
    """A zone or an asset. `place` is longitude and latitude; `asset_id` is `None` of what has no history."""

    key: str
    kind: str
    name: str
    properties: dict[str, Any]
    place: tuple[float, float] | None
    readings: tuple[Reading, ...]
    stale: bool
    asset_id: int | None = None

    def reading(self, name: str) -> Reading | None:
        """Its reading of a property of this name."""
        return next((each for each in self.readings if each.observed.name == name), None)


ZONE_COUNTS = {
    "free": "bays last known free and alive",
    "free_min": "bays heard free within one report interval",
    "free_max": "bays free or unknown",
    "occupied": "bays taken",
    "unknown": "bays of which nothing is known now",
    "closed": "bays closed",
}
RESERVED_WORDS = "bays reserved ({}) and free"


def of_zone(zone: ZoneAvailability) -> Source:
    """A parking zone with its counts."""
    counts = {name: (getattr(zone, name), words) for name, words in ZONE_COUNTS.items()}
    for whom, bays in reserved(zone):
        counts[f"free_{whom.ours}"] = (bays.free, RESERVED_WORDS.format(whom.ours))
    told = ("capacity", "status", "trend", "stale", "verified_at")
    return Source(
        key=f"zone:{zone.zone}",
        kind=ZONE_KIND,
        name=label(zone.name, zone.zone),
        properties={"kind": ZONE_KIND, "zone": zone.zone} | {name: getattr(zone, name) for name in told},
        place=_place(zone.lat, zone.lon),
        readings=tuple(
            Reading(Observed(ZONE_KIND, name, words, "1"), count, zone.updated_at)
            for name, (count, words) in counts.items()
        ),
        stale=zone.stale,
    )


def of_assets(states: Iterable[AssetState], public_kinds: frozenset[str] | None, *, stale: bool) -> Iterable[Source]:
    """Assets with their latest readings: of these kinds and fit for everybody; `None` means all, for operators."""
    for state in states:
        kind = KINDS.get(state.kind)
        if kind is None or (public_kinds is not None and state.kind not in public_kinds - NEVER_PUBLIC_KINDS):
            continue
        yield _of_asset(state, kind, public=public_kinds is not None, stale=stale)


def _of_asset(state: AssetState, kind: Kind, *, public: bool, stale: bool) -> Source:
    properties: dict[str, Any] = {"kind": state.kind, "zone": state.zone, "online": state.online, "stale": stale}
    if not public:
        properties |= {"device": state.device, "attributes": state.attributes}
    hidden = NEVER_PUBLIC_FIELDS if public else frozenset()
    at = rfc3339(state.observed_at) if state.observed_at else ""
    readings = tuple(
        Reading(Observed(state.kind, each.name, each.measure.words, each.unit), state.latest[each.name], at)
        for each in kind.properties
        if at and each.name not in hidden and state.latest.get(each.name) is not None
    )
    place = _place(state.lat, state.lon)
    name = label(state.name, state.asset)
    return Source(f"asset:{state.asset}", state.kind, name, properties, place, readings, stale, state.asset_id)


def _place(lat: float | None, lon: float | None) -> tuple[float, float] | None:
    return None if lat is None or lon is None else (lon, lat)
