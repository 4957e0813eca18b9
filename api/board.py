"""The board: every parking zone's newest word in memory, as documents and events ready to send.

Fed with the broker's retained zone topics. A zone's word is stale when it says so itself, when it is older than
`ttl_s`, or while the database is away. Whatever changes a zone gives it a new event id; a stream sends what is newer
than what its client has, so it needs no history and a slow client simply gets the newest state.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from api.changes import Changes
from api.documents import GEOJSON, Document, document
from api.standards import RENDERINGS, Shown
from api.unconfirmed import Unconfirmed
from telemetry import availability, topics
from telemetry.availability import FORECAST_RANGE_PCT, Bays, ZoneAvailability
from telemetry.clock import SECOND_US, Now, to_rfc3339, to_us

PATH = "/public/v1/parking"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A zone as it is shown."""

    zone: ZoneAvailability
    updated_us: int


class Board:
    """All zones, by name."""

    def __init__(
        self, now: Now, *, ttl_s: int = 60, speed: float = 1.0, first_event_id: int = 1, publisher: str = ""
    ) -> None:
        """
        Args:
            now: the city clock.
            ttl_s: after this time without a word a zone is stale; under a fast city clock at least as much real time.
            speed: of the city clock.
            first_event_id: ids of events begin here; above all ids of an earlier process, so that a client which
                reconnects after a restart gets everything.
            publisher: the city's name, for documents that say who publishes them.
        """
        self._now = now
        self._publisher = publisher
        self.ttl_s = ttl_s
        self._stale_after_us = int(ttl_s * max(1.0, speed) * SECOND_US)
        self._words: dict[str, ZoneAvailability] = {}
        self._entries: dict[str, _Entry] = {}
        self.changes = Changes(first_event_id)
        """What streams send: an event `zone` of each zone that changes, an event `gone` of each that is taken away."""
        self._database_away = False
        self._documents: dict[str, Document] | None = None
        self.words_received = 0
        self.words_refused = 0
        self._unconfirmed = Unconfirmed(ttl_s)

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message of a zone topic: its availability, or nothing where the zone was taken away."""
        self.words_received += 1
        name = topics.parse_zone_parking(topic)
        if name is None:
            self.words_refused += 1
        elif not payload:
            self._remove(name)
        else:
            self._take(name, payload)

    def connected(self, now_s: float) -> None:
        """The broker is about to repeat all it retains: what it does not repeat within `ttl_s` was taken away.

        `now_s` is real and monotonic, as in `look`.
        """
        self._unconfirmed.connected(self._words, now_s)

    def look(self, now_s: float, *, database_away: bool = False) -> None:
        """Look at the clocks: zones whose word has grown too old become stale. To be called about once a second."""
        self._database_away = database_away
        for name in self._unconfirmed.taken_away(now_s):
            self._remove(name)
        for word in tuple(self._words.values()):
            self._show(word)

    @property
    def zones(self) -> list[ZoneAvailability]:
        """The zones as shown, by name."""
        return [self._entries[name].zone for name in sorted(self._entries)]

    def zone(self, name: str) -> ZoneAvailability | None:
        """One zone as shown, `None` if there is none of this name."""
        entry = self._entries.get(name)
        return entry.zone if entry else None

    @property
    def documents(self) -> dict[str, Document]:
        """Every public document of our own by its path, serialised at the first asking after a change."""
        if self._documents is None:
            self._documents = self._serialise()
        return self._documents

    def document(self, path: str) -> Document | None:
        """The public document of this path, `None` if there is none; those of the standards are made when asked for."""
        found = self.documents.get(path)
        rendering = RENDERINGS.get(path)
        if found is None and rendering is not None:
            body = rendering.render(Shown(self.zones, self.updated_at(), self._publisher))
            found = self.documents[path] = document(body, rendering.media_type, self.ttl_s)
        return found

    def updated_at(self) -> str:
        """The moment for which the newest word holds; the present where there is no zone."""
        newest = max(self._entries.values(), key=lambda entry: entry.updated_us, default=None)
        return newest.zone.updated_at if newest else to_rfc3339(self._now() // SECOND_US * SECOND_US)

    def _take(self, name: str, payload: bytes) -> None:
        try:
            word = availability.decode(payload)
            Bays(word.capacity, word.free, word.free_min, word.free_max, word.occupied, word.unknown)
            updated_us = _updated_us(word)
        except (msgspec.MsgspecError, ValueError) as error:
            self.words_refused += 1
            _log.warning("zone's word refused", zone=name, error=str(error))
            return
        if word.zone != name:
            self.words_refused += 1
            _log.warning("zone's word refused", zone=name, error=f"it speaks of {word.zone}")
            return
        self._words[name] = word
        self._unconfirmed.heard(name)
        self._show(word, updated_us)

    def _show(self, word: ZoneAvailability, updated_us: int | None = None) -> None:
        shown = self._entries.get(word.zone)
        if updated_us is None:
            updated_us = shown.updated_us if shown else _updated_us(word)
        old = self._now() - updated_us > self._stale_after_us
        zone = msgspec.structs.replace(word, stale=word.stale or old or self._database_away)
        if shown is not None and shown.zone == zone:
            return
        self._entries[zone.zone] = _Entry(zone, updated_us)
        self._documents = None
        self.changes.put(zone.zone, "zone", availability.encode(zone))

    def _remove(self, name: str) -> None:
        self._words.pop(name, None)
        self._unconfirmed.heard(name)
        if self._entries.pop(name, None) is None:
            return
        self._documents = None
        self.changes.drop(name, "gone", msgspec.json.encode({"zone": name}))

    def _serialise(self) -> dict[str, Document]:
        zones, updated_at = self.zones, self.updated_at()
        plain = {"updated_at": updated_at, "ttl_s": self.ttl_s, "zones": zones}
        collection = {
            "type": "FeatureCollection",
            "updated_at": updated_at,
            "ttl_s": self.ttl_s,
            "features": [_feature(zone) for zone in zones],
        }
        found = {f"{PATH}/{zone.zone}": self._json(zone) for zone in zones}
        found |= {f"{PATH}/{zone.zone}/forecast": self._json(self._forecast(zone)) for zone in zones}
        found[PATH] = self._json(plain)
        found[f"{PATH}.geojson"] = self._json(collection, GEOJSON)
        return found

    def _forecast(self, zone: ZoneAvailability) -> dict[str, Any]:
        told = {name: getattr(zone, name) for name in ("zone", "name", "updated_at", "stale", "forecast")}
        return told | {"ttl_s": self.ttl_s, "range_pct": FORECAST_RANGE_PCT}

    def _json(self, content: Any, media_type: str = "application/json") -> Document:
        return document(msgspec.json.encode(content), media_type, self.ttl_s)


def _updated_us(word: ZoneAvailability) -> int:
    moment = dt.datetime.fromisoformat(word.updated_at)
    if moment.tzinfo is None:
        raise ValueError("updated_at has no offset")
    return to_us(moment)


def _feature(zone: ZoneAvailability) -> dict[str, Any]:
    """A zone as GeoJSON (RFC 7946): longitude first, no geometry where its place is not surveyed."""
    properties = msgspec.to_builtins(zone)
    lat, lon = properties.pop("lat"), properties.pop("lon")
    geometry = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "id": zone.zone, "geometry": geometry, "properties": properties}
