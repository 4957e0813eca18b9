"""Vectors of akenza's device type library: a list of `{"topic", "data"}`; a value's path is `topic.name`."""

from typing import Any

from tests.unit.gateway.sources import decentlab
from tests.unit.gateway.sources.mapping import Entry, To

NEEDS_STATE = "needs the messages before"
OCCUPANCY: dict[str, Entry] = {
    "occupancy.occupied": To("occupied"),
    "occupancy.occupancy": To("occupied"),
    "occupancy.occupancyStatus": NEEDS_STATE,
    "occupancy.occupiedOrWarm": NEEDS_STATE,
    "occupancy.minutesSinceLastOccupied": NEEDS_STATE,
    "occupancy.occupiedMinutes": NEEDS_STATE,
    "occupancy.warm": NEEDS_STATE,
}
ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    **decentlab.OF_AKENZA,
    "bosch__tps110": {
        **OCCUPANCY,
        "start_up.debug": To("debug_hex", read=str.lower),
        "start_up.fwVersion": To("firmware"),
        "start_up.resetCause": To("reset_cause", words={"SYSTEM_REQUEST_RESET": "system_request"}),
    },
    "pni__placepod": OCCUPANCY,
}


def values(vector: dict[str, Any]) -> Any:
    """Their values, by topic."""
    return {each["topic"]: each["data"] for each in vector["normalized"]}
