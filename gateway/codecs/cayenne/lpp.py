"""Cayenne Low Power Payload (LPP): a format in which a device says itself what each value is.

Sources: myDevices, "Cayenne Low Power Payload 1.2"; the types from 0x64 on that are not in it: the extended list of the
CayenneLPP library, which follows the object numbers of IPSO (type + 3200). Items follow each other; numbers have their
most significant byte first.

    byte 0   channel
    byte 1   type
    then     the value, by type (TYPES below): 00, 01 digital in, out; 02, 03 analog in, out (0.01); 64 generic;
             65 illuminance (lx); 66 presence; 67 temperature (0.1 °C); 68 humidity (0.5 %); 71 acceleration (0.001 g);
             73 barometer (0.1 hPa); 74 voltage (0.01 V); 75 current (0.001 A); 76 frequency (Hz); 78 percentage;
             79 altitude (m); 7D concentration (ppm); 80 power (W); 82 distance (0.001 m); 83 energy (0.001 kWh);
             84 direction (°); 85 time (s since 1970); 86 rotation (0.01 °/s); 87 colour; 88 position (0.0001°, 0.01 m);
             8E switch

The type of an item says what it is, not what it is of: every value is an extra one, `channel_N_<type>_<unit>`. It is a
field of ours as well where the payload has just one of its type and we know one such quantity only: illuminance is
`lux`, temperature `temp_c`, distance `distance_m`, power `power_w`, energy `energy_kwh`. Analog and digital inputs,
voltages and percentages may be anything. Any port is taken: the format has none of its own.
"""

from dataclasses import dataclass

from gateway.codecs.codec import Codec, Reading, Undecodable, Value
from gateway.codecs.wire import Cursor


@dataclass(frozen=True, slots=True)
class Part:
    """One number of an item: its name with unit, bytes, steps a unit, and whether it may be negative."""

    name: str
    count: int
    per: int = 1
    signed: bool = False

    def read(self, cursor: Cursor) -> int | float:
        """The next number."""
        raw = cursor.signed(self.count) if self.signed else cursor.unsigned(self.count)
        return raw if self.per == 1 else raw / self.per


def _axes(name: str, unit: str, per: int) -> tuple[Part, ...]:
    return tuple(Part(f"{name}_{axis}_{unit}", 2, per, signed=True) for axis in "xyz")


TYPES: dict[int, tuple[Part, ...]] = {
    0x00: (Part("digital_in", 1),),
    0x01: (Part("digital_out", 1),),
    0x02: (Part("analog_in", 2, 100, signed=True),),
    0x03: (Part("analog_out", 2, 100, signed=True),),
    0x64: (Part("generic", 4),),
    0x65: (Part("illuminance_lux", 2),),
    0x66: (Part("presence", 1),),
    0x67: (Part("temperature_c", 2, 10, signed=True),),
    0x68: (Part("humidity_pct", 1, 2),),
    0x71: _axes("acceleration", "g", 1_000),
    0x73: (Part("barometer_hpa", 2, 10),),
    0x74: (Part("voltage_v", 2, 100),),
    0x75: (Part("current_a", 2, 1_000),),
    0x76: (Part("frequency_hz", 4),),
    0x78: (Part("percentage_pct", 1),),
    0x79: (Part("altitude_m", 2, signed=True),),
    0x7D: (Part("concentration_ppm", 2),),
    0x80: (Part("power_w", 2),),
    0x82: (Part("distance_m", 4, 1_000),),
    0x83: (Part("energy_kwh", 4, 1_000),),
    0x84: (Part("direction_deg", 2),),
    0x85: (Part("time_unix_s", 4),),
    0x86: _axes("rotation", "deg_s", 100),
    0x87: tuple(Part(f"colour_{name}", 1) for name in ("red", "green", "blue")),
    0x88: (
        Part("latitude_deg", 3, 10_000, signed=True),
        Part("longitude_deg", 3, 10_000, signed=True),
        Part("altitude_m", 3, 100, signed=True),
    ),
    0x8E: (Part("switch", 1),),
}
FIELDS = {0x65: "lux", 0x67: "temp_c", 0x82: "distance_m", 0x80: "power_w", 0x83: "energy_kwh"}


def decode(port: int | None, data: bytes) -> Reading:
    """One uplink in LPP."""
    if port is not None and not 1 <= port <= 223:
        raise Undecodable(f"port {port} is none of 1 to 223")
    if not data:
        raise Undecodable("no bytes, where at least one item is expected")
    cursor = Cursor(data)
    extra: dict[str, Value] = {}
    found: dict[int, list[int | float]] = {}
    while cursor.left:
        channel, kind = cursor.unsigned(), cursor.unsigned()
        if kind not in TYPES:
            raise Undecodable(f"type {kind:#04x} of channel {channel} is none that is documented")
        for part in TYPES[kind]:
            name, value = f"channel_{channel}_{part.name}", part.read(cursor)
            if name in extra:
                raise Undecodable(f"channel {channel} says its {part.name} twice")
            extra[name] = value
            found.setdefault(kind, []).append(value)
    alone = {FIELDS[kind]: float(values[0]) for kind, values in found.items() if kind in FIELDS and len(values) == 1}
    return Reading(alone, extra)


CODECS = (
    Codec(
        models=("cayenne/lpp", "mydevices/cayenne"),
        kind=None,
        words="Cayenne Low Power Payload",
        fields=tuple(FIELDS.values()),
        decode=decode,
    ),
)
