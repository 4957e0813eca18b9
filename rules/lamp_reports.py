"""What the reports of street lights mean: faults, movement, and the light that a photocell sees; with the alarms."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rules import alarming, boost, lamp_faults, leases, photocell
from rules.arrival import Arrivals
from rules.city import LAMPS, City, Roll
from rules.effects import ClearAlarm, RaiseAlarm
from rules.lamp_faults import Cycling, Report
from rules.memory import NEVER_US, Bools, Rows, Times
from rules.state import State
from rules.tally import Tally
from rules.timing import Latch, Turned
from rules.wanted import patience_us
from telemetry.alarms import AlarmType
from telemetry.clock import to_rfc3339

AlarmChange = RaiseAlarm | ClearAlarm

FIGURES: dict[AlarmType, tuple[str, ...]] = {
    AlarmType.LAMP_FAULT: ("dead_power_w", "dead_reports", "alive_reports"),
    AlarmType.LAMP_UNEXPECTEDLY_ON: ("on_by_day_pct", "on_by_day_delay_s", "off_by_day_delay_s"),
    AlarmType.LAMP_CYCLING: ("cycling_switches", "cycling_window_s", "cycling_clear_s"),
    AlarmType.SUPPLY_LOSS: ("supply_low_v", "supply_deadband_v", "supply_raise_delay_s", "supply_clear_delay_s"),
}
"""The figures that stand behind each alarm."""


def measure(city: City, state: State, wave: Arrivals, at_us: Times, after: Bools) -> Iterator[AlarmChange]:
    """One report a lamp at most. `after`: it was not said before an acknowledgement that came in the same batch."""
    _sense(city, state, wave, at_us)
    report = _report(city, state, wave, at_us, after)
    dead = lamp_faults.dead(state.dead, city, report)
    by_day = lamp_faults.by_day(state.by_day, city, report)
    cycling = lamp_faults.cycling(state.cycling, city, state.following, report)
    supply = lamp_faults.supply(state.supply, city, report)
    if not any(len(each.rows) for each in (dead, by_day, cycling, supply)):
        return
    place = np.full(len(city.rolls[LAMPS]), -1, np.intp)
    place[report.rows] = np.arange(len(report.rows))
    for kind, memory, turned in _all(state, dead, by_day, cycling, supply):
        yield from _alarms(city, kind, memory, turned, [_said(report, each) for each in place[turned.rows].tolist()])


def run_out(city: City, state: State, rows: Rows, until_us: Times | int) -> Iterator[AlarmChange]:
    """Let the timers of lamps run out that are due by a moment."""
    running: Bools = state.supply.since_us[rows] != NEVER_US
    if running.any():
        until_us = until_us if isinstance(until_us, int) else until_us[running]
        turned = lamp_faults.expire_supply(state.supply, city, rows[running], until_us)
        yield from _alarms(city, AlarmType.SUPPLY_LOSS, state.supply, turned, [{}] * len(turned.rows))


def standing(state: State) -> list[tuple[AlarmType, Bools, Times]]:
    """Of each type of alarm about a lamp's own reports: which stand, and their causes."""
    memories: list[tuple[AlarmType, Tally | Latch | Cycling]] = [
        (AlarmType.LAMP_FAULT, state.dead),
        (AlarmType.LAMP_UNEXPECTEDLY_ON, state.by_day),
        (AlarmType.LAMP_CYCLING, state.cycling),
        (AlarmType.SUPPLY_LOSS, state.supply),
    ]
    return [(kind, memory.active, memory.cause_us) for kind, memory in memories]


def _all(
    state: State, dead: Turned, by_day: Turned, cycling: Turned, supply: Turned
) -> list[tuple[AlarmType, Tally | Latch | Cycling, Turned]]:
    return [
        (AlarmType.LAMP_FAULT, state.dead, dead),
        (AlarmType.LAMP_UNEXPECTEDLY_ON, state.by_day, by_day),
        (AlarmType.LAMP_CYCLING, state.cycling, cycling),
        (AlarmType.SUPPLY_LOSS, state.supply, supply),
    ]


def _report(city: City, state: State, wave: Arrivals, at_us: Times, after: Bools) -> Report:
    rows, fields = wave.row, wave.fields
    told = lamp_faults.told(state.following, rows, at_us) & after
    overridden = leases.overridden(state.lease)[rows] & (state.lease.override_pct[rows] > 0)
    boosted = at_us <= state.boost.held_us[rows] + city.lamps.ramp_down_us[rows]
    return Report(
        rows,
        at_us,
        state.presence[LAMPS].position_us[rows],
        fields["level_pct"],
        fields["power_w"],
        fields["voltage_v"],
        fields["setpoint_pct"],
        fields["lamp_fault"],
        told,
        state.following.acked_pct[rows],
        overridden | boosted,
    )


def _sense(city: City, state: State, wave: Arrivals, at_us: Times) -> None:
    """Movement, and light where a photocell decides."""
    lamps, rows = city.lamps, wave.row
    moved = lamps.direct[rows] & (wave.fields["motion"] > 0)
    if moved.any():
        boost.see(state.boost, lamps, *lamps.with_neighbours(rows[moved].tolist(), at_us[moved].tolist()))
    lux = wave.fields["lux"]
    for place in np.flatnonzero(lamps.is_cell[rows] & ~np.isnan(lux)).tolist():
        row, at = int(rows[place]), int(at_us[place])
        window = photocell.window(city.clock, city.sun, city.thresholds.lighting, at)
        if window is not None:
            limits = lamps.cell_limits(row, patience_us(city, row))
            photocell.read(state.photocell, row, at, float(lux[place]), window, limits)


def _said(report: Report, place: int) -> dict[str, Any]:
    """What a lamp said, of what matters to its faults."""
    names = ("level_pct", "setpoint_pct", "power_w", "voltage_v")
    inputs: dict[str, Any] = {name: float(getattr(report, name)[place]) for name in names}
    inputs["setpoint_pct"] = float(report.told_pct[place]) if report.told[place] else inputs["setpoint_pct"]
    said = {name: value for name, value in inputs.items() if value == value}
    return said | ({"lamp_fault": True} if report.lamp_fault[place] == 1 else {})


def _alarms(
    city: City, kind: AlarmType, memory: Tally | Latch | Cycling, turned: Turned, said: list[dict[str, Any]]
) -> Iterator[AlarmChange]:
    roll: Roll = city.rolls[LAMPS]
    for row, at_us, inputs in zip(turned.rows.tolist(), turned.at_us.tolist(), said, strict=True):
        cause_us = int(memory.cause_us[row])
        if not memory.active[row]:
            yield alarming.cleared(roll.assets[row].asset, kind, at_us, cause_us)
            continue
        limits = {name: float(city.figures(LAMPS, "lamp_faults", name)[row]) for name in FIGURES[kind]}
        inputs = inputs | {"since": to_rfc3339(cause_us)} | _counted(memory, row)
        yield alarming.raised(city, roll, row, kind, at_us, cause_us, inputs, limits)


def _counted(memory: Tally | Latch | Cycling, row: int) -> dict[str, Any]:
    if isinstance(memory, Cycling):
        return {"switches": int(memory.count[row])}
    if isinstance(memory, Latch):
        return {"value": round(float(memory.value[row]), 2)}
    return {}
