"""Libelium Smart Parking, generations 2 and 3: radar under the bay.

Source: Libelium, "Smart Parking v2 Technical Guide", v7.5 (2019), section "Frame types"; header and lengths as in the
"Plug & Sense! Smart Parking Technical Guide", v7.6 (2018), firmware 2. Every uplink has 11 bytes, on any port:

    byte 0   bit 7    0 the bay is empty, 1 occupied
             bit 6    0 battery good, 1 to be changed
             bit 5    0 the last configuration was taken over, 1 not
             bit 4    1 calibrated anew since the last message
             3 to 0   type: 0 info (the bay changed), 1 keep-alive, 2 configuration (the daily summary of generation 2),
                      3 error, 4 and 5 start, 6 service, 7 request for the time, 8 radio strength; 9 to 15 reserved
    byte 1   counter of messages, 0 to 255
    byte 2…  info and keep-alive: 2 errors of the sensor, 3 temperature (int8, °C)
             start 1: 2 firmware

The remaining bytes differ between firmwares and are kept as they are.
"""

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor, exactly

MESSAGES = ("info", "keep_alive", "configuration", "error", "start_1", "start_2", "service", "time_request", "rssi")
OCCUPIED, BATTERY_LOW, CONFIGURATION_REFUSED, RECALIBRATED, TYPE = 0x80, 0x40, 0x20, 0x10, 0x0F


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink of a Smart Parking node; the port does not matter."""
    exactly(data, 11)
    cursor = Cursor(data)
    header = cursor.unsigned()
    if header & TYPE >= len(MESSAGES):
        raise Undecodable(f"type {header & TYPE} is reserved: only 0 to {len(MESSAGES) - 1} are in use")
    message = MESSAGES[header & TYPE]
    observation: dict[str, float | bool] = {"occupied": bool(header & OCCUPIED)}
    extra: dict[str, Value] = {
        "message": message,
        "counter": cursor.unsigned(),
        "battery_low": bool(header & BATTERY_LOW),
        "configuration_refused": bool(header & CONFIGURATION_REFUSED),
        "recalibrated": bool(header & RECALIBRATED),
    }
    if message in ("info", "keep_alive"):
        extra["sensor_error"] = cursor.unsigned()
        observation["temp_c"] = float(cursor.signed())
    elif message == "start_1":
        extra["firmware"] = str(cursor.unsigned())
    extra["rest_hex"] = cursor.take(cursor.left).hex()
    return Reading(observation, extra)


CODECS = (
    Codec(
        models=("libelium/smart-parking-v3", "libelium/smart-parking-v2"),
        kind="parking_bay",
        words="Libelium Smart Parking, generations 2 and 3",
        fields=("occupied", "temp_c"),
        decode=decode,
    ),
)
