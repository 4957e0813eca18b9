"""PNI PlacePod: magnetometer in or on the bay; the vehicle counting variant counts at an entrance.

Source: PNI Sensor, "PlacePod Sensor Communications Protocol". A message is a row of parts, on any port: channel, type,
value, most significant byte first.

    01 01  1 byte   answer to a recalibration, 1 done
    02 67  2 bytes  temperature, int16, 0.1 °C
    03 02  2 bytes  battery, 0.01 V
    15 66  1 byte   parking status, 0 vacant, 1 occupied
    1c 01  1 byte   answer to a deactivation, 1 done
    21 00  1 byte   vehicles counted, 0 to 127; from 128 on: restarted or recalibrated
    37 66  1 byte   keep-alive with the parking status
    37 00  1 byte   keep-alive with the vehicles counted
    3f 01  1 byte   answer to a reboot, 1 done

A later part goes before an earlier one of the same meaning. What follows from an unknown part on is kept as it is,
for its length is unknown too; a message that begins with one is refused.
"""

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor

ANSWERS = {b"\x01\x01": "recalibrated", b"\x1c\x01": "deactivated", b"\x3f\x01": "rebooted"}
TEMPERATURE, BATTERY = b"\x02\x67", b"\x03\x02"
STATUS, STATUS_KEPT_ALIVE = b"\x15\x66", b"\x37\x66"
COUNT, COUNT_KEPT_ALIVE = b"\x21\x00", b"\x37\x00"
COUNT_MAX = 127


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a PlacePod; the port does not matter."""
    cursor = Cursor(data)
    if not cursor.left:
        raise Undecodable("no bytes")
    observation: dict[str, float | bool] = {}
    extra: dict[str, Value] = {}
    while cursor.left:
        part = cursor.take(2)
        if not _take(part, cursor, observation, extra):
            if 2 + cursor.left == len(data):
                raise Undecodable(f"channel and type {part.hex()} are unknown")
            extra["unread_hex"] = (part + cursor.take(cursor.left)).hex()
    return Reading(observation, extra)


def _take(part: bytes, cursor: Cursor, observation: dict[str, float | bool], extra: dict[str, Value]) -> bool:
    """Read the value of one part; false where the part is unknown."""
    if part in (STATUS_KEPT_ALIVE, COUNT_KEPT_ALIVE):
        extra["keep_alive"] = True
    if part in (STATUS, STATUS_KEPT_ALIVE):
        observation["occupied"] = _truth(cursor.unsigned(), "the parking status")
    elif part in (COUNT, COUNT_KEPT_ALIVE):
        count = cursor.unsigned()
        extra |= {"vehicles": count} if count <= COUNT_MAX else {"restarted": True}
    elif part == TEMPERATURE:
        observation["temp_c"] = cursor.signed(2) / 10
    elif part == BATTERY:
        extra["battery_v"] = cursor.unsigned(2) / 100
    elif part in ANSWERS:
        extra[ANSWERS[part]] = _truth(cursor.unsigned(), f"the answer {part.hex()}")
    else:
        return False
    return True


def _truth(byte: int, what: str) -> bool:
    if byte > 1:
        raise Undecodable(f"{what} is {byte:#04x}, where only 0x00 and 0x01 are defined")
    return byte == 1


CODECS = (
    Codec(
        models=("pni/placepod",),
        kind="parking_bay",
        words="PNI PlacePod, parking and vehicle counting",
        fields=("occupied", "temp_c"),
        decode=decode,
    ),
)
