"""A UL20xx packet as a street light's reading: which of its values are ours, and all others in our manner of naming."""

from collections.abc import Iterator
from types import MappingProxyType

from gateway.codecs.codec import Reading, Value
from gateway.codecs.nas.ul20xx.layout import Packet
from gateway.codecs.nas.ul20xx.words import INVALID, UNSET

UNITS = MappingProxyType({
    "percent": "pct", "dBm": "dbm", "dB": "db", "C": "c", "lx": "lx", "deg": "deg", "s": "s", "minutes": "min",
    "Wh": "wh", "W": "w", "V": "v", "h": "h", "bytes": "bytes",
})  # fmt: skip
ABSENT = frozenset({"n/a", "unavailable", "unknown", UNSET})
"""Words for a value that is not there."""
FLATTENED = frozenset({"status", "analog_interfaces", "active_alerts", "sensor_source"})
"""Groups of a packet whose names are plain enough to stand alone."""
SECRET = frozenset({"nwkskey", "appskey"})
"""Keys of a multicast group, which the device echoes: they are kept out of a reading."""
NAMES = MappingProxyType({
    "packet_type": "message", "device_unix_epoch": "device_time", "last_fix_utc_time": "last_fix_time",
    "firmware_version": "firmware",
})  # fmt: skip
WHOLE = "internal_measurement"
RELAY_OFF = "relay_off"
"""The reason of an output whose mains the controller has switched off; the flag `internal_relay_closed` does not say
that: it is false as well where nothing hangs on the relay."""

Fields = dict[str, float | int | bool]


def reading(packet: Packet) -> Reading:
    """Our fields, and everything else."""
    fields: Fields = {}
    flat = packet | {name: value for group in _groups(packet) for name, value in group.items()}
    match packet.get("packet_type"):
        case "status_packet":
            fields |= _status(flat)
        case "usage_packet":
            fields |= _usage(_objects(packet.get("consumption")))
        case "manual_dimming" | "manual_timed_dimming":
            fields |= _level("setpoint_pct", _objects(packet.get("destination")))
        case "dali_driver_alert":
            fields |= _fault(_objects(packet.get("drivers")))
        case "dali_status_request":
            fields |= _fault(_objects(packet.get("dali_statuses")))
        case "metering_alert":
            fields["lamp_fault"] = packet["lamp_error_alert"] is True
            fields |= _number("power_w", packet.pop("power__W")) | _number("voltage_v", packet.pop("voltage__V"))
    return Reading(fields, _extra(packet))


def _status(flat: Packet) -> Fields:
    """The broadcast's level is the lamp's, or else the first driver's; the temperature is the controller's.

    A driver behind the opened relay has no mains: it names no level, and gives no light.
    """
    outputs = _objects(flat.get("dimming_source") or flat.get("profiles"))
    lux = flat.get("light_sensor__lx")
    return {
        **_level("level_pct", [_unpowered(each) for each in outputs]),
        **_fault(outputs),
        **_number("temp_c", flat["mcu_temperature__C"]),
        **_number("lux", flat.get("d4i_light_sensor__lx") if lux in (None, "unavailable") else lux),
    }


def _unpowered(output: Packet) -> Packet:
    """An output as it is, dark where the relay is what decides on it."""
    dark = RELAY_OFF in (output.get("reason"), output.get("profile_version"))
    return output | {"dimming_level__percent": 0} if dark else output


def _usage(consumers: list[Packet]) -> Fields:
    """What the controller itself measures is the whole lamp; where it does not, the drivers add up."""
    fields: Fields = {}
    for name, ours, scale in (("active_energy__Wh", "energy_kwh", 1_000), ("active_power__W", "power_w", 1)):
        said = {str(each["address"]): each[name] for each in consumers if name in each and each["address"] != INVALID}
        amounts = [said[WHOLE]] if WHOLE in said else [*said.values()]
        numbers = [amount for amount in amounts if isinstance(amount, int)]
        if numbers:
            fields[ours] = sum(numbers) / scale
    voltages = [each["mains_voltage__V"] for each in consumers if "mains_voltage__V" in each]
    return fields | _number("voltage_v", voltages[0] if voltages else None)


def _level(ours: str, outputs: list[Packet]) -> Fields:
    known = [each for each in outputs if _number(ours, each["dimming_level__percent"]) and each["address"] != INVALID]
    known.sort(key=lambda each: each["address"] not in ("all_devices", "dali_broadcast"))
    return _number(ours, known[0]["dimming_level__percent"]) if known else {}


def _fault(outputs: list[Packet]) -> Fields:
    """A failure of one lamp is one of the asset; nothing where no driver says anything."""
    flags = [status["lamp_failure"] for each in outputs if isinstance(status := each.get("status"), dict)]
    return {"lamp_fault": True in flags} if flags else {}


def _number(name: str, value: Value) -> Fields:
    """A number, or its text; nothing where it is a word."""
    if isinstance(value, str):
        try:
            return {name: float(value)}
        except ValueError:
            return {}
    return {name: float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else {}


def _objects(value: Value) -> list[Packet]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _groups(packet: Packet) -> Iterator[Packet]:
    for name, value in packet.items():
        if name in FLATTENED and isinstance(value, dict):
            yield value


def _extra(packet: Packet) -> dict[str, Value]:
    """All values under our names; a word in place of a number has no unit, what is not there is left out."""
    extra: dict[str, Value] = {}
    for name, value in packet.items():
        if (
            value is None
            or name in SECRET
            or name == "mcu_temperature__C"
            or (isinstance(value, str) and value in ABSENT)
        ):
            continue
        if name in FLATTENED and isinstance(value, dict):
            extra |= _extra(value)
            continue
        stem, _, unit = name.partition("__")
        stem = NAMES.get(stem, stem)
        amount = _number(stem, value).get(stem) if unit and isinstance(value, str) else None
        if amount is not None:
            value = amount
        extra[stem if isinstance(value, str) or not unit else f"{stem}_{UNITS[unit]}"] = _inner(value)
    return extra


def _inner(value: Value) -> Value:
    if isinstance(value, dict):
        return _extra(value)
    return [_inner(each) for each in value] if isinstance(value, list) else value
