"""Dragino NDDS75 and NDDS20: ultrasonic distance and liquid level over NB-IoT.

Sources: Dragino, user manuals of NDDS75 and NDDS20, and the published decoder. Words have their most
significant byte first.

    bytes 0 to 7     device: F and 15 digits of its IMEI
    bytes 8, 9       model, then version (132 is 1.3.2)
    bytes 10, 11     battery, mV
    byte 12          signal, 0 to 31 (99: none)
    byte 13          mode
    byte 14          interrupt, 0 or 1
    bytes 15, 16     distance, mm
    bytes 17 to 20   seconds since 1970
    then             stored measurements, each 2 distance and 4 seconds

No reading: distance 0 (no ultrasonic sensor), or less than the model's least distance (280 mm, NDDS20 20 mm). An NDDS20
sits below its container and measures up through the liquid: its distance is the liquid's height too, `level_m`.
"""

from functools import partial

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor

HEAD_BYTES, RECORD_BYTES = 21, 6
NO_SIGNAL = 99


def _fields(millimetres: int, least_mm: int, *, level: bool) -> dict[str, float]:
    if millimetres < least_mm:
        return {}
    metres = millimetres / 1_000
    return {"level_m": metres, "distance_m": metres} if level else {"distance_m": metres}


def decode(port: int | None, data: bytes, *, least_mm: int, level: bool) -> Reading:
    """One uplink; NB-IoT knows no ports, so that any is taken."""
    if len(data) < HEAD_BYTES or (len(data) - HEAD_BYTES) % RECORD_BYTES:
        raise Undecodable(f"{len(data)} bytes, where {HEAD_BYTES} and records of {RECORD_BYTES} are expected")
    cursor = Cursor(data)
    device = cursor.take(8).hex()
    if device[0] != "f" or not device[1:].isdecimal():
        raise Undecodable(f"the device is {device}, where F and 15 digits are expected")
    extra: dict[str, Value] = {"imei": device[1:], "model_code": cursor.unsigned()}
    version = cursor.unsigned()
    extra["firmware"] = f"{version // 100}.{version // 10 % 10}.{version % 10}"
    extra["battery_v"] = cursor.unsigned(2) / 1_000
    signal = cursor.unsigned()
    if signal != NO_SIGNAL:
        extra["signal_csq"] = signal
    extra |= {"mode": cursor.unsigned(), "interrupt": bool(cursor.unsigned())}
    millimetres = cursor.unsigned(2)
    observation = _fields(millimetres, least_mm, level=level)
    if not observation:
        why = "out_of_range" if millimetres else "no_sensor"
        extra["no_reading"] = {"level_m" if level else "distance_m": why}
    extra["at_unix_s"] = cursor.unsigned(4)
    rows: list[Value] = []
    while cursor.left:
        row: dict[str, Value] = {**_fields(cursor.unsigned(2), least_mm, level=level)}
        rows.append(row | {"at_unix_s": cursor.unsigned(4)})
    return Reading(observation, extra | {"history": rows} if rows else extra)


CODECS = (
    Codec(
        models=("dragino/ndds75",),
        kind="drain_level",
        words="Dragino NDDS75 ultrasonic distance (NB-IoT)",
        fields=("distance_m",),
        decode=partial(decode, least_mm=280, level=False),
    ),
    Codec(
        models=("dragino/ndds20",),
        kind="drain_level",
        words="Dragino NDDS20 liquid level (NB-IoT)",
        fields=("level_m", "distance_m"),
        decode=partial(decode, least_mm=20, level=True),
    ),
)
