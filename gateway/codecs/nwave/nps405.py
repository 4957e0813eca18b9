"""Nwave NPS405 (parking sensor of generation 4, flush and surface mounted).

Sources: Nwave, "LoRaWAN Parking Sensor: Getting Started", sections 4.2.1 to 4.2.5, and the maker's published decoders
of 2022 and later. The port says what a message is; S is the status byte.

    port 1   parking status  1 byte        S
    port 2   heartbeat       1, 3, 6 bytes S with the health of the hardware (0: no fault) in place of the duration;
                                           then battery (2.5 V + 4 mV a step), temperature (int8, 10 °C + 0.5 °C a step)
    port 3   startup         5 bytes       firmware major, minor, patch; cause of the reset; state in bit 0
    port 6   debug                         kept as it is
    port 10  registration    5 bytes       S, number of the driver's tag (4 bytes, big-endian)
                             6 bytes       S with the state in bit 0, battery of the tag (0.1 V), its number

The status byte holds the state (0 free, 1 occupied) and, in seven bits, how long the state before lasted. Two layouts
are in use, and a byte does not say which: the decoder published in October 2022, and again later, has the state in bit
7 and the duration in bits 6 to 0 (model nwave/nps405); the one between them, and the document, have it in bit 0 and the
duration in bits 7 to 1 (model nwave/nps405-bit0). Published examples of both stand under one name: 0xCA and 0x95 both
are "occupied, after 74 min". What tells them apart is a registration of 6 bytes, which only the bit-0 layout has: it is
read so by either model. Otherwise watch a bay once to know a sensor's.

Durations d in minutes: below 90 d itself; 90 to 119 are 90 + 5 (d - 90), exact to 4; 120 to 126 are 240 + 60 (d - 120),
exact to 59; 127 is 660 or more. A registration from a free bay says nothing of the bay.
"""

from functools import partial

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor, exactly

CAUSES = {0: "rejoined", 1: "watchdog", 2: "power_on", 3: "user_request", 6: "brown_out", 7: "other"}


def _split(status: int, *, high: bool) -> tuple[bool, int]:
    """State and the seven other bits; `high`: the state is bit 7."""
    return (bool(status & 0x80), status & 0x7F) if high else (bool(status & 1), status >> 1)


def _duration(steps: int) -> dict[str, Value]:
    if steps < 90:
        minutes, error = steps, 0
    elif steps < 120:
        minutes, error = 90 + 5 * (steps - 90), 4
    elif steps < 127:
        minutes, error = 240 + 60 * (steps - 120), 59
    else:
        return {"previous_state_min": 660, "previous_state_overflow": True}
    return {"previous_state_min": minutes, "previous_state_error_min": error, "previous_state_overflow": False}


def _status(data: bytes, *, high: bool) -> Reading:
    exactly(data, 1)
    occupied, steps = _split(data[0], high=high)
    return Reading({"occupied": occupied}, {"message": "parking_status", **_duration(steps)})


def _heartbeat(data: bytes, *, high: bool) -> Reading:
    exactly(data, 1, 3, 6)
    cursor = Cursor(data)
    occupied, health = _split(cursor.unsigned(), high=high)
    observation: dict[str, float | bool] = {"occupied": occupied}
    extra: dict[str, Value] = {"message": "heartbeat", "hardware_faults": health}
    if cursor.left:
        extra["battery_v"] = (2_500 + 4 * cursor.unsigned()) / 1_000
        observation["temp_c"] = 10 + cursor.signed() / 2
    if cursor.left:
        extra["rest_hex"] = cursor.take(cursor.left).hex()
    return Reading(observation, extra)


def _startup(data: bytes, *, high: bool) -> Reading:
    exactly(data, 5)
    firmware, cause, state = data[:3], data[3], data[4]
    if state > 1:
        raise Undecodable(f"the state is {state:#04x}, where only 0x00 and 0x01 are defined")
    extra: dict[str, Value] = {
        "message": "startup",
        "firmware": ".".join(map(str, firmware)),
        "reset_cause": CAUSES.get(cause, "unknown"),
        "reset_cause_code": cause,
    }
    return Reading({"occupied": state == 1}, extra)


def _debug(data: bytes, *, high: bool) -> Reading:
    return Reading({}, {"message": "debug", "debug_hex": data.hex()})


def _registration(data: bytes, *, high: bool) -> Reading:
    exactly(data, 5, 6)
    cursor = Cursor(data)
    occupied, steps = _split(cursor.unsigned(), high=high and len(data) == 5)
    extra: dict[str, Value] = {"message": "registration"}
    if cursor.left == 5:
        extra["tag_battery_v"] = cursor.unsigned() / 10
    extra["tag"] = cursor.take(4).hex().upper()
    return Reading({"occupied": True}, {**extra, **_duration(steps)}) if occupied else Reading({}, extra)


MESSAGES = {1: _status, 2: _heartbeat, 3: _startup, 6: _debug, 10: _registration}


def decode(port: int | None, data: bytes, *, high: bool) -> Reading:
    """One uplink; `high`: the status byte has its state in bit 7."""
    message = MESSAGES.get(port or 0)
    if message is None:
        raise Undecodable(f"port {port} is none of {', '.join(map(str, MESSAGES))}")
    return message(data, high=high)


CODECS = (
    Codec(
        models=("nwave/nps405",),
        kind="parking_bay",
        words="Nwave NPS405 (FM, SM), state in bit 7",
        fields=("occupied", "temp_c"),
        decode=partial(decode, high=True),
    ),
    Codec(
        models=("nwave/nps405-bit0",),
        kind="parking_bay",
        words="Nwave NPS405 (FM, SM), state in bit 0",
        fields=("occupied", "temp_c"),
        decode=partial(decode, high=False),
    ),
)
