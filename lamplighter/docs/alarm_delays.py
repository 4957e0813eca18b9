"""When each type of alarm comes and when it goes, with the figures that hold where a rule file says nothing else."""

from rules import queue_filling, radio
from telemetry.alarms import AlarmType
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS
from telemetry.thresholds import DAY_S, Thresholds

_HOLDS = Thresholds()
_DRAINS, _SENSORS, _LAMPS, _PARKING = _HOLDS.drainage, _HOLDS.sensors, _HOLDS.lamp_faults, _HOLDS.parking


def span(seconds: float) -> str:
    """A duration in words, `at once` for none."""
    for unit_s, unit in ((DAY_S, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:g} {unit}"
    return f"{seconds:g} s" if seconds else "at once"


def _held(seconds: float) -> str:
    return f"for {span(seconds)}" if seconds else "at once"


COMES_AND_GOES = {
    AlarmType.DRAIN_HIGH: (
        f"at or above `crown_m` {_held(_DRAINS.high_raise_delay_s)}",
        f"{_DRAINS.deadband_m:g} m below it {_held(_DRAINS.high_clear_delay_s)}",
    ),
    AlarmType.DRAIN_OVERFLOW: (
        f"at or above `ground_m` {_held(_DRAINS.overflow_raise_delay_s)}; but a jump of more than"
        f" {_SENSORS.step_m_max:g} m and {_SENSORS.step_m_per_min_max:g} m a minute waits for a second reading that"
        " confirms it",
        f"{_DRAINS.deadband_m:g} m below it {_held(_DRAINS.overflow_clear_delay_s)}",
    ),
    AlarmType.DRAIN_RISING_FAST: (
        f"at once when at least 3 readings show that `ground_m` is reached within {span(_DRAINS.rising_fast_within_s)}",
        f"not within twice as long {_held(_DRAINS.rising_clear_delay_s)}",
    ),
    AlarmType.DRAIN_BLOCKAGE: (
        f"known dry for {span(_DRAINS.blockage_dry_s)}, above its usual level {_held(_DRAINS.blockage_raise_delay_s)}",
        f"back at it {_held(_DRAINS.blockage_clear_delay_s)}",
    ),
    AlarmType.SENSOR_FAULT: (
        "three readings in a row, or every other one, that no water gives; or the same level to the millimetre"
        f" for {span(_SENSORS.flat_line_s)}",
        "after a few readings that water gives",
    ),
    AlarmType.DEVICE_SILENT: (
        f"nothing heard for {_HOLDS.presence.missed_intervals} of its report intervals; of lamps between dusk and dawn",
        "with its next message",
    ),
    AlarmType.GATEWAY_OUTAGE: (f"known to be gone for {span(radio.OUT_S)}", "when it is heard"),
    AlarmType.CABINET_OUTAGE: (
        f"at least {_HOLDS.folding.least} of its lamps, and {_HOLDS.folding.raise_pct:g} % of those that were heard,"
        " are silent or without supply",
        f"fewer than {_HOLDS.folding.clear_pct:g} %",
    ),
    AlarmType.LAMP_FAULT: (
        f"{_LAMPS.dead_reports} reports in a row that say `lamp_fault`, or told to burn and at most"
        f" {_LAMPS.dead_power_w:g} W",
        f"{_LAMPS.alive_reports} reports in a row that show it burning",
    ),
    AlarmType.LAMP_NOT_FOLLOWING: (
        f"none of {FOLLOW_REPORTS} reports after the acknowledgement within {FOLLOWED_POINTS:g} points of the setpoint",
        "with the next report that follows",
    ),
    AlarmType.LAMP_UNEXPECTEDLY_ON: (
        f"more than {_LAMPS.on_by_day_pct:g} % by day that nobody ordered, {_held(_LAMPS.on_by_day_delay_s)}",
        f"off, or told to burn, {_held(_LAMPS.off_by_day_delay_s)}",
    ),
    AlarmType.LAMP_CYCLING: (
        f"more than {_LAMPS.cycling_switches} switches that nobody ordered within {span(_LAMPS.cycling_window_s)}",
        f"none {_held(_LAMPS.cycling_clear_s)}",
    ),
    AlarmType.SUPPLY_LOSS: (
        f"less than {_LAMPS.supply_low_v:g} V {_held(_LAMPS.supply_raise_delay_s)}",
        f"{_LAMPS.supply_deadband_v:g} V more {_held(_LAMPS.supply_clear_delay_s)}",
    ),
    AlarmType.BATTERY_LOW: (
        f"`battery_pct` at or below {_SENSORS.battery_low_pct:g} % in every report"
        f" {_held(_SENSORS.battery_raise_delay_s)}; it comes with a report",
        f"a report of {_SENSORS.battery_low_pct + _SENSORS.battery_deadband_pct:g} % or more",
    ),
    AlarmType.PARKING_BAY_STUCK: (
        f"the same {_held(_PARKING.stuck_after_s)} while its zone's median bay changed {_PARKING.stuck_changes} times",
        "when it changes",
    ),
    AlarmType.COMMAND_FAILED: (
        f"a command that is rejected, or not acknowledged after it was sent {_HOLDS.commanding.sends_max} times to a"
        " device that is heard",
        "with its next acknowledgement",
    ),
    AlarmType.LEDGER_IMBALANCE: ("a check of a UTC day, every hour, that does not add up", "a check that does"),
    AlarmType.QUEUE_FILLING: (
        f"{queue_filling.RAISE_PCT:g} % of what the broker keeps {_held(queue_filling.RAISE_S)}; a loss: at once",
        f"below {queue_filling.CLEAR_PCT:g} % {_held(queue_filling.CLEAR_S)}; after a loss in"
        f" {span(queue_filling.DROPPED_S)}",
    ),
}
"""The condition that raises each type, and the one that clears it."""
