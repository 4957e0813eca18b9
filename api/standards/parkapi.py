"""Sites and spots as ParkAPI v3 has them (github.com/ParkenDD).

A list is at once the body that ParkAPI's push converters accept: its items bear `uid` beside ParkAPI's own
`original_uid`. A zone is a site on the street, a bay is a spot. A spot says what it is now and not since when: the time
beside its state is that of the whole list.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import msgspec

from api.standards.shown import Shown, capacity, label, reserved
from api.standards.vocabulary import AUDIENCES, CLOSED_PARKAPI, ZONE
from storage.parking import Spot
from telemetry.availability import ZoneAvailability
from telemetry.clock import to_rfc3339

SITES_PATH = "/api/public/v3/parking-sites"
SPOTS_PATH = "/api/public/v3/parking-spots"
SOURCE_ID = 1
"""All comes from one source, ourselves."""
NUMBER_MAX = 2**48 - 1
"""The largest `id`, which every JSON parser keeps."""


def number(name: str) -> int:
    """The whole number that ParkAPI wants for a name: always the same, at most `NUMBER_MAX`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def sites(shown: Shown) -> bytes:
    """The zones as sites, in the order of their ids; those without a place are left out: ParkAPI has no room."""
    items = [_site(zone, lat, lon, shown.publisher) for zone, lat, lon in shown.placed]
    items.sort(key=itemgetter("id"))
    return msgspec.json.encode({"items": items, "total_count": len(items)})


def spots(found: Iterable[Spot], updated_at: str, *, stale: bool) -> dict[str, Any]:
    """Bays as spots, in the order of their ids.

    `updated_at` is the moment for which all states hold, RFC 3339; `stale`: that was long ago.
    """
    items = sorted((_spot(spot, updated_at) for spot in found), key=lambda item: int(item["id"]))
    return {"items": items, "total_count": len(items), "stale": stale}


def page(path: str, whole: dict[str, Any], start: int, limit: int) -> dict[str, Any]:
    """Up to `limit` of a whole list, which is in the order of ids, from the id `start` on, and where the next begins.

    By ids, as ParkAPI has it, so that none is left out or told twice when others come or go meanwhile.
    """
    items = whole["items"]
    begin = bisect_left(items, start, key=itemgetter("id"))
    part = whole | {"items": items[begin : begin + limit]}
    if begin + limit < len(items):
        next_id = items[begin + limit - 1]["id"] + 1
        part |= {"next_id": next_id, "next_path": f"{path}?start={next_id}&limit={limit}"}
    return part


def _site(zone: ZoneAvailability, lat: float, lon: float, publisher: str) -> dict[str, Any]:
    kept = reserved(zone)
    site: dict[str, Any] = {
        "id": number(zone.zone),
        "source_id": SOURCE_ID,
        "uid": zone.zone,
        "original_uid": zone.zone,
        "name": label(zone.name, zone.zone),
        "type": ZONE.parkapi,
        "purpose": "CAR",
        "lat": lat,
        "lon": lon,
        "capacity": capacity(zone),
        "has_realtime_data": True,
        "static_data_updated_at": zone.registry_changed_at or zone.updated_at,
        "realtime_data_updated_at": zone.updated_at,
        "realtime_opening_status": "CLOSED" if zone.status == "closed" else "OPEN",
        "realtime_capacity": zone.capacity,
        "realtime_free_capacity": zone.free,
        "restricted_to": [{"type": whom.parkapi} for whom, _ in kept],
        "stale": zone.stale,
    }
    if publisher:
        site["operator_name"] = publisher
    for whom, bays in kept:
        name = whom.parkapi.lower()
        site[f"capacity_{name}"] = bays.capacity + bays.closed
        site[f"realtime_capacity_{name}"] = bays.capacity
        site[f"realtime_free_capacity_{name}"] = bays.free
    return site


def _spot(spot: Spot, updated_at: str) -> dict[str, Any]:
    audience = AUDIENCES.get(spot.reserved_for or "")
    audiences = [audience.parkapi] if audience else []
    if spot.closed:
        audiences.append(CLOSED_PARKAPI)
    unknown = spot.occupied is None or not spot.online or spot.closed
    return {
        "id": number(spot.asset),
        "source_id": SOURCE_ID,
        "uid": spot.asset,
        "original_uid": spot.asset,
        "name": label(spot.name, spot.asset),
        "type": ZONE.parkapi,
        "purpose": "CAR",
        "lat": spot.lat,
        "lon": spot.lon,
        "has_realtime_data": True,
        "static_data_updated_at": to_rfc3339(spot.changed_us),
        "realtime_data_updated_at": updated_at,
        "realtime_status": "UNKNOWN" if unknown else "TAKEN" if spot.occupied else "AVAILABLE",
        "restricted_to": [{"type": audience} for audience in audiences],
        "parking_site_uid": spot.zone,
    }
