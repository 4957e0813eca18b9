"""Vectors of The Things Network's device repository: `{"data", "warnings", "errors"}`."""

from typing import Any

from tests.unit.gateway.sources import decentlab
from tests.unit.gateway.sources.mapping import Entry, To

DISTANCE_OF_DRAGINO: dict[str, Entry] = {
    "Bat": To("battery_v"),
    "Distance": To("distance_m", 0.001),
    "Interrupt_flag": To("interrupt"),
    "Sensor_flag": To("sensor_present"),
    "TempC_DS18B20": To("probe_temperature_c"),
}
NO_SENSOR = {"No Sensor": "no_sensor"}
ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    **decentlab.OF_THE_CODEC,
    "dingtek__dc410": {
        "level": To("distance_m", 0.001),
        "full": To("full"),
        "motion": To("moved"),
        "battery": To("battery_low"),
        "angle": To("tilt_deg"),
        "temperature": To("temp_c"),
        "frame_counter": To("counter"),
        "periodic_upload_interval": To("periodic_upload_interval_h"),
        "periodic_detection_interval": To("periodic_detection_interval_min"),
        "full_alarm_threshold": To("full_alarm_threshold_cm"),
        "motion_alarm_threshold": To("motion_alarm_threshold_deg"),
        "motion_alarm_enable": To("motion_alarm_enable"),
        "ultrasonic_range": To("ultrasonic_range_m", 0.001),
    },
    "dragino__ldds04": {
        "BatV": To("battery_v"),
        "EXTI_Trigger": To("interrupt", words={"FALSE": False, "TRUE": True}),
        "distance1_cm": To("distance_m", 0.01),
        **{f"distance{number}_cm": To(f"distance_{number}_m", 0.01) for number in (2, 3, 4)},
        "mes_type": To("message", words={1: "measurement", 2: "configuration"}),
    },
    "dragino__ldds20": DISTANCE_OF_DRAGINO | {"distance": To("no_reading.level_m", words=NO_SENSOR)},
    "dragino__ldds75": DISTANCE_OF_DRAGINO | {"distance": To("no_reading.distance_m", words=NO_SENSOR)},
    "ellenex__pls2-l": {"level": To("level_m", 0.001), "batteryVoltage": To("battery_v")},
    "bosch__tps110": {
        "type": To("message", words={"parking status": "parking_status", "startup": "startup"}),
        "occupied": To("occupied"),
        "debugCodes.*": To("debug_codes.*"),
        "firmwareVersion": To("firmware"),
        "resetCause": To("reset_cause", words={"system request": "system_request"}),
    },
    "pepperl-fuchs__wilsen-sonic": {
        "battery_vol": To("battery_v"),
        "fillinglvl": To("fill_level_pct"),
        "payload": "the payload itself",
        "proxx": To("distance_m", 0.01),
        "temp": To("temp_c"),
        "gps_count": To("gps_count"),
        "lora_count": To("lora_count"),
        "serial_nr": To("serial"),
        "us_sensor_count": To("ultrasonic_count"),
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
