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
DRAGINO: dict[str, Entry] = {
    "default.distance": To("distance_m", 0.001),
    "default.distance1": To("distance_m", 0.01),
    **{f"default.distance{number}": To(f"distance_{number}_m", 0.01) for number in (2, 3, 4)},
    "default.temperature": To("probe_temperature_c"),
    "default.extTrigger": To("interrupt"),
    "default.interruptFlag": To("interrupt"),
    "default.interruptLevel": To("interrupt_level_high", words={"LOW": False, "HIGH": True}),
    "default.messageType": To("message", words={"NORMAL_UPLINK": "measurement"}),
    "default.sensorFlag": To("sensor_present"),
    "default.pnackMode": To("pnack_mode"),
    "lifecycle.batteryVoltage": To("battery_v"),
    "lifecycle.batteryLevel": "akenza's estimate from the voltage",
    "lifecycle.deviceId": To("imei", read=lambda device: device.removeprefix("f")),
    "lifecycle.version": To("firmware", words={132: "1.3.2"}),
    "lifecycle.signalStrength": To("signal_csq"),
    "lifecycle.mod": To("mode"),
    "lifecycle.interrupt": To("interrupt"),
    "configuration.sensorModel": To("model_code", words={"DDS20-LB": 0x29}),
    "configuration.frequencyBand": To("band"),
    "configuration.subBand": To("sub_band", words={"UNKNOWN": 0}),
    "configuration.firmwareVersion": To("firmware"),
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
    "dragino__ldds04": DRAGINO,
    "dragino__ldds04-lb": DRAGINO,
    "dragino__ldds20-lb": DRAGINO,
    "dragino__ndds20": DRAGINO,
    "dragino__ndds75": DRAGINO,
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
    "mydevices__cayenne": {
        "accelerometer.channel": "in our names",
        **{f"accelerometer.acc{axis}": To(f"channel_6_acceleration_{axis.lower()}_g") for axis in "XYZ"},
        "gps.channel": "in our names",
        **{f"gps.{name}": To(f"channel_1_{name}_deg") for name in ("latitude", "longitude")},
        "gps.altitude": To("channel_1_altitude_m"),
    },
    "pepperl-fuchs__wilsen-sonic": {
        "default.proximity": To("distance_m", 0.01),
        "default.fillinglvlPercent": To("fill_level_pct"),
        "default.temperature": To("temp_c"),
        "lifecycle.batteryVoltage": To("battery_v"),
        "lifecycle.serialNumber": To("serial"),
        "lifecycle.loraCount": To("lora_count"),
        "lifecycle.gpsCount": To("gps_count"),
        "lifecycle.usSensorCount": To("ultrasonic_count"),
        "location.latitude": To("latitude_deg"),
        "location.longitude": To("longitude_deg"),
    },
    "pni__placepod": OCCUPANCY,
}


def values(vector: dict[str, Any]) -> Any:
    """Their values, by topic."""
    return {each["topic"]: each["data"] for each in vector["normalized"]}
