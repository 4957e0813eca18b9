"""Thresholds and calibrations of single EM models, in the maker's names; the bytes are in `settings.py`."""

from dataclasses import dataclass
from typing import Any

from gateway.codecs.codec import Undecodable, Value
from gateway.codecs.milesight.em.settings import (
    CONDITIONS,
    SWITCH,
    Setting,
    choice,
    count,
    members,
    named,
    scaled,
    switch,
    whole,
)
from gateway.codecs.wire import Cursor

TEMPERATURE, LEAKAGE, DISTANCE = "temperature_alarm_config", "leakage_alarm_config", "distance_alarm_config"
WORD_MAX, SHORT_MIN, SHORT_MAX = 0xFFFF, -0x8000, 0x7FFF
ENABLE, RELEASE = "enable", "alarm_release_enable"
SWITCH_BITS = {ENABLE: 0x40, RELEASE: 0x80}
SURFACES = ("current_plane", "reset_zero_reference_point", "set_zero_calibration", "clear_zero_calibration")
"""From 0xFF downwards."""
ENDS = ("min", "max")


def _write_em300(name: str, value: Any) -> bytes:
    if name == TEMPERATURE:
        config = members(value, name, "condition", "threshold_min", "threshold_max")
        head = choice(config["condition"], f"{name}.condition", CONDITIONS) | 1 << 3
        limits = (
            scaled(config[f"threshold_{end}"], f"{name}.threshold_{end}", 10, SHORT_MIN, SHORT_MAX) for end in ENDS
        )
        return bytes([head]) + b"".join(limits) + bytes(4)
    config = members(value, name, "enable", "report_interval", "report_times")
    head = choice(config["enable"], f"{name}.enable", SWITCH) | 2 << 3
    rest = (whole(config[each], f"{name}.{each}", 0, WORD_MAX) for each in ("report_interval", "report_times"))
    return bytes([head]) + bytes(4) + b"".join(each.to_bytes(2, "little") for each in rest)


def _read_em300(cursor: Cursor) -> dict[str, Value]:
    head = cursor.unsigned()
    low, high = cursor.signed(2, little=True), cursor.signed(2, little=True)
    interval, times = cursor.unsigned(2, little=True), cursor.unsigned(2, little=True)
    if head >> 3 == 1:
        condition = named(head & 7, CONDITIONS, "condition")
        return {TEMPERATURE: {"condition": condition, "threshold_min": low / 10, "threshold_max": high / 10}}
    if head >> 3 == 2:
        enable = named(head & 7, SWITCH, "enable")
        return {LEAKAGE: {"enable": enable, "report_interval": interval, "report_times": times}}
    raise Undecodable(f"{head:#04x} heads no threshold of this device")


CALIBRATIONS = {"temperature_calibration_settings": (0, 10), "humidity_calibration_settings": (1, 2)}
"""By name: which sensor, and steps a unit."""


def _write_calibration(name: str, value: Any) -> bytes:
    which, per = CALIBRATIONS[name]
    config = members(value, name, "enable", "calibration_value")
    head = choice(config["enable"], f"{name}.enable", SWITCH) << 7 | which
    return bytes([head]) + scaled(config["calibration_value"], f"{name}.calibration_value", per, SHORT_MIN, SHORT_MAX)


def _read_calibration(cursor: Cursor) -> dict[str, Value]:
    head, value = cursor.unsigned(), cursor.signed(2, little=True)
    for name, (which, per) in CALIBRATIONS.items():
        if head & 0x7F == which:
            return {name: {"enable": SWITCH[head >> 7], "calibration_value": value / per}}
    raise Undecodable(f"{head:#04x} heads no calibration of this device")


