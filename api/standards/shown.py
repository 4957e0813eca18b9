"""What a document of the standards is made of: the zones as the board shows them, and who says so."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.standards.vocabulary import AUDIENCES, DATEX_TREND_UNKNOWN, DATEX_TRENDS, Audience
from telemetry.availability import Bays, ZoneAvailability


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


def reserved(zone: ZoneAvailability) -> list[tuple[Audience, Bays]]:
    """The bays that are for somebody alone, by whom they are for; nobody for whom there are none."""
    return [
        (AUDIENCES[whom], bays)
        for whom, bays in zone.restricted.items()
        if whom in AUDIENCES and bays.capacity + bays.closed
    ]


def capacity(zone: ZoneAvailability) -> int:
    """The bays for everybody, with the closed ones among them."""
    return zone.capacity + zone.closed - sum(bays.closed for bays in zone.restricted.values())


def trend(zone: ZoneAvailability) -> str:
    """DATEX II's word for how the occupancy goes."""
    return DATEX_TREND_UNKNOWN if zone.stale else DATEX_TRENDS[zone.trend]


def label(name: str, otherwise: str) -> str:
    """A name for people, without what no screen shows and no XML may hold; `otherwise` where nothing is left."""
    return "".join(each for each in name if each.isprintable()) or otherwise
