"""The zones as DATEX II v3 has them: the parking publication light, as JSON."""

from typing import Any

import msgspec

from api.standards.shown import Shown, label, reserved, trend
from api.standards.vocabulary import ZONE
from telemetry.availability import ZoneAvailability

PATH = "/public/v1/parking.datex2.json"


def light(shown: Shown) -> bytes:
    """The publication; zones without a place are left out, as the light publication demands one."""
    return msgspec.json.encode(
        {
            "_version": "3.4",
            "_modelBaseVersion": "3",
            "_profileName": "ParkingPublicationLight",
            "_profileVersion": "3.4",
            "parkingPublicationLight": {
                "name": label(shown.publisher, "Parking"),
                "lang": "de",
                "publicationTime": shown.updated_at,
                "parkingSite": [_site(zone, lat, lon) for zone, lat, lon in shown.placed],
            },
        }
    )


def _site(zone: ZoneAvailability, lat: float, lon: float) -> dict[str, Any]:
    site: dict[str, Any] = {
        "_id": zone.zone,
        "name": label(zone.name, zone.zone),
        "type": ZONE.datex,
        "locationAndDimension": {"coordinatesForDisplay": {"latitude": lat, "longitude": lon}},
        "numberOfSpaces": zone.capacity,
        "availableSpaces": zone.free,
        "occupancyTrend": trend(zone),
        "isOpenNow": zone.status != "closed",
        "temporaryClosed": zone.status == "closed",
        "lastUpdate": zone.updated_at,
    }
    assigned = [
        {"typeOfAssignment": "onlyFor", whom.datex_member: whom.datex, "availableSpaces": bays.free}
        for whom, bays in reserved(zone)
    ]
    if assigned:
        site["assignedFor"] = assigned
    return site
