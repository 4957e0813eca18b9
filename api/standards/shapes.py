"""The documents of the standards as models: they describe the answers, and tests hold the answers to them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.shapes import Moment


class Restriction(BaseModel):
    """Whom bays are reserved for; `NO_PARKING`: closed."""

    type: Literal["DISABLED", "CHARGING", "NO_PARKING"]


class ParkApiPlace(BaseModel):
    """What a site and a spot have in common; `uid` is for ParkAPI's push converters."""

    model_config = ConfigDict(extra="allow")

    id: int
    source_id: int
    uid: str
    original_uid: str
    name: str
    type: Literal["ON_STREET"]
    purpose: Literal["CAR"]
    lat: float
    lon: float
    has_realtime_data: bool
    static_data_updated_at: Moment = Field(description="When the registry last changed what it says of it.")
    realtime_data_updated_at: Moment
    restricted_to: list[Restriction]


class ParkingSite(ParkApiPlace):
    """A zone as ParkAPI v3 has it; reserved bays are counted in members such as `realtime_free_capacity_disabled`."""

    capacity: int = Field(description="With the closed bays, without the reserved ones.")
    realtime_opening_status: Literal["OPEN", "CLOSED"]
    realtime_capacity: int
    realtime_free_capacity: int
    stale: bool


class ParkApiPage(BaseModel):
    """What every list of ParkAPI has beside its items."""

    total_count: int
    next_id: int | None = Field(None, description="The `start` of the next page, if there is one.")
    next_path: str | None = Field(None, description="Where the next page is, if there is one.")


class ParkingSites(ParkApiPage):
    """The zones that have a place, as ParkAPI v3 has them."""

    items: list[ParkingSite]


class ParkingSpot(ParkApiPlace):
    """A bay as ParkAPI v3 has it; the moment is that of the whole list, not of the bay's last change."""

    realtime_status: Literal["AVAILABLE", "TAKEN", "UNKNOWN"]
    parking_site_uid: str | None


class ParkingSpots(ParkApiPage):
    """The bays that have a place, as ParkAPI v3 has them."""

    items: list[ParkingSpot]
    stale: bool


class LightSite(BaseModel):
    """A zone in the parking publication light."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(alias="_id")
    name: str
    type: Literal["onStreet"]
    locationAndDimension: dict[str, Any]
    numberOfSpaces: int
    availableSpaces: int
    occupancyTrend: Literal["increasing", "stable", "decreasing", "unknown"]
    isOpenNow: bool
    temporaryClosed: bool
    lastUpdate: Moment


class LightPublication(BaseModel):
    """The parking publication light."""

    name: str
    lang: str
    publicationTime: Moment
    parkingSite: list[LightSite]


class Datex(BaseModel):
    """DATEX II v3 around its publication."""

    version: str = Field(alias="_version")
    modelBaseVersion: str = Field(alias="_modelBaseVersion")
    profileName: str = Field(alias="_profileName")
    profileVersion: str = Field(alias="_profileVersion")
    parkingPublicationLight: LightPublication


class NgsiLdEntity(BaseModel):
    """An entity of the Smart Data Models in the simplified form."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: Literal["OnStreetParking", "ParkingGroup"]
    location: dict[str, Any]
    context: list[str] = Field(alias="@context")
