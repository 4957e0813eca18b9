"""The parking zones in the words of others: ParkAPI, DATEX II, NGSI-LD and SensorThings, all from one model.

A `Rendering` makes a document of the zones as the board shows them; the board keeps it until the zones change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from api.standards import datex, datex_xml, ngsi_ld, parkapi
from api.standards.shown import Shown

__all__ = ["OPEN_PATHS", "RENDERINGS", "Rendering", "Shown"]

OPEN_PATHS = ("/public/", "/api/public/", "/v1.1")
"""Where paths begin that any page of anybody may read, as it may the residents' page at `/`."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a document comes to be; `render` gives its bytes."""

    media_type: str
    render: Callable[[Shown], bytes]


RENDERINGS = MappingProxyType(
    {
        parkapi.SITES_PATH: Rendering("application/json", parkapi.sites),
        datex.PATH: Rendering("application/json", datex.light),
        datex_xml.PATH: Rendering("application/xml", datex_xml.publication),
        ngsi_ld.PATH: Rendering("application/ld+json", ngsi_ld.entities),
    }
)
"""Every document of all zones in somebody else's words, by its path."""
