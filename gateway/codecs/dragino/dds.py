"""Dragino LDDS75, LDDS45, LDDS20 and LDDS04: ultrasonic distance and liquid level, with their -LB successors.

Sources: Dragino, user manuals of LDDS75, LDDS20, LDDS04 and DDS75-LB, and the published decoders of
all. The port says what a message is; words have their most significant byte first.

    port 2   one distance: 8 bytes      2 battery, mV in bits 13 to 0; 2 distance, mm; 1 interrupt; 2 temperature of an
                                        external probe, int16 in 0.1 °C; 1 whether there is an ultrasonic sensor
                           5 bytes      the same without probe and sensor flag (first firmware)
                           4 bytes      without a sensor (first firmware)
             LDDS04:       11 bytes     2 battery, bit 15 interrupt (DDS04-LB: bit 14, and bit 15 its level); 4 × 2
                                        distances, mm; 1 message: 1 measurement, 2 reply with a configuration
    port 3   history (-LB), 11 bytes each: battery, distance, temperature, flags (bit 0 interrupt, 1 sensor, 6 level), 4
             seconds since 1970; DDS04-LB: flags (bit 0 interrupt, 1 its level), 3 × 2 distances, seconds
    port 5   device status (-LB), 7 bytes: model, 2 firmware, band, sub-band (0xFF none), 2 battery

No reading: distance 0 or sensor flag 0 (no ultrasonic sensor), less than the model's least distance (280, 30 or 20 mm;
firmware 1.1.4 says 20 for all of them). An LDDS20 sits below its container and measures up through the liquid: its
distance is the liquid's height too, `level_m`. An LDDS04 has four probes: `distance_m` is that of the first. The probe
of temperature is an accessory that may hang anywhere, so it is an extra value; without one it says 0 or 327.6.

Downlinks (any port; we use 2): 01 and 3 bytes, interval in s; 04 FF reset; 06 00 00 and the interrupt (0 off to 3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.codecs.codec import Codec, Downlink, Reading, Undecodable, Unencodable, Value
from gateway.codecs.wire import Cursor, exactly

PORT = 2
INTERVAL_MAX_S = 0xFF_FFFF
PROBE_C = (-55, 125)
RECORD_BYTES = 11
BANDS = (
    *("EU868", "US915", "IN865", "AU915", "KZ865", "RU864", "AS923", "AS923-1", "AS923-2", "AS923-3"),
    *("CN470", "EU433", "KR920", "MA869", "AS923-4"),
)
"""From 1 on."""


@dataclass(frozen=True, slots=True)
class Model:
    """What differs: the least distance in mm, and whether it is a liquid's height."""

    least_mm: int
    level: bool = False

    def distance(self, millimetres: int, *, sensor: bool = True) -> tuple[dict[str, float], str | None]:
        """Fields of a distance, or why there are none."""
        if not sensor or millimetres == 0:
            return {}, "no_sensor"
        if millimetres < self.least_mm or (self.least_mm == 20 and millimetres == 20):
            return {}, "out_of_range"
        if millimetres == 0xFFFF:
            return {}, "no_echo"
        metres = millimetres / 1_000
        return ({"level_m": metres, "distance_m": metres} if self.level else {"distance_m": metres}), None

    @property
    def name(self) -> str:
        """The field that is missing where there is no reading."""
        return "level_m" if self.level else "distance_m"


def _probe(raw: int) -> dict[str, Value]:
    celsius = raw / 10
    return {"probe_temperature_c": celsius} if PROBE_C[0] <= celsius <= PROBE_C[1] else {}


def _one(data: bytes, model: Model) -> Reading:
    exactly(data, 4, 5, 8)
    cursor = Cursor(data)
    extra: dict[str, Value] = {"message": "measurement", "battery_v": (cursor.unsigned(2) & 0x3FFF) / 1_000}
    if len(data) == 4:
        return Reading({}, extra | {"no_reading": {model.name: "no_sensor"}})
    millimetres = cursor.unsigned(2)
    extra["interrupt"] = bool(cursor.unsigned())
    sensor = True
    if cursor.left:
        extra |= _probe(cursor.signed(2))
        sensor = bool(cursor.unsigned())
        extra["sensor_present"] = sensor
    observation, why = model.distance(millimetres, sensor=sensor)
    return Reading(observation, extra if why is None else extra | {"no_reading": {model.name: why}})


def _four(data: bytes, model: Model, *, later: bool) -> Reading:
    exactly(data, RECORD_BYTES)
    cursor = Cursor(data)
    head = cursor.unsigned(2)
    if data[-1] != 1:
        return Reading({}, {"message": "configuration", "configuration_hex": data.hex()})
    extra: dict[str, Value] = {"message": "measurement", "battery_v": (head & 0x3FFF) / 1_000}
    extra["interrupt"] = bool(head & (0x4000 if later else 0x8000))
    if later:
        extra["interrupt_level_high"] = bool(head & 0x8000)
    observation, several, silent = _probes(cursor, 4, model)
    extra |= several
    return Reading(observation, extra | {"no_reading": silent} if silent else extra)


def _probes(cursor: Cursor, count: int, model: Model) -> tuple[dict[str, float], dict[str, Value], dict[str, Value]]:
    """The first probe's field, the others' values, and why some have none."""
    first: dict[str, float] = {}
    others: dict[str, Value] = {}
    silent: dict[str, Value] = {}
    for number in range(1, count + 1):
        fields, why = model.distance(cursor.unsigned(2))
        name = "distance_m" if number == 1 else f"distance_{number}_m"
        if why is not None:
            silent[name] = why
        elif number == 1:
            first = fields
        else:
            others[name] = fields["distance_m"]
    return first, others, silent


