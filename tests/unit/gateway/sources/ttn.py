"""Vectors of The Things Network's device repository: `{"data", "warnings", "errors"}`."""

from typing import Any

from tests.unit.gateway.sources import decentlab
from tests.unit.gateway.sources.mapping import Entry, To

ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    **decentlab.OF_THE_CODEC,
    "bosch__tps110": {
        "type": To("message", words={"parking status": "parking_status", "startup": "startup"}),
        "occupied": To("occupied"),
        "debugCodes.*": To("debug_codes.*"),
        "firmwareVersion": To("firmware"),
        "resetCause": To("reset_cause", words={"system request": "system_request"}),
    },
    "nwave__nps310sm": {
        "type": To("message"),
        "occupied": To("occupied"),
        "firmware_version": To("firmware"),
        "reset_cause": To("reset_cause"),
    },
    "nwave__nps405": {
        "type": To("message", read=lambda word: word.removeprefix("user_")),
        "occupied": To("occupied"),
        "previous_state_duration": To("previous_state_min"),
        "previous_state_duration_error": To("previous_state_error_min"),
        "previous_state_duration_overflow": To("previous_state_overflow"),
        "tag_id": To("tag"),
        "firmware_version": To("firmware"),
        "reset_cause": To("reset_cause"),
    },
}


def values(vector: dict[str, Any]) -> Any:
    """Their values of an uplink or of a downlink's bytes."""
    return vector["expected"].get("data", {})
