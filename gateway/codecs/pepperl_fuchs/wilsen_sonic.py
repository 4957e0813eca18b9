"""Pepperl+Fuchs WILSEN.sonic.level: ultrasonic distance and filling level.

Source: Pepperl+Fuchs, TDOCT-7056, "WILSEN.sonic.level, Description of the LoRaWAN payload". Port 1. A payload is a
sequence of packages; numbers have their most significant byte first.

    byte 0       bytes that follow in this package
    bytes 1, 2   what it is
    then         0B01 distance, cm (2)           0B06 filling level, % (1)     0201 temperature, float in °C
                 5101 battery, 0.1 V (1)         5001, 5002 latitude and longitude, int32 in 0.000001°
                 2A25 serial number, text (14)   3101, 3102 LoRa and GPS transmissions (2)
                 3103 ultrasonic measurements (4)

A package that the document does not name says its own length: it is kept in hexadecimal. No reading: distance 0 (nearer
than the sensor sees) and 65535 (no echo); latitude and longitude 0 (no position found). The device takes no downlinks.
"""

import math
import struct

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor

PORT = 1
COUNTS = {
    0x0B06: ("fill_level_pct", 1),
    0x3101: ("lora_count", 2),
    0x3102: ("gps_count", 2),
    0x3103: ("ultrasonic_count", 4),
}
"""Plain numbers: name and bytes."""
DISTANCE, TEMPERATURE, BATTERY, LATITUDE, LONGITUDE, SERIAL = 0x0B01, 0x0201, 0x5101, 0x5001, 0x5002, 0x2A25
LENGTHS = {DISTANCE: 2, TEMPERATURE: 4, BATTERY: 1, LATITUDE: 4, LONGITUDE: 4, SERIAL: 14}
SILENT = {0: "too_near", 0xFFFF: "no_echo"}


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a WILSEN.sonic.level."""
    if port not in (None, PORT):
        raise Undecodable(f"port {port}, where {PORT} is expected")
    if not data:
        raise Undecodable("no bytes, where at least one package is expected")
    observation: dict[str, float] = {}
    extra: dict[str, Value] = {}
    silent: dict[str, Value] = {}
    cursor = Cursor(data)
    while cursor.left:
        length = cursor.unsigned()
        if length < 3:
            raise Undecodable(f"a package of {length} bytes, where its number and a value are expected")
        number, value = cursor.unsigned(2), cursor.take(length - 2)
        wanted = COUNTS[number][1] if number in COUNTS else LENGTHS.get(number, len(value))
        if len(value) != wanted:
            raise Undecodable(f"package {number:04X} has {len(value)} bytes, where {wanted} are expected")
        _take(number, value, observation, extra, silent)
    return Reading(observation, extra | {"no_reading": silent} if silent else extra)


def _take(
    number: int, value: bytes, observation: dict[str, float], extra: dict[str, Value], silent: dict[str, Value]
) -> None:
    whole = int.from_bytes(value)
    match number:
        case 0x0B01 if whole in SILENT:
            silent["distance_m"] = SILENT[whole]
        case 0x0B01:
            observation["distance_m"] = whole / 100
        case 0x0201:
            celsius = struct.unpack(">f", value)[0]
            if math.isfinite(celsius):
                observation["temp_c"] = round(celsius, 4)
            else:
                silent["temp_c"] = "no_number"
        case 0x5101:
            extra["battery_v"] = whole / 10
        case 0x5001 | 0x5002:
            name = "latitude_deg" if number == LATITUDE else "longitude_deg"
            if whole == 0:
                silent[name] = "no_position"
            else:
                extra[name] = int.from_bytes(value, signed=True) / 1_000_000
        case 0x2A25:
            extra["serial"] = value.decode("ascii", "backslashreplace").strip("\0 ")
        case _ if number in COUNTS:
            extra[COUNTS[number][0]] = whole
        case _:
            extra[f"package_{number:04x}_hex"] = value.hex()


CODECS = (
    Codec(
        models=("pepperl-fuchs/wilsen-sonic",),
        kind="drain_level",
        words="Pepperl+Fuchs WILSEN.sonic.level",
        fields=("distance_m", "temp_c"),
        decode=decode,
    ),
)
