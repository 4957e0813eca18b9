"""Ellenex PLS2-L: submersible level sensor.

Source: Ellenex, published driver of PLS2-L with its guide. Uplinks have 8 bytes on port 15 (later devices: port 1);
words have their most significant byte first. The driver gives the level without a unit, and an example of it says "214
m", which is deeper than the sensor goes; integrators read millimetres, and so do we. Compare one with a dipstick.

    bytes 0, 1   serial number of the board
    byte 2       type of the payload
    bytes 3, 4   height of the water above the sensor, int16 in mm
    bytes 5, 6   a second reading, which this model does not use
    byte 7       battery, 0.1 V

Downlinks, port 5: 10, unit (0 s, 1 min) and 2 bytes, the time between measurements (60 s at least); 07 and 1 or 0,
confirmed uplinks; FF 00, reset; 16 and 2 bytes, uplinks after which it resets itself (0: never).
"""

from collections.abc import Mapping
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor, exactly

UPLINK_PORTS = (1, 15)
PORT = 5
UNITS = ("second", "minute")
TIME_MIN = {"second": 60, "minute": 1}
WORD_MAX = 0xFFFF
INTERVAL, CONFIRMED, RESET, AUTO_RESET = 0x10, 0x07, 0xFF, 0x16


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a PLS2-L."""
    if port is not None and port not in UPLINK_PORTS:
        raise Undecodable(f"port {port} is none of 1 and 15")
    exactly(data, 8)
    cursor = Cursor(data)
    extra: dict[str, Value] = {"serial": cursor.take(2).hex(), "payload_type": cursor.unsigned()}
    level_m = cursor.signed(2) / 1_000
    return Reading(
        {"level_m": level_m}, extra | {"second_reading_raw": cursor.signed(2), "battery_v": cursor.unsigned() / 10}
    )


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """The maker's `{"command": 1 to 4, "data": {…}}`, or `{"report_every_s": 60 or more}`."""
    match dict(wanted):
        case {"report_every_s": seconds, **rest} if not rest:
            if type(seconds) is int and seconds > WORD_MAX and seconds % 60 == 0:
                return _interval({"unit": "minute", "time": seconds // 60})
            return _interval({"unit": "second", "time": seconds})
        case {"command": int(command), "data": dict(data), **rest} if not rest and not isinstance(command, bool):
            if command in COMMANDS:
                return COMMANDS[command](data)
    raise Unencodable("a downlink is report_every_s (seconds), or a command from 1 to 4 with its data")


def _interval(data: Mapping[str, Any]) -> Downlink:
    unit, time = data.get("unit"), data.get("time")
    if not isinstance(unit, str) or unit not in UNITS:
        raise Unencodable("unit is either minute or second")
    if type(time) is not int or not TIME_MIN[unit] <= time <= WORD_MAX:
        raise Unencodable(f"time is a whole number from {TIME_MIN[unit]} to {WORD_MAX} {unit}s")
    return Downlink(PORT, bytes([INTERVAL, UNITS.index(unit)]) + time.to_bytes(2))


def _confirmation(data: Mapping[str, Any]) -> Downlink:
    if not isinstance(data.get("confirmation"), bool):
        raise Unencodable("confirmation is true or false")
    return Downlink(PORT, bytes([CONFIRMED, data["confirmation"]]))


def _reset(data: Mapping[str, Any]) -> Downlink:
    if data.get("reset") is not True:
        raise Unencodable("reset is true")
    return Downlink(PORT, bytes([RESET, 0]))


def _auto_reset(data: Mapping[str, Any]) -> Downlink:
    count = data.get("count")
    if type(count) is not int or not 0 <= count <= WORD_MAX:
        raise Unencodable(f"count is a whole number from 0 to {WORD_MAX}")
    return Downlink(PORT, bytes([AUTO_RESET]) + count.to_bytes(2))


COMMANDS = {1: _interval, 2: _confirmation, 3: _reset, 4: _auto_reset}


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink commands, as the maker's input."""
    if port not in (None, PORT):
        raise Undecodable(f"port {port}, where {PORT} is expected")
    match data[:1], len(data):
        case b"\x10", 4 if data[1] < len(UNITS):
            unit, time = UNITS[data[1]], int.from_bytes(data[2:])
            if time >= TIME_MIN[unit]:
                return {"command": 1, "data": {"unit": unit, "time": time}}
        case b"\x07", 2 if data[1] <= 1:
            return {"command": 2, "data": {"confirmation": bool(data[1])}}
        case b"\xff", 2 if data[1] == 0:
            return {"command": 3, "data": {"reset": True}}
        case b"\x16", 3:
            return {"command": 4, "data": {"count": int.from_bytes(data[1:])}}
    raise Undecodable(f"{data.hex()[:40]} is no downlink that we know: 10, 07, FF and 16 with their value")


CODECS = (
    Codec(
        models=("ellenex/pls2-l",),
        kind="drain_level",
        words="Ellenex PLS2-L submersible level",
        fields=("level_m",),
        decode=decode,
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=("report_every_s", "command"),
    ),
)
