"""The bodies of requests as models: what is written to us is described and checked by them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.shapes import Moment
from api.wording import NAME, TEXT
from telemetry.guards import REPORT_EVERY_S_MAX, REPORT_EVERY_S_MIN

Words = Annotated[str, StringConstraints(max_length=2_000, pattern=TEXT)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
"""The name of an asset or a zone."""


class Acknowledgement(BaseModel):
    """What an operator says on acknowledging."""

    model_config = ConfigDict(extra="forbid")

    note: Words | None = None


class Shelving(BaseModel):
    """Until when an operator puts an alarm aside, and why."""

    model_config = ConfigDict(extra="forbid")

    until: Moment = Field(description="RFC 3339 with offset, at most 7 days ahead.")
    reason: Words = Field(min_length=1)


def _only(this: str, other: str) -> dict[str, Any]:
    """A schema by which one of two members is given and the other is not."""
    return {"required": [this], "properties": {this: {"type": "string"}, other: {"type": "null"}}}


SETTINGS_SCHEMA = {
    "type": "object",
    "description": "What a device is told; each within what the guards let through.",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "setpoint_pct": {"type": ["number", "null"], "minimum": 0, "maximum": 100, "description": "Of street lights."},
        "report_every_s": {"type": ["integer", "null"], "minimum": REPORT_EVERY_S_MIN, "maximum": REPORT_EVERY_S_MAX},
    },
}
"""Of `set`; `telemetry.guards` checks it."""


class Override(BaseModel):
    """A command by hand for one asset, or for all of a zone for which it means anything."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"oneOf": [_only("asset", "zone"), _only("zone", "asset")]}
    )

    asset: Name | None = None
    zone: Name | None = None
    set: Annotated[
        dict[Literal["setpoint_pct", "report_every_s"], Any], Field(min_length=1), WithJsonSchema(SETTINGS_SCHEMA)
    ]
    expires_at: Moment | None = Field(None, description="RFC 3339 with offset; absent: in an hour.")
    note: Words | None = None


class MeasureOrder(BaseModel):
    """What is to hold for a zone, from now or later, until a moment."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Moment | None = Field(None, description="RFC 3339 with offset; absent: now.")
    expires_at: Moment = Field(description="RFC 3339 with offset.")
    note: Words = ""


class AllOnOrder(BaseModel):
    """Every lamp of a zone to 100 %, until a moment."""

    model_config = ConfigDict(extra="forbid")

    expires_at: Moment | None = Field(None, description="RFC 3339 with offset; absent: in an hour.")
    note: Words | None = None
