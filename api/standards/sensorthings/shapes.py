"""What SensorThings answers with, for the description of the API."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Set(BaseModel):
    """A set of entities."""

    name: str
    url: str


class Root(BaseModel):
    """The sets, and what of the standard is kept to."""

    value: list[Set]
    serverSettings: dict[str, Any]


class Found(BaseModel):
    """A collection (`value`), an entity with its own properties and links, or one property."""

    model_config = ConfigDict(extra="allow")

    value: list[dict[str, Any]] | None = None
    id: str | None = Field(None, alias="@iot.id")
    self_link: str | None = Field(None, alias="@iot.selfLink")
    next_link: str | None = Field(None, alias="@iot.nextLink")
    count: int | None = Field(None, alias="@iot.count")
