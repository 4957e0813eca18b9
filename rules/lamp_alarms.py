"""From lamps whose own reports have turned to alarms, with the figures that stand behind each (contract §4)."""

from collections.abc import Iterator, Sequence
from typing import Any

from rules import alarming
from rules.city import LAMPS, City
from rules.effects import ClearAlarm, RaiseAlarm
from rules.lamp_faults import Cycling
from rules.tally import Tally
from rules.timing import Latch, Turned
from telemetry.alarms import AlarmType
from telemetry.clock import to_rfc3339

FIGURES: dict[AlarmType, tuple[str, ...]] = {
    AlarmType.LAMP_FAULT: ("dead_power_w", "dead_reports", "alive_reports"),
    AlarmType.LAMP_UNEXPECTEDLY_ON: ("on_by_day_pct", "on_by_day_delay_s", "off_by_day_delay_s"),
    AlarmType.LAMP_CYCLING: ("cycling_switches", "cycling_window_s", "cycling_clear_s"),
    AlarmType.SUPPLY_LOSS: ("supply_low_v", "supply_deadband_v", "supply_raise_delay_s", "supply_clear_delay_s"),
}
"""The figures of section `lamp_faults` that stand behind each alarm."""

Trouble = Tally | Latch | Cycling


def turned(
    city: City, kind: AlarmType, memory: Trouble, turned: Turned, said: Sequence[dict[str, Any]] | None = None
) -> Iterator[RaiseAlarm | ClearAlarm]:
    """Alarms that come and go; `said` is what each of these lamps has just reported, `None` if nothing."""
    roll = city.rolls[LAMPS]
    for place, (row, at_us) in enumerate(zip(turned.rows.tolist(), turned.at_us.tolist(), strict=True)):
        cause_us = int(memory.cause_us[row])
        if not memory.active[row]:
            yield alarming.cleared(roll.assets[row].asset, kind, at_us, cause_us)
            continue
        limits = {name: float(city.figures(LAMPS, "lamp_faults", name)[row]) for name in FIGURES[kind]}
        inputs = {"since": to_rfc3339(cause_us)} | _remembered(kind, memory, row) | (said[place] if said else {})
        yield alarming.raised(city, roll, row, kind, at_us, cause_us, inputs, limits)


def _remembered(kind: AlarmType, memory: Trouble, row: int) -> dict[str, Any]:
    if isinstance(memory, Cycling):
        return {"switches": int(memory.count[row])}
    return {"voltage_v": float(memory.value[row])} if kind is AlarmType.SUPPLY_LOSS else {}
