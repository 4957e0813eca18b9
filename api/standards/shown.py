"""What a document of the standards is made of: the zones as the board shows them, and who says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.availability import ZoneAvailability


@dataclass(frozen=True, slots=True)
class Shown:
    """All zones by name, and the moment for which the newest word among them holds (RFC 3339).

    `publisher` is the city's name as settings give it.
    """

    zones: Sequence[ZoneAvailability]
    updated_at: str
    publisher: str

    @property
    def placed(self) -> list[tuple[ZoneAvailability, float, float]]:
        """The zones with a place, each with latitude and longitude; most standards have no room for others."""
        return [(zone, zone.lat, zone.lon) for zone in self.zones if zone.lat is not None and zone.lon is not None]


def label(name: str, otherwise: str) -> str:
    """A name for people, without what no screen shows and no XML may hold; `otherwise` where nothing is left."""
    return "".join(each for each in name if each.isprintable()) or otherwise
