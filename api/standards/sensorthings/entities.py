"""The entities of SensorThings and the links between them, made from sources when they are asked for."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from api.documents import GEOJSON
from api.standards.sensorthings.sources import ZONE_KIND, Observed, Reading, Source

SETS = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
)
OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
MOMENT = re.compile(r"(\d{14})(\d{0,6})")
"""How the id of an observation ends: the digits of its moment."""
UCUM = "https://ucum.org/ucum"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a set: its own properties, where it is (a GeoJSON geometry), and where its links lead."""

    set: str
    id: str
    body: dict[str, Any]
    geometry: dict[str, Any] | None
    links: dict[str, Callable[[], Any]]


class Past(Iterable[Entity], Protocol):
    """The observations of a Datastream; walked over, the newest alone."""

    def at(self, moment: dt.datetime) -> Entity | None:
        """The observation of a moment."""


PastOf = Callable[[int, Observed, Entity, Callable[[str, float | bool], Entity]], Past]
"""Makes a past of an asset's id, its property, its newest observation, and what makes an entity of another."""


class World:
    """All entities that somebody may see. Collections come in a fixed order."""

    def __init__(self, sources: Iterable[Source], past_of: PastOf | None = None) -> None:
        """`past_of` reads histories; `None` means that of each Datastream there is the newest observation alone."""
        self._sources = {source.key: source for source in sources}
        self._past_of = past_of

    def all(self, name: str) -> Iterator[Entity]:
        """The entities of a set of `SETS`."""
        return self._makers()[name]()

    def find(self, name: str, key: str) -> Entity | None:
        """One entity of a set by its id."""
        source = self._sources.get(key)
        if name in ("Things", "Locations", "FeaturesOfInterest"):
            if source is None or (source.place is None and name != "Things"):
                return None
            make = {"Things": self._thing, "Locations": self._location, "FeaturesOfInterest": self._feature}
            return make[name](source)
        if name == "Datastreams":
            found = self._reading(key)
            return self._datastream(*found) if found else None
        if name == "Observations":
            stream, _, moment = key.rpartition(":")
            found = self._reading(stream)
            return self._at(*found, moment) if found else None
        return next((each for each in self.all(name) if each.id == key), None)

    def _reading(self, key: str) -> tuple[Source, Reading] | None:
        owner, _, name = key.rpartition(":")
        source = self._sources.get(owner)
        reading = source.reading(name) if source else None
        return (source, reading) if source and reading else None

    def _at(self, source: Source, reading: Reading, digits: str) -> Entity | None:
        """The observation whose moment has these digits."""
        newest = self._observation(source, reading)
        if newest.id.endswith(f":{digits}"):
            return newest
        match, past = MOMENT.fullmatch(digits), self._past(source, reading)
        if match is None or past is None:
            return None
        try:
            moment = dt.datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
        except ValueError:
            return None
        return past.at(moment + dt.timedelta(microseconds=int(f"{match[2]:0<6}")))

    def _past(self, source: Source, reading: Reading) -> Past | None:
        if source.asset_id is None or self._past_of is None:
            return None
        return self._past_of(
            source.asset_id,
            reading.observed,
            self._observation(source, reading),
            lambda at, value: self._observation(source, Reading(reading.observed, value, at)),
        )

    def _makers(self) -> dict[str, Callable[[], Iterator[Entity]]]:
        every = self._sources.values
        return {
            "Things": lambda: (self._thing(source) for source in every()),
            "Locations": lambda: (self._location(source) for source in self._placed()),
            "HistoricalLocations": lambda: iter(()),
            "Datastreams": lambda: self._streams(self._readings()),
            "Sensors": lambda: (self._sensor(kind) for kind in sorted(self._by_kind)),
            "ObservedProperties": lambda: (self._property(each[0][1].observed) for each in self._by_property.values()),
            "Observations": lambda: (self._observation(*each) for each in self._readings()),
            "FeaturesOfInterest": lambda: (self._feature(source) for source in self._placed()),
        }

    def _placed(self) -> Iterator[Source]:
        return (source for source in self._sources.values() if source.place is not None)

    def _readings(self) -> Iterator[tuple[Source, Reading]]:
        return ((source, reading) for source in self._sources.values() for reading in source.readings)

    def _thing(self, source: Source) -> Entity:
        body = {"name": source.name, "description": _described(source), "properties": source.properties}
        links: dict[str, Callable[[], Any]] = {
            "Datastreams": lambda: (self._datastream(source, reading) for reading in source.readings),
            "Locations": lambda: [self._location(source)] if source.place else [],
            "HistoricalLocations": list,
        }
        return Entity("Things", source.key, body, _point(source), links)

    def _location(self, source: Source) -> Entity:
        body = {
            "name": source.name,
            "description": f"Where {source.name} is",
            "encodingType": GEOJSON,
            "location": _point(source),
            "properties": {},
        }
        links: dict[str, Callable[[], Any]] = {"Things": lambda: [self._thing(source)], "HistoricalLocations": list}
        return Entity("Locations", source.key, body, _point(source), links)

    def _feature(self, source: Source) -> Entity:
        body = {
            "name": source.name,
            "description": _described(source),
            "encodingType": GEOJSON,
            "feature": _point(source),
            "properties": {},
        }
        links = {"Observations": lambda: (self._observation(source, reading) for reading in source.readings)}
        return Entity("FeaturesOfInterest", source.key, body, _point(source), links)

    def _datastream(self, source: Source, reading: Reading) -> Entity:
        observed = reading.observed
        body: dict[str, Any] = {
            "name": f"{source.name}: {observed.name}",
            "description": f"{observed.words}, {source.name}",
            "observationType": OM + _observation_type(reading.value),
            "unitOfMeasurement": {"name": observed.unit, "symbol": observed.unit, "definition": UCUM},
            "properties": {"field": observed.name},
        }
        past = self._past(source, reading)
        if past is None:  # of a history nobody counts the beginning, so its span is left out, as the standard allows
            body |= {"phenomenonTime": f"{reading.at}/{reading.at}", "resultTime": f"{reading.at}/{reading.at}"}
        if source.place:
            body["observedArea"] = _point(source)
        links: dict[str, Callable[[], Any]] = {
            "Thing": lambda: self._thing(source),
            "Sensor": lambda: self._sensor(source.kind),
            "ObservedProperty": lambda: self._property(observed),
            "Observations": lambda: [self._observation(source, reading)] if past is None else past,
        }
        return Entity("Datastreams", f"{source.key}:{observed.name}", body, _point(source), links)

    def _observation(self, source: Source, reading: Reading) -> Entity:
        body = {
            "phenomenonTime": reading.at,
            "resultTime": reading.at,
            "result": reading.value,
            "parameters": {"stale": source.stale} if source.asset_id is None else {},
        }
        links: dict[str, Callable[[], Any]] = {
            "Datastream": lambda: self._datastream(source, reading),
            "FeatureOfInterest": lambda: self._feature(source) if source.place else None,
        }
        moment = "".join(each for each in reading.at if each.isdigit())
        key = f"{source.key}:{reading.observed.name}:{moment}"
        return Entity("Observations", key, body, _point(source), links)

    def _sensor(self, kind: str) -> Entity:
        counted = "Counted from the sensors of its bays" if kind == ZONE_KIND else f"What sensors of kind {kind} report"
        body = {
            "name": kind,
            "description": counted,
            "encodingType": "text/plain",
            "metadata": counted,
            "properties": {},
        }
        return Entity("Sensors", kind, body, None, {"Datastreams": lambda: self._streams(self._by_kind[kind])})

    def _streams(self, found: Iterable[tuple[Source, Reading]]) -> Iterator[Entity]:
        return (self._datastream(*each) for each in found)

    @cached_property
    def _by_kind(self) -> dict[str, list[tuple[Source, Reading]]]:
        found: dict[str, list[tuple[Source, Reading]]] = {source.kind: [] for source in self._sources.values()}
        for source, reading in self._readings():
            found[source.kind].append((source, reading))
        return found

    @cached_property
    def _by_property(self) -> dict[str, list[tuple[Source, Reading]]]:
        found: dict[str, list[tuple[Source, Reading]]] = {}
        for source, reading in self._readings():
            found.setdefault(reading.observed.key, []).append((source, reading))
        return found

    def _property(self, observed: Observed) -> Entity:
        body = {
            "name": observed.name,
            "definition": f"urn:lamplighter:property:{observed.key}",
            "description": observed.words,
            "properties": {"kind": observed.kind},
        }
        links = {"Datastreams": lambda: self._streams(self._by_property[observed.key])}
        return Entity("ObservedProperties", observed.key, body, None, links)


def _described(source: Source) -> str:
    return f"{source.kind.replace('_', ' ').capitalize()} {source.key.partition(':')[2]}"


def _point(source: Source) -> dict[str, Any] | None:
    return {"type": "Point", "coordinates": list(source.place)} if source.place else None


def _observation_type(value: float | bool) -> str:
    if isinstance(value, bool):
        return "OM_TruthObservation"
    return "OM_CountObservation" if isinstance(value, int) else "OM_Measurement"
