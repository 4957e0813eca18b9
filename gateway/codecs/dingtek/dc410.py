"""Dingtek DC410 (and DC413): ultrasonic level sensor under a manhole's cover.

Source: Dingtek, published codecs of DC410 and DC413. Port 3 both ways; words have their most significant byte first.
The codecs read the temperature without a sign; a sensor in the frost needs one, and none reaches 128 °C.

    byte 0           0x80
    bytes 1, 2       forced bit, type of the device
    byte 3           1 alarm, 2 heartbeat, 3 parameters
    byte 4           length of all
    type 1 or 2      5, 6 distance to the water, mm; 7 whether a position follows, then 4 longitude and 4 latitude
                     (float, least significant byte first); temperature, int8 in °C; sign of the angle in the low 4
                     bits; angle, °; full in the high 4 bits; moved in the high and battery low in the low 4 bits;
                     2 counter; 1 reserved
    type 3           5, 6 firmware; 7 upload, h; 8 detection, min; 9 full threshold, cm; 10 unused; 11 tilt threshold;
                     12 tilt alarm on; 13 range (0 is 2 m, else 5 m); others unused
    last byte        0x81

A distance of 0 or 65535 is none (no echo). "Full" is the device's word for: nearer than the threshold.

Downlinks are text, hexadecimal digits in ASCII: `80029999`, 2 digits of a key, 2 of its value, `81`. Keys: 01 upload (1
to 168 h), 02 full threshold (15 to 255 cm), 04 tilt threshold (15 to 90°), 08 detection (1 to 60 min), 09 switch: 07
range 2 m, 13 range 5 m, 09 tilt alarm off, 0A on.
"""

import math
import re
import struct
from collections.abc import Mapping
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor, exactly

PORT = 3
BEGIN, END = 0x80, 0x81
ALARM, HEARTBEAT, PARAMETERS = 1, 2, 3
SHORT_BYTES, LONG_BYTES = 17, 25
SETTINGS = {
    "periodic_upload_interval": (0x01, 1, 168),
    "full_alarm_threshold": (0x02, 15, 255),
    "motion_alarm_threshold": (0x04, 15, 90),
    "periodic_detection_interval": (0x08, 1, 60),
}
"""By name: key, least and greatest value."""
SWITCH = 0x09
SWITCHES: dict[tuple[str, Any], int] = {
    ("ultrasonic_range", 2): 0x07,
    ("ultrasonic_range", 5): 0x13,
    ("motion_alarm_enable", False): 0x09,
    ("motion_alarm_enable", True): 0x0A,
}
DOWNLINK = re.compile(rb"80029999([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})81")


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a DC410."""
    if port not in (None, PORT):
        raise Undecodable(f"port {port}, where {PORT} is expected")
    exactly(data, SHORT_BYTES, LONG_BYTES)
    if data[0] != BEGIN or data[-1] != END:
        raise Undecodable(f"begins with {data[0]:#04x} and ends with {data[-1]:#04x}, where 0x80 and 0x81 are expected")
    if data[4] != len(data):
        raise Undecodable(f"says {data[4]} bytes and has {len(data)}")
    kind = data[3]
    if kind in (ALARM, HEARTBEAT):
        return _measurement(data)
    if kind == PARAMETERS and len(data) == LONG_BYTES:
        return _parameters(data)
    raise Undecodable(f"type {kind} in {len(data)} bytes is none of 1 alarm, 2 heartbeat and 3 parameters")


def _measurement(data: bytes) -> Reading:
    cursor = Cursor(data[5:])
    extra: dict[str, Value] = {"message": "alarm" if data[3] == ALARM else "heartbeat"}
    observation: dict[str, float] = {}
    millimetres, position = cursor.unsigned(2), cursor.unsigned()
    if bool(position) != (len(data) == LONG_BYTES):
        raise Undecodable(f"says {position} about a position, which {len(data)} bytes do not fit")
    if millimetres in (0, 0xFFFF):
        extra["no_reading"] = {"distance_m": "no_echo"}
    else:
        observation["distance_m"] = millimetres / 1_000
    if position:
        extra |= _position(cursor.take(8))
    observation["temp_c"] = float(cursor.signed())
    downward, angle = cursor.unsigned() & 0x0F, cursor.unsigned()
    extra["tilt_deg"] = -angle if downward else angle
    extra["full"] = bool(cursor.unsigned() >> 4)
    alarms = cursor.unsigned()
    extra |= {"moved": bool(alarms >> 4), "battery_low": bool(alarms & 0x0F), "counter": cursor.unsigned(2)}
    return Reading(observation, extra)


def _position(data: bytes) -> dict[str, Value]:
    longitude, latitude = struct.unpack("<ff", data)
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return {}
    return {"longitude_deg": round(longitude, 6), "latitude_deg": round(latitude, 6)}


def _parameters(data: bytes) -> Reading:
    return Reading(
        {},
        {
            "message": "parameters",
            "firmware": f"{data[5]}.{data[6]}",
            "periodic_upload_interval_h": data[7],
            "periodic_detection_interval_min": data[8],
            "full_alarm_threshold_cm": data[9],
            "motion_alarm_threshold_deg": data[11],
            "motion_alarm_enable": bool(data[12]),
            "ultrasonic_range_m": 5 if data[13] else 2,
        },
    )


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """One of the maker's settings, or `{"report_every_s": whole hours from 3600 to 604800}`."""
    if len(wanted) != 1:
        raise Unencodable(f"a downlink sets one of {', '.join(DOWNLINKS)}")
    name, value = next(iter(wanted.items()))
    if name == "report_every_s":
        if type(value) is not int or value % 3_600:
            raise Unencodable("report_every_s is whole hours, 3600 to 604800")
        name, value = "periodic_upload_interval", value // 3_600
    if name in SETTINGS:
        key, low, high = SETTINGS[name]
        if type(value) is not int or not low <= value <= high:
            raise Unencodable(f"{name} is a whole number from {low} to {high}")
        return _text(key, value)
    if type(value) in (int, bool) and (name, value) in SWITCHES:
        return _text(SWITCH, SWITCHES[name, value])
    raise Unencodable(f"a downlink sets one of {', '.join(DOWNLINKS)} (range 2 or 5, alarm true or false)")


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink sets."""
    if port not in (None, PORT):
        raise Undecodable(f"port {port}, where {PORT} is expected")
    match = DOWNLINK.fullmatch(data)
    if match is None:
        raise Undecodable("no text of 80029999, key, value and 81")
    key, value = (int(digits, 16) for digits in match.groups())
    for name, (code, low, high) in SETTINGS.items():
        if key == code and low <= value <= high:
            return {name: value}
    for (name, setting), code in SWITCHES.items():
        if key == SWITCH and value == code:
            return {name: setting}
    raise Undecodable(f"key {key:#04x} with value {value:#04x} is none that is documented")


def _text(key: int, value: int) -> Downlink:
    return Downlink(PORT, f"80029999{key:02X}{value:02X}81".encode())


DOWNLINKS = ("report_every_s", *SETTINGS, "ultrasonic_range", "motion_alarm_enable")
CODECS = (
    Codec(
        models=("dingtek/dc410", "dingtek/dc413"),
        kind="drain_level",
        words="Dingtek DC410, DC413 manhole level",
        fields=("distance_m", "temp_c"),
        decode=decode,
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=DOWNLINKS,
    ),
)
