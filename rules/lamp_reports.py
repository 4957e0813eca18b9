"""What the reports of street lights mean: faults, movement, and the light that a photocell sees."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rules import boost, lamp_alarms, lamp_faults, leases, photocell
from rules.arrival import Arrivals
from rules.cabinets import Feed
from rules.city import LAMPS, City
from rules.effects import ClearAlarm, RaiseAlarm
from rules.lamp_alarms import Trouble
from rules.lamp_faults import Report
from rules.memory import NEVER_US, Bools, Rows, Times
from rules.state import State
from rules.timing import Turned
from rules.wanted import patience_us
from telemetry.alarms import AlarmType
from telemetry.clock import DAY_US

AlarmChange = RaiseAlarm | ClearAlarm


def measure(city: City, state: State, feed: Feed, wave: Arrivals, at_us: Times, after: Bools) -> Iterator[AlarmChange]:
    """One report a lamp at most. `after`: it was not said before an acknowledgement that came in the same batch."""
    _sense(city, state, wave, at_us)
    report = _report(city, state, wave, at_us, after)
    found: list[tuple[AlarmType, Trouble, Turned]] = [
        (AlarmType.LAMP_FAULT, state.dead, lamp_faults.dead(state.dead, city, report)),
        (AlarmType.LAMP_UNEXPECTEDLY_ON, state.by_day, lamp_faults.by_day(state.by_day, city, report)),
        (AlarmType.LAMP_CYCLING, state.cycling, lamp_faults.cycling(state.cycling, city, state.following, report)),
    ]
    yield from _supply(city, state, feed, lamp_faults.supply(state.supply, city, report))
    if any(len(turned.rows) for _, _, turned in found):
        place = np.full(len(city.rolls[LAMPS]), -1, np.intp)
        place[report.rows] = np.arange(len(report.rows))
        for kind, memory, turned in found:
            said = [_said(report, each) for each in place[turned.rows].tolist()]
            yield from lamp_alarms.turned(city, kind, memory, turned, said)


def run_out(city: City, state: State, feed: Feed, rows: Rows, until_us: Times | int) -> Iterator[AlarmChange]:
    """Let the timers of lamps run out that are due by a moment."""
    running: Bools = state.supply.since_us[rows] != NEVER_US
    if running.any():
        until_us = until_us if isinstance(until_us, int) else until_us[running]
        yield from _supply(city, state, feed, lamp_faults.expire_supply(state.supply, city, rows[running], until_us))


def standing(state: State) -> list[tuple[AlarmType, Bools, Times]]:
    """Of each type of alarm about a lamp's own reports: which stand, and their causes."""
    memories: list[tuple[AlarmType, Trouble]] = [
        (AlarmType.LAMP_FAULT, state.dead),
        (AlarmType.LAMP_UNEXPECTEDLY_ON, state.by_day),
        (AlarmType.LAMP_CYCLING, state.cycling),
    ]
    found = [(kind, memory.active, memory.cause_us) for kind, memory in memories]
    return [*found, (AlarmType.SUPPLY_LOSS, state.supply.active & ~state.folded.powerless, state.supply.cause_us)]


def _supply(city: City, state: State, feed: Feed, turned: Turned) -> Iterator[AlarmChange]:
    if len(turned.rows):
        alone, changes = feed.powerless(turned)
        yield from changes
        mine = Turned(turned.rows[alone], turned.at_us[alone])
        yield from lamp_alarms.turned(city, AlarmType.SUPPLY_LOSS, state.supply, mine)


def _report(city: City, state: State, wave: Arrivals, at_us: Times, after: Bools) -> Report:
    rows, fields = wave.row, wave.fields
    overridden = leases.overridden(state.lease)[rows] & (state.lease.override_pct[rows] > 0)
    boosted = at_us <= state.boost.held_us[rows] + city.lamps.ramp_down_us[rows]
    return Report(
        now_us=state.now_us,
        rows=rows,
        at_us=at_us,
        before_us=state.presence[LAMPS].position_us[rows],
        level_pct=fields["level_pct"],
        power_w=fields["power_w"],
        voltage_v=fields["voltage_v"],
        setpoint_pct=fields["setpoint_pct"],
        lamp_fault=fields["lamp_fault"],
        told=lamp_faults.told(state.following, rows, at_us) & after,
        told_pct=state.following.acked_pct[rows],
        ordered=overridden | boosted,
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
        if at < state.now_us - DAY_US:
            continue
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
