"""From rows that turned to alarms: who, since when, and why (contract §4: inputs, thresholds, rule version)."""

from collections.abc import Iterator
from typing import Any

from rules.city import City, Roll
from rules.effects import ClearAlarm, RaiseAlarm
from rules.following import Following, Judged
from rules.memory import Rows, Times
from rules.occupancy import OCCUPIED, Occupancy
from rules.silence import Presence
from rules.stuck import Found, Stuck
from rules.timing import Latch, Turned
from telemetry.alarms import AlarmType, alarm_id, asset_subject
from telemetry.clock import SECOND_US, to_rfc3339
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS


def raised(
    city: City,
    roll: Roll,
    row: int,
    kind: AlarmType,
    at_us: int,
    cause_us: int,
    inputs: dict[str, Any],
    limits: dict[str, Any],
) -> RaiseAlarm:
    """An alarm about one asset."""
    asset = roll.assets[row].asset
    subject = asset_subject(asset)
    why = {"rule_version": city.thresholds.version, "inputs": inputs, "thresholds": limits}
    return RaiseAlarm(alarm_id(subject, kind, cause_us), at_us, subject, asset, kind, cause_us, why)


def cleared(asset: str, kind: AlarmType, at_us: int, cause_us: int) -> ClearAlarm:
    """The end of an alarm about one asset."""
    subject = asset_subject(asset)
    return ClearAlarm(alarm_id(subject, kind, cause_us), at_us, subject, kind)


def silence(
    city: City, roll: Roll, presence: Presence, interval_us: Times, gone: Rows, at_us: Times
) -> Iterator[RaiseAlarm]:
    """Devices that have fallen silent; `interval_us` `(n,)` is how often each reports."""
    missed = city.thresholds.presence.missed_intervals
    for row, at in zip(gone.tolist(), at_us.tolist(), strict=True):
        cause = int(presence.cause_us[row])
        inputs = {"last_heard_at": to_rfc3339(int(presence.heard_us[row])), "device": roll.assets[row].device}
        learned = bool(interval_us[row] != roll.interval_us[row])
        limits = {"missed_intervals": missed, "report_every_s": int(interval_us[row]) // SECOND_US, "learned": learned}
        yield raised(city, roll, row, AlarmType.DEVICE_SILENT, at, cause, inputs, limits)


def heard(roll: Roll, presence: Presence, back: Rows, at_us: Times) -> Iterator[ClearAlarm]:
    """Devices that are heard again."""
    for row, at in zip(back.tolist(), at_us.tolist(), strict=True):
        cause = int(presence.cause_us[row])
        yield cleared(roll.assets[row].asset, AlarmType.DEVICE_SILENT, at, cause)


def battery(city: City, roll: Roll, latch: Latch, turned: Turned) -> Iterator[RaiseAlarm | ClearAlarm]:
    """Batteries that are low, or are so no more."""
    figures = ("battery_low_pct", "battery_deadband_pct", "battery_raise_delay_s")
    for row, at in zip(turned.rows.tolist(), turned.at_us.tolist(), strict=True):
        cause = int(latch.cause_us[row])
        if not latch.active[row]:
            yield cleared(roll.assets[row].asset, AlarmType.BATTERY_LOW, at, cause)
            continue
        inputs = {"battery_pct": float(latch.value[row]), "device": roll.assets[row].device}
        limits = {name: float(city.figures(roll.kind, "sensors", name)[row]) for name in figures}
        yield raised(city, roll, row, AlarmType.BATTERY_LOW, at, cause, inputs, limits)


def following(
    city: City, roll: Roll, lamps: Following, judged: Judged, at_us: Times
) -> Iterator[RaiseAlarm | ClearAlarm]:
    """Lamps that do not follow, or do again; `at_us` `(n,)` is when each reported."""
    for row, level in zip(judged.failing.tolist(), judged.level_pct.tolist(), strict=True):
        inputs = {"level_pct": level, "setpoint_pct": float(lamps.acked_pct[row])}
        limits = {"points": FOLLOWED_POINTS, "reports": FOLLOW_REPORTS}
        cause = int(lamps.cause_us[row])
        yield raised(city, roll, row, AlarmType.LAMP_NOT_FOLLOWING, int(at_us[row]), cause, inputs, limits)
    for row in judged.back.tolist():
        cause = int(lamps.cause_us[row])
        yield cleared(roll.assets[row].asset, AlarmType.LAMP_NOT_FOLLOWING, int(at_us[row]), cause)


def stuck(
    city: City, roll: Roll, bays: Occupancy, memory: Stuck, found: Found, at_us: int
) -> Iterator[RaiseAlarm | ClearAlarm]:
    """Bays that are stuck, and bays that are not any more."""
    parking = city.thresholds.parking
    limits = {"stuck_changes": parking.stuck_changes, "stuck_after_s": parking.stuck_after_s}
    for row, ahead in zip(found.stuck.tolist(), found.ahead.tolist(), strict=True):
        cause = int(memory.cause_us[row])
        inputs = {
            "occupied": bool(bays.shown[row] == OCCUPIED),
            "unchanged_since": to_rfc3339(cause),
            "changes_of_the_zones_median_bay": ahead,
        }
        yield raised(city, roll, row, AlarmType.PARKING_BAY_STUCK, at_us, cause, inputs, limits)
    for row in found.free.tolist():
        cause = int(memory.cause_us[row])
        yield cleared(roll.assets[row].asset, AlarmType.PARKING_BAY_STUCK, at_us, cause)
