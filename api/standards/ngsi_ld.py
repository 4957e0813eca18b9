"""The zones as NGSI-LD entities of the Smart Data Models (dataModel.Parking), in the simplified form.

A zone is an `OnStreetParking`; its bays reserved for somebody are a `ParkingGroup` of it.
"""

from typing import Any

import msgspec

from api.standards.shown import Shown, label, reserved
from api.standards.vocabulary import ZONE, Audience
from telemetry.availability import Bays, ZoneAvailability

PATH = "/public/v1/parking.ngsi-ld.json"
CONTEXT = [
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
]


def entities(shown: Shown) -> bytes:
    """All entities; zones without a place are left out, as the models demand one."""
    found: list[dict[str, Any]] = []
    for zone, lat, lon in shown.placed:
        location = {"type": "Point", "coordinates": [lon, lat]}
        groups = [_group(zone, whom, bays, location) for whom, bays in reserved(zone) if bays.capacity]
        found += [_site(zone, location, [str(group["id"]) for group in groups]), *groups]
    return msgspec.json.encode(found)


def _site(zone: ZoneAvailability, location: dict[str, Any], groups: list[str]) -> dict[str, Any]:
    site: dict[str, Any] = {
        "id": _urn(ZONE.ngsi_ld, zone.zone),
        "type": ZONE.ngsi_ld,
        "name": label(zone.name, zone.zone),
        "location": location,
        "category": ["public", *(whom.ngsi_ld for whom, _ in reserved(zone))],
        "allowedVehicleType": ["car"],
        "occupancyDetectionType": ["singleSpaceDetection"],
        "totalSpotNumber": zone.capacity,
        "availableSpotNumber": zone.free,
        "occupiedSpotNumber": zone.occupied,
        "outOfServiceSlotNumber": zone.closed,
        "parkingSiteId": zone.zone,
        "observationDateTime": zone.updated_at,
        "dateModified": zone.updated_at,
        "@context": CONTEXT,
    }
    if groups:
        site["refParkingGroup"] = groups
    return site


def _group(zone: ZoneAvailability, whom: Audience, bays: Bays, location: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _urn("ParkingGroup", f"{zone.zone}:{whom.ours}"),
        "type": "ParkingGroup",
        "name": f"{label(zone.name, zone.zone)} ({whom.ours})",
        "location": location,
        "category": [ZONE.ngsi_ld_group, whom.ngsi_ld_group],
        "allowedVehicleType": "car",
        "occupancyDetectionType": ["singleSpaceDetection"],
        "refParkingSite": _urn(ZONE.ngsi_ld, zone.zone),
        "totalSpotNumber": bays.capacity,
        "availableSpotNumber": bays.free,
        "dateModified": zone.updated_at,
        "@context": CONTEXT,
    }


def _urn(kind: str, name: str) -> str:
    return f"urn:ngsi-ld:{kind}:{name}"
