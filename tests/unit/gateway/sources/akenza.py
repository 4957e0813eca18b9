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
MILESIGHT: dict[str, Entry] = {
    "lifecycle.batteryLevel": To("battery_pct"),
    "default.distance": To("distance_m", 0.001),
    "default.temperature": To("temp_c"),
    "default.humidity": To("humidity_pct"),
    "default.waterLeak": To("leak"),
    "default.tilt": To("tilted"),
    "default.light": To("lux"),
    "default.pressure": To("pressure_kpa"),
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
    "milesight__em300-mld": MILESIGHT | {"default.leakage": To("leak")},
    "milesight__em300-sld": MILESIGHT,
    "milesight__em300-zld": MILESIGHT,
    "milesight__em310-udl": MILESIGHT,
    "milesight__em320-tilt": {
        "lifecycle.batteryLevel": To("battery_pct"),
        **{f"default.{axis}Angle": To(f"angle_{axis}_deg") for axis in "xyz"},
        **{f"default.{axis}ThresholdReached": To(f"threshold_{axis}_reached") for axis in "xyz"},
    },
    "milesight__em400-udl": MILESIGHT,
    "milesight__em500-lgt": MILESIGHT,
    "milesight__em500-pp": MILESIGHT,
    "milesight__em500-udl": MILESIGHT,
    "pni__placepod": OCCUPANCY,
}


def values(vector: dict[str, Any]) -> Any:
    """Their values, by topic."""
    return {each["topic"]: each["data"] for each in vector["normalized"]}
