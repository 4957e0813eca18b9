"""Which zones with a free bay lie nearest to a place."""

import math
from collections.abc import Iterable

from telemetry.availability import ZoneAvailability

EARTH_RADIUS_M = 6_371_008.8
"""The mean radius of WGS 84."""


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """The great-circle distance in metres between two places in degrees (haversine)."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((other_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def nearest(
    zones: Iterable[ZoneAvailability], lat: float, lon: float, limit: int, needs: Iterable[str] = ()
) -> list[tuple[ZoneAvailability, float]]:
    """The zones that have a free bay of every kind needed, nearest first, each with its distance in metres.

    Without `needs` an ordinary bay counts. Zones whose place is not surveyed cannot be near anything.
    """
    wanted = tuple(needs)
    found = [
        (zone, distance_m(lat, lon, zone.lat, zone.lon))
        for zone in zones
        if zone.lat is not None and zone.lon is not None and _has_free(zone, wanted)
    ]
    found.sort(key=lambda pair: (pair[1], pair[0].zone))
    return found[:limit]


def _has_free(zone: ZoneAvailability, needs: tuple[str, ...]) -> bool:
    if not needs:
        return zone.free > 0
    return all(need in zone.restricted and zone.restricted[need].free > 0 for need in needs)
