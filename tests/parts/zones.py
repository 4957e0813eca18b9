"""Words of parking zones, as rules publish them."""

from typing import Any

from telemetry import availability, topics
from telemetry.availability import Bays, ZoneAvailability


def bays(free: int = 0, occupied: int = 0, unknown: int = 0) -> Bays:
    """Counts that add up, every free bay heard of just now."""
    return Bays(free + occupied + unknown, free, free, free + unknown, occupied, unknown)


def zone(called: str = "market", free: int = 3, occupied: int = 7, unknown: int = 0, **other: Any) -> ZoneAvailability:
    """A zone's word; `other` replaces any member."""
    counts = bays(free, occupied, unknown)
    members: dict[str, Any] = {
        "zone": called,
        "name": called.capitalize(),
        "lat": 51.4363,
        "lon": 7.3352,
        "capacity": counts.capacity,
        "free": counts.free,
        "free_min": counts.free_min,
        "free_max": counts.free_max,
        "occupied": counts.occupied,
        "unknown": counts.unknown,
        "closed": 0,
        "restricted": {},
        "trend": "steady",
        "verified_at": "2026-11-22T20:14:00Z",
        "stale": False,
        "updated_at": "2026-11-22T20:15:00Z",
    }
    return ZoneAvailability(**(members | other))


def message(word: ZoneAvailability) -> tuple[str, bytes]:
    """Topic and payload by which a zone's word is published."""
    return topics.zone_parking(word.zone), availability.encode(word)
