"""Vectors of ChirpStack's device profiles: `{"data", "warnings", "errors"}`."""

from typing import Any

from tests.unit.gateway.sources import decentlab
from tests.unit.gateway.sources.mapping import Entry

ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    **decentlab.OF_THE_CODEC,
}


def values(vector: dict[str, Any]) -> Any:
    """Their values of an uplink or of a downlink's bytes."""
    return vector["expected"].get("data", {})