def _history(data: bytes, model: Model, *, four: bool) -> Reading:
    if not data or len(data) % RECORD_BYTES:
        raise Undecodable(f"{len(data)} bytes, where records of {RECORD_BYTES} are expected")
    cursor = Cursor(data)
    rows: list[Value] = []
    pnack = bool(data[0] & 0x80) if four else bool(data[6] & 0x80)
    while cursor.left:
        rows.append(_record_of_four(cursor, model) if four else _record(cursor, model))
    return Reading({}, {"message": "history", "pnack_mode": pnack, "history": rows})


def _record(cursor: Cursor, model: Model) -> dict[str, Value]:
    row: dict[str, Value] = {"battery_v": (cursor.unsigned(2) & 0x3FFF) / 1_000}
    millimetres, probe, flags = cursor.unsigned(2), cursor.signed(2), cursor.unsigned()
    fields, _ = model.distance(millimetres, sensor=bool(flags & 2))
    row |= fields | _probe(probe)
    return row | {"interrupt": bool(flags & 1), "at_unix_s": cursor.unsigned(4)}


def _record_of_four(cursor: Cursor, model: Model) -> dict[str, Value]:
    flags = cursor.unsigned()
    first, others, _ = _probes(cursor, 3, model)
    row: dict[str, Value] = {**first, **others, "interrupt": bool(flags & 1), "interrupt_level_high": bool(flags & 2)}
    return row | {"at_unix_s": cursor.unsigned(4)}


def _status(data: bytes) -> Reading:
    exactly(data, 7)
    cursor = Cursor(data)
    extra: dict[str, Value] = {"message": "device_status", "model_code": cursor.unsigned()}
    major, minor = cursor.unsigned(), cursor.unsigned()
    extra["firmware"] = f"{major & 0x0F}.{minor >> 4}.{minor & 0x0F}"
    band, sub_band = cursor.unsigned(), cursor.unsigned()
    extra["band"] = BANDS[band - 1] if 1 <= band <= len(BANDS) else "unknown"
    if sub_band != 0xFF:
        extra["sub_band"] = sub_band
    return Reading({}, extra | {"battery_v": (cursor.unsigned(2) & 0x3FFF) / 1_000})


def decode(
    port: int | None, data: bytes, *, measurement: Callable[[bytes], Reading], history: Callable[[bytes], Reading]
) -> Reading:
    """One uplink; without its port it is taken for a measurement."""
    match port:
        case None | 2:
            return measurement(data)
        case 3:
            return history(data)
        case 5:
            return _status(data)
    raise Undecodable(f"port {port} is none of 2, 3 and 5")


def encode(wanted: Mapping[str, Any]) -> Downlink:
    """`{"report_every_s": 1 to 16777215}`, `{"reset": true}` or `{"interrupt_mode": 0 to 3}`, one a downlink."""
    match dict(wanted):
        case {"report_every_s": int(seconds), **rest} if not rest and seconds is not True and seconds > 0:
            if seconds <= INTERVAL_MAX_S:
                return Downlink(PORT, b"\x01" + seconds.to_bytes(3))
        case {"reset": True, **rest} if not rest and wanted["reset"] is True:
            return Downlink(PORT, b"\x04\xff")
        case {"interrupt_mode": int(mode), **rest} if not rest and not isinstance(mode, bool) and 0 <= mode <= 3:
            return Downlink(PORT, bytes([0x06, 0, 0, mode]))
    raise Unencodable(
        f"a downlink sets report_every_s (1 to {INTERVAL_MAX_S}), reset (true) or interrupt_mode (0 to 3)"
    )


def decode_downlink(port: int | None, data: bytes) -> dict[str, Value]:
    """What a downlink sets."""
    match data[:1], len(data):
        case b"\x01", 4 if any(data[1:]):
            return {"report_every_s": int.from_bytes(data[1:])}
        case b"\x04", 2 if data[1] == 0xFF:
            return {"reset": True}
        case b"\x06", 4 if data[1:3] == b"\0\0" and data[3] <= 3:
            return {"interrupt_mode": data[3]}
    raise Undecodable(f"{data.hex()[:40]} is no downlink that we know: 01, 04 and 06 with their value")


def _codec(models: tuple[str, ...], words: str, model: Model, *, four: bool = False, later: bool = False) -> Codec:
    measurement = partial(_four, model=model, later=later) if four else partial(_one, model=model)
    return Codec(
        models=tuple(f"dragino/{name}" for name in models),
        kind="drain_level",
        words=f"Dragino {words}",
        fields=("level_m", "distance_m") if model.level else ("distance_m",),
        decode=partial(decode, measurement=measurement, history=partial(_history, model=model, four=four)),
        encode=encode,
        decode_downlink=decode_downlink,
        downlinks=("report_every_s", "reset", "interrupt_mode"),
    )


FAR, NEAR, BELOW, PROBES = Model(280), Model(30), Model(20, level=True), Model(20)
CODECS = (
    _codec(("ldds75", "ldds75-lb", "dds75-lb"), "LDDS75, DDS75-LB ultrasonic distance", FAR),
    _codec(("ldds45", "ldds45-lb", "dds45-lb"), "LDDS45, DDS45-LB ultrasonic distance", NEAR),
    _codec(("ldds20", "ldds20-lb", "dds20-lb"), "LDDS20, DDS20-LB liquid level", BELOW),
    _codec(("ldds04",), "LDDS04 four distances", PROBES, four=True),
    _codec(("ldds04-lb", "dds04-lb"), "DDS04-LB four distances", PROBES, four=True, later=True),
)
