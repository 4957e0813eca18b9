"""Vectors of Zenner's element parsers: an object, or a list of readings; `0.1` is the first reading's second part."""

from typing import Any

from tests.unit.gateway.sources.mapping import Entry, To

ANYWHERE: dict[str, Entry] = {}
DOWNLINKS: dict[str, dict[str, Entry]] = {}
FIELDS: dict[str, dict[str, Entry]] = {
    "bosch__tps110": {
        "message_type": To("message"),
        "map_state": To("occupied"),
        "p_state": To("occupied", words={"free": False, "occupied": True}),
        "debug": To("debug_hex", read=str.lower),
        "firmware": To("firmware"),
        "reset_cause": To("reset_cause", words={"power_on_reset": "power_on", "other_reset:4": "other"}),
    },
    "cayenne__lpp": {
        "*.temperature": To("channel_*_temperature_c"),
        "*.humidity": To("channel_*_humidity_pct"),
        "*.illuminance": To("channel_*_illuminance_lux"),
        "*.barometer": To("channel_*_barometer_hpa"),
        "*.digital_input": To("channel_*_digital_in"),
        "*.digital_output": To("channel_*_digital_out"),
        "*.analog_input": To("channel_*_analog_in"),
        "*.analog_output": To("channel_*_analog_out"),
        "*.accelerometer_*": To("channel_*_acceleration_*_g"),
        "*.gyrometer_*": To("channel_*_rotation_*_deg_s"),
        "*.gps_lat": To("channel_*_latitude_deg"),
        "*.gps_lon": To("channel_*_longitude_deg"),
        "*.gps_alt": To("channel_*_altitude_m"),
    },
    "decentlab__dl-mbx": {
        "battery": To("battery_v"),
        "device_id": To("device_id"),
        "distance": To("distance_m", 0.001),
        "samples": To("number_of_valid_samples"),
    },
    "decentlab__dl-pr26": {
        "battery_voltage": To("battery_v"),
        "device_id": To("device_id"),
        "device_type": "the parser's own word",
        "sensor*_flag": "the flags of the header, which say what follows",
        "pressure": To("pressure_bar"),
        "temperature": To("temp_c"),
    },
    "libelium__smart-parking-v3": {
        "parking_slot_status": To("occupied"),
        "parking_slot_status_name": To("occupied", words={"empty": False, "occupied": True}),
        "parking_slot_changed": "follows from the type of the message",
        "battery_state": To("battery_low"),
        "battery_state_name": To("battery_low", words={"good": False, "change": True}),
        "config_up": To("configuration_refused", words={"ack": False, "nack": True}),
        "sensor_recalibration": To("recalibrated"),
        "frame_type": "named by frame_type_name",
        "frame_type_name": To(
            "message",
            words={
                "info": "info",
                "keep_alive": "keep_alive",
                "daily_update": "configuration",
                "error": "error",
                "start1": "start_1",
                "start2": "start_2",
                "service": "service",
                "downlink": "time_request",
                "rssi": "rssi",
            },
        ),
        "frame_counter": To("counter"),
        "sensor_error": To("sensor_error"),
        "temperature": To("temp_c"),
        "firmware_version": To("firmware", read=str),
    },
    "pni__placepod": {
        "parking_status": To("occupied"),
        "parking_status_name": To("occupied", words={"vacant": False, "occupied": True}),
        "vehicle_count": To("vehicles"),
        "battery": To("battery_v"),
        "temperature": To("temp_c"),
        "keep_alive": To("keep_alive"),
        "reboot_response": To("rebooted"),
        "recalibrate_success": To("recalibrated"),
        "deactivate_response": To("deactivated"),
        "unparseable": To("unread_hex", read=str.lower),
    },
}


def values(vector: dict[str, Any]) -> Any:
    """Their values; an Erlang tuple is the list of its parts. Readings of a channel are by the channel's number."""
    plain = _plain(vector["expected"])
    if not vector["id"].startswith("cayenne__lpp#"):
        return plain
    by_channel: dict[str, dict[str, Any]] = {}
    for reading, _ in plain:
        by_channel.setdefault(str(reading.pop("channel")), {}).update(reading)
    return by_channel


def _plain(term: Any) -> Any:
    if isinstance(term, list) and len(term) == 2 and term[0] == "tuple":
        return _plain(term[1])
    if isinstance(term, list):
        return [_plain(each) for each in term]
    return {name: _plain(each) for name, each in term.items()} if isinstance(term, dict) else term
