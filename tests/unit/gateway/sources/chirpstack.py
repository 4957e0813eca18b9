"""Vectors of ChirpStack's device profiles: `{"data", "warnings", "errors"}`."""

from typing import Any

from tests.unit.gateway.sources import decentlab
from tests.unit.gateway.sources.mapping import Entry, To

ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    **decentlab.OF_THE_CODEC,
    "dragino__ldds75": {
        "Bat": To("battery_v"),
        "Distance": To("distance_m", 0.001),
        "Interrupt_flag": To("interrupt"),
        "TempC_DS18B20": To("probe_temperature_c"),
        "Sensor_flag": To("sensor_present"),
    },
    "milesight__em300-sld-zld": {
        "battery": To("battery_pct"),
        "temperature": To("temp_c"),
        "humidity": To("humidity_pct"),
        "leakage_status": To("leak", words={"normal": False, "leak": True}),
        "history.*.timestamp": To("history.*.at_unix_s"),
        "history.*.temperature": To("history.*.temp_c"),
        "history.*.humidity": To("history.*.humidity_pct"),
        "history.*.leakage_status": To("history.*.leak", words={"normal": False, "leak": True}),
        "report_interval": To("report_interval_s"),
    },
}


def values(vector: dict[str, Any]) -> Any:
    """Their values of an uplink or of a downlink's bytes."""
    return vector["expected"].get("data", {})
