"""What our words are in the standards', in one place: what a zone is, for whom bays are, and how full a zone gets.

Where two standards have the same list of words under two names, as DATEX II in JSON and in XML, both stand here.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.availability import Trend


class Place(NamedTuple):
    """A kind of place to park at: ParkAPI's `type`, DATEX II's in JSON and in XML, the Smart Data Models' entity.

    `ngsi_ld_group` is the category of a group of bays in it.
    """

    parkapi: str
    datex: str
    datex_xml: str
    ngsi_ld: str
    ngsi_ld_group: str


ZONE: Final = Place("ON_STREET", "onStreet", "onStreetParking", "OnStreetParking", "onStreet")
"""What every zone is, and every bay: the registry knows no other."""


class Audience(NamedTuple):
    """Whom bays are reserved for: our own word, ParkAPI's `restricted_to`, DATEX II's assignment by member and word.

    `ngsi_ld` is the category of a zone that has such bays, `ngsi_ld_group` that of a group of them.
    """

    ours: str
    parkapi: str
    datex_member: str
    datex: str
    ngsi_ld: str
    ngsi_ld_group: str


_AUDIENCES = (
    Audience("disabled", "DISABLED", "user", "disabled", "forDisabled", "onlyDisabled"),
    Audience("charging", "CHARGING", "fuelType", "battery", "forElectricalCharging", "onlyElectricalCharging"),
)
AUDIENCES = MappingProxyType({each.ours: each for each in _AUDIENCES})
"""By what the registry says of a bay."""
CLOSED_PARKAPI = "NO_PARKING"
"""ParkAPI's audience of a bay that is closed."""
DATEX_TRENDS: MappingProxyType[Trend, str] = MappingProxyType(
    {"filling": "increasing", "steady": "stable", "emptying": "decreasing"}
)
DATEX_TREND_UNKNOWN = "unknown"
