"""Thresholds and calibrations of single EM models, in the maker's names; the bytes are in `settings.py`."""

from typing import Any

from gateway.codecs.codec import Undecodable, Value
from gateway.codecs.milesight.em.settings import CONDITIONS, SWITCH, Setting, choice, members, named, scaled, whole
from gateway.codecs.wire import Cursor

TEMPERATURE, LEAKAGE, DISTANCE = "temperature_alarm_config", "leakage_alarm_config", "distance_alarm_config"
WORD_MAX, SHORT_MIN, SHORT_MAX = 0xFFFF, -0x8000, 0x7FFF
ENABLED, RELEASED = 0x40, 0x80
OFFSET = "distance_calibration_settings"
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


def _write_distance(name: str, value: Any) -> bytes:
    config = members(value, name, "enable", "condition", "threshold_min", "threshold_max", "alarm_release_enable")
    head = choice(config["condition"], f"{name}.condition", CONDITIONS) | 1 << 3
    head |= ENABLED * choice(config["enable"], f"{name}.enable", SWITCH)
    head |= RELEASED * choice(config["alarm_release_enable"], f"{name}.alarm_release_enable", SWITCH)
    limits = (whole(config[f"threshold_{end}"], f"{name}.threshold_{end}", 0, WORD_MAX) for end in ENDS)
    return bytes([head]) + b"".join(each.to_bytes(2, "little") for each in limits) + bytes(4)


def _read_distance(cursor: Cursor) -> dict[str, Value]:
    head = cursor.unsigned()
    if head >> 3 & 7 != 1:
        raise Undecodable(f"{head:#04x} heads no threshold of this device that we know")
    config: dict[str, Value] = {
        "enable": SWITCH[bool(head & ENABLED)],
        "condition": named(head & 7, CONDITIONS, "condition"),
        "threshold_min": cursor.unsigned(2, little=True),
        "threshold_max": cursor.unsigned(2, little=True),
        "alarm_release_enable": SWITCH[bool(head & RELEASED)],
    }
    cursor.take(4)
    return {DISTANCE: config}


def _write_offset(name: str, value: Any) -> bytes:
    config = members(value, name, "enable", "calibration_value")
    offset = whole(config["calibration_value"], f"{name}.calibration_value", SHORT_MIN, SHORT_MAX)
    head = choice(config["enable"], f"{name}.enable", SWITCH)
    return bytes([2, head]) + offset.to_bytes(2, "little", signed=True)


def _read_offset(cursor: Cursor) -> dict[str, Value]:
    if cursor.unsigned() != 2:
        raise Undecodable("a calibration of anything but the distance is none of this device")
    enable = named(cursor.unsigned(), SWITCH, "enable")
    return {OFFSET: {"enable": enable, "calibration_value": cursor.signed(2, little=True)}}


EM300 = {
    0x06: Setting((TEMPERATURE, LEAKAGE), _write_em300, _read_em300),
    0xEA: Setting(tuple(CALIBRATIONS), _write_calibration, _read_calibration),
}
EM500_UDL = {
    0x06: Setting((DISTANCE,), _write_distance, _read_distance),
    0xF1: Setting((OFFSET,), _write_offset, _read_offset),
}
