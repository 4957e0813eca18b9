"""Bosch TPS110, the parking lot sensor (PLS): radar and magnetometer under a disc on the bay.

Sources: Bosch Connected Devices and Solutions, "Parking Lot Sensor, Communication Interface, Technical Description",
rev. 3 for firmware 0.23.3 and rev. 1 for firmware 0.29.4. The port says what a message is.

    port 1  parking status   1 byte         bit 0: 0 free, 1 occupied; bits 7 to 1 reserved, 0
    port 2  heartbeat        1 or 2 bytes   as port 1; then, where switched on, the temperature, int8 in °C
    port 3  startup          17 bytes       0 to 11 debug; 12 to 14 firmware major, minor, patch; 15 cause of the reset;
                                            16 as port 1
    port 4  device information              3 bytes firmware, or 11 bytes the device's name
    port 5  device usage                    byte 0 which figure (0 to 6), then the figure
    port 6  debug            10 bytes       0 to 3 seconds since the start, 4 and 5 code (12 bits), 8 and 9 sequence
    port 7  temperature alert 1 byte        temperature, int8 in °C

Debug words are little-endian. Up to firmware 0.29 the startup holds three of them with a code in the low 12 bits (0:
none); later firmware puts another structure there, which is kept as it is. A cause of 4 is "other" up to firmware 0.29
and the external pin later. Ports 4 to 7 exist from firmware 0.29 on.

Downlinks: port 51, 1 byte, 0 parking status confirmed, 1 unconfirmed; port 52, 1 byte, data rate DR0 to DR5.
"""

from collections.abc import Mapping
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor, exactly

CAUSES = {1: "watchdog", 2: "power_on", 3: "system_request", 4: "external_pin", 5: "lockup", 6: "brown_out", 7: "other"}
CAUSES_EARLY = {1: "watchdog", 2: "power_on", 3: "system_request", 4: "other"}
LATER = (0, 30, 0)
"""The first firmware whose startup is laid out anew."""
USAGES = (
    "status_changes",
    "occupied_time",
    "uplinks",
    "radar_triggers",
    "time_since_restart",
    "resets",
    "time_since_installation",
)
CONFIRMED, DATA_RATE = 51, 52
DATA_RATE_MAX = 5


def _occupied(byte: int) -> bool:
    if byte > 1:
        raise Undecodable(f"the parking status is {byte:#04x}, where only 0x00 and 0x01 are defined")
    return byte == 1


def _status(data: bytes) -> Reading:
    exactly(data, 1)
    return Reading({"occupied": _occupied(data[0])}, {"message": "parking_status"})


def _heartbeat(data: bytes) -> Reading:
    exactly(data, 1, 2)
    cursor = Cursor(data)
    observation: dict[str, float | bool] = {"occupied": _occupied(cursor.unsigned())}
    if cursor.left:
        observation["temp_c"] = float(cursor.signed())
    return Reading(observation, {"message": "heartbeat"})


def _startup(data: bytes) -> Reading:
    exactly(data, 17)
    firmware, cause = tuple(data[12:15]), data[15]
    early = firmware < LATER
    extra: dict[str, Value] = {
        "message": "startup",
        "firmware": ".".join(map(str, firmware)),
        "reset_cause": (CAUSES_EARLY if early else CAUSES).get(cause, "unknown"),
        "reset_cause_code": cause,
        "debug_hex": data[:12].hex(),
    }
    if early:
        codes = (int.from_bytes(data[at : at + 2], "little") & 0xFFF for at in (0, 4, 8))
        extra["debug_codes"] = [code for code in codes if code]
    return Reading({"occupied": _occupied(data[16])}, extra)


def _information(data: bytes) -> Reading:
    exactly(data, 3, 11)
    if len(data) == 3:
        return Reading({}, {"message": "device_information", "firmware": ".".join(map(str, data))})
    return Reading({}, {"message": "device_information", "name_hex": data.hex()})


def _usage(data: bytes) -> Reading:
    which = Cursor(data).unsigned()
    if which >= len(USAGES):
        raise Undecodable(f"usage figure {which} is none of 0 to {len(USAGES) - 1}")
    name = USAGES[which]
    exactly(data, {"uplinks": 19, "resets": 8}.get(name, 5))
    return Reading({}, {"message": "device_usage", "usage": name, "usage_hex": data[1:].hex()})


def _debug(data: bytes) -> Reading:
    exactly(data, 10)
    cursor = Cursor(data)
    extra: dict[str, Value] = {"message": "debug", "debug_at_s": cursor.unsigned(4, little=True)}
    extra["debug_code"] = cursor.unsigned(4, little=True) & 0xFFF
    extra["debug_sequence"] = cursor.unsigned(2, little=True)
    return Reading({}, extra)


def _alert(data: bytes) -> Reading:
    exactly(data, 1)
    return Reading({"temp_c": float(Cursor(data).signed())}, {"message": "temperature_alert"})


MESSAGES = {1: _status, 2: _heartbeat, 3: _startup, 4: _information, 5: _usage, 6: _debug, 7: _alert}


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a TPS110; without its port it cannot be told what the message is."""
    message = MESSAGES.get(port or 0)
    if message is None:
        raise Undecodable(f"port {port} is none of 1 to 7")
    return message(data)


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """`{"status_confirmed": bool}` or `{"data_rate": 0 to 5}`, one a downlink."""
    match dict(wanted):
        case {"status_confirmed": bool(confirmed), **rest} if not rest:
            return Downlink(CONFIRMED, bytes([not confirmed]))
        case {"data_rate": int(rate), **rest} if not rest and rate is not True and 0 <= rate <= DATA_RATE_MAX:
            return Downlink(DATA_RATE, bytes([rate]))
    raise Unencodable(f"a downlink sets either status_confirmed (true, false) or data_rate (0 to {DATA_RATE_MAX})")


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink to a TPS110 sets."""
    exactly(data, 1)
    if port == CONFIRMED and data[0] <= 1:
        return {"status_confirmed": data[0] == 0}
    if port == DATA_RATE and data[0] <= DATA_RATE_MAX:
        return {"data_rate": data[0]}
    raise Undecodable(f"{data[0]:#04x} on port {port} is no downlink that we know: ports 51 (0, 1) and 52 (0 to 5)")


CODECS = (
    Codec(
        models=("bosch/tps110",),
        kind="parking_bay",
        words="Bosch TPS110 Parking Lot Sensor",
        fields=("occupied", "temp_c"),
        decode=decode,
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=("status_confirmed", "data_rate"),
    ),
)