@dataclass(frozen=True, slots=True)
class Threshold:
    """How one model says a threshold: 9 bytes, of which `number` tells it from others of the model.

    `per`: steps a unit of its limits. `switches` of its head are in use, `rest` names its two further words, which are
    0 where they have no names.
    """

    name: str
    number: int = 1
    per: int = 1
    signed: bool = True
    switches: tuple[str, ...] = (ENABLE, RELEASE)
    rest: tuple[str, ...] = ()
    conditions: tuple[str, ...] = CONDITIONS

    def write(self, value: Any) -> bytes:
        """The bytes of the maker's object."""
        limits = tuple(f"threshold_{end}" for end in ENDS)
        config = members(value, self.name, "condition", *limits, *self.switches, *self.rest)
        head = choice(config["condition"], f"{self.name}.condition", self.conditions) | self.number << 3
        for each in self.switches:
            head |= SWITCH_BITS[each] * choice(config[each], f"{self.name}.{each}", SWITCH)
        low, high = (SHORT_MIN, SHORT_MAX) if self.signed else (0, WORD_MAX)
        words = [scaled(config[limit], f"{self.name}.{limit}", self.per, low, high) for limit in limits]
        words += [whole(config[each], f"{self.name}.{each}", 0, WORD_MAX).to_bytes(2, "little") for each in self.rest]
        return bytes([head]) + b"".join(words).ljust(8, b"\0")

    def read(self, head: int, cursor: Cursor) -> Value:
        """The maker's object from the bytes after its head."""
        config: dict[str, Value] = {"condition": named(head & 7, self.conditions, "condition")}
        for end in ENDS:
            limit = cursor.signed(2, little=True) if self.signed else cursor.unsigned(2, little=True)
            config[f"threshold_{end}"] = limit if self.per == 1 else limit / self.per
        config |= {each: SWITCH[bool(head & SWITCH_BITS[each])] for each in self.switches}
        rest = [cursor.unsigned(2, little=True) for _ in range(2)]
        return {**config, **dict(zip(self.rest, rest, strict=False))}


def thresholds(*several: Threshold) -> Setting:
    """The setting of a model's thresholds."""
    by_name = {each.name: each for each in several}

    def read(cursor: Cursor) -> dict[str, Value]:
        head = cursor.unsigned()
        for each in several:
            if each.number == head >> 3 & 7:
                return {each.name: each.read(head, cursor)}
        raise Undecodable(f"{head:#04x} heads no threshold of this device that we know")

    return Setting(tuple(by_name), lambda name, value: by_name[name].write(value), read)


def _calibration(name: str, of: int) -> Setting:
    """An offset of what the sensor measures, in its own steps; `of` is the number of that quantity."""

    def write(_: str, value: Any) -> bytes:
        config = members(value, name, "enable", "calibration_value")
        offset = whole(config["calibration_value"], f"{name}.calibration_value", SHORT_MIN, SHORT_MAX)
        head = bytes([of, choice(config["enable"], f"{name}.enable", SWITCH)])
        return head + offset.to_bytes(2, "little", signed=True)

    def read(cursor: Cursor) -> dict[str, Value]:
        if cursor.unsigned() != of:
            raise Undecodable(f"this device has no such calibration: {name} only")
        enable = named(cursor.unsigned(), SWITCH, "enable")
        return {name: {"enable": enable, "calibration_value": cursor.signed(2, little=True)}}

    return Setting((name,), write, read)


def _surface() -> Setting:
    """Which plane is 0° to a tilt sensor."""
    name = "initial_surface"

    def read(cursor: Cursor) -> dict[str, Value]:
        return {name: named(0xFF - cursor.unsigned(), SURFACES, name)}

    return Setting((name,), lambda _, value: bytes([0xFF - choice(value, name, SURFACES)]), read)


_TIMES = ("report_interval", "report_times")
EM300 = {
    0x06: Setting((TEMPERATURE, LEAKAGE), _write_em300, _read_em300),
    0xEA: Setting(tuple(CALIBRATIONS), _write_calibration, _read_calibration),
}
EM310_UDL = {
    0x06: thresholds(Threshold(DISTANCE, per=10, switches=(RELEASE,), rest=("lock_time", "continue_time"))),
}
EM320_TILT = {
    0x06: thresholds(
        *(
            Threshold(f"angle_{axis}_alarm_config", number, 100, True, (), _TIMES, (*CONDITIONS, "mutation"))
            for number, axis in enumerate("xyz", 1)
        )
    ),
    0x62: _surface(),
}
EM400_UDL = {
    0x06: thresholds(Threshold("standard_mode_alarm_config", signed=False, switches=(RELEASE,))),
    0x13: switch("install_height_enable"),
    0x3E: switch("tilt_linkage_distance_enable"),
    0x56: switch("tof_detection_enable"),
    0x70: count("people_existing_height", 2, 0, WORD_MAX),
}
_D2D = {0x84: switch("d2d_enable")}
EM500_UDL = {
    0x06: thresholds(Threshold(DISTANCE, signed=False)),
    0xF1: _calibration("distance_calibration_settings", 2),
    **_D2D,
}
EM500_SWL = {
    0x06: thresholds(Threshold("depth_alarm_config", switches=(ENABLE,))),
    0xF1: _calibration("depth_calibration_settings", 6),
    **_D2D,
}
EM500_PP = {
    0x06: thresholds(Threshold("pressure_alarm_config")),
    0xF1: _calibration("pressure_calibration_settings", 3),
    **_D2D,
}
EM500_LGT = {
    0x06: thresholds(Threshold("illuminance_alarm_config")),
    0xF1: _calibration("illuminance_calibration_settings", 8),
    **_D2D,
}
