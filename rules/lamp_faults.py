"""What is wrong with a lamp by its own reports: it is dead, burns by day, switches by itself, or has no supply. Pure.

What was ordered is no fault: a lamp is judged by the setpoint that it has acknowledged and that is in force. A circuit
that is switched off by day has no voltage then, which is no loss.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rules import following, tally, timing
from rules.city import LAMPS, City
from rules.following import Following
from rules.memory import Bools, Codes, Column, CountColumn, FlagColumn, Memory, Reals, Rows, TimeColumn, Times
from rules.sun import Sun
from rules.tally import Enough, Tally
from rules.timing import Delays, Latch, Turned
from telemetry.clock import DAY_US, SECOND_US


@dataclass(slots=True, eq=False)
class Cycling(Memory):
    """`burning`: 1, 0, or −1 where not known. `count` switches since `first_us`, the last at `last_us`."""

    burning: Annotated[Codes, Column(np.int8, -1)]
    count: CountColumn
    first_us: TimeColumn
    last_us: TimeColumn
    active: FlagColumn
    cause_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Report:
    """One report a lamp, `(k,)` each, NaN where it does not say; `before_us` is when the one before was measured.

    `told`: a setpoint is in force, `told_pct`. `ordered`: it is to burn by an override or a boost. `now_us` is when the
    reports are read.
    """

    now_us: int

    rows: Rows
    at_us: Times
    before_us: Times
    level_pct: Reals
    power_w: Reals
    voltage_v: Reals
    setpoint_pct: Reals
    lamp_fault: Reals
    told: Bools
    told_pct: Reals
    ordered: Bools

    @property
    def near_us(self) -> tuple[Bools, Times]:
        """Which were measured within a day, and when; the sun is not asked about others, whatever times they claim."""
        oldest_us = self.now_us - DAY_US
        return self.at_us >= oldest_us, np.maximum(self.at_us, oldest_us)


def told(lamps: Following, rows: Rows, at_us: Times) -> Bools:
    """Which lamps have acknowledged a setpoint that is in force."""
    in_force = following.speaks(at_us, lamps.acked_us[rows], lamps.acked_until_us[rows])
    known: Bools = in_force & ~np.isnan(lamps.acked_pct[rows])
    return known


def dead(memory: Tally, city: City, report: Report) -> Turned:
    """Told to burn, and no power is drawn, or the device itself says that the lamp has failed, whatever its level.

    A dead lamp gives no light: a level of 0 takes nothing from its device's word. It is over once it is seen to burn.
    """
    hinted = np.where(np.isnan(report.setpoint_pct), report.level_pct, report.setpoint_pct)
    to_burn = np.where(report.told, report.told_pct, hinted) > 0
    none = report.power_w <= city.figures(LAMPS, "lamp_faults", "dead_power_w")[report.rows]
    said = report.lamp_fault == 1
    raises = said | (to_burn & none)
    clears = to_burn & ~raises & ~(np.isnan(report.power_w) & np.isnan(report.lamp_fault))
    enough = Enough(
        city.figures(LAMPS, "lamp_faults", "dead_reports"), city.figures(LAMPS, "lamp_faults", "alive_reports")
    )
    return tally.observe(memory, report.rows, report.at_us, report.power_w, raises, clears, enough)


def by_day(memory: Latch, city: City, report: Report) -> Turned:
    """It burns by day, and nobody ordered it; near dusk and dawn, where a photocell may decide, nothing is said."""
    rows, at_us = report.rows, report.at_us
    width_us = city.thresholds.lighting.photocell_window_s * SECOND_US * int(city.lamps.is_cell.any())
    near, recent_us = report.near_us
    night = dark(city.clock, recent_us) | dark(city.sun, recent_us)
    twilight = dark(city.clock, recent_us - width_us) | dark(city.clock, recent_us + width_us)
    ordered = report.ordered | (report.told & (report.told_pct > 0)) | (city.lamps.day_level_pct[rows] > 0)
    burns = report.level_pct > city.figures(LAMPS, "lamp_faults", "on_by_day_pct")[rows]
    raises = near & burns & ~night & ~twilight & ~ordered
    clears = near & (~burns | night | ordered)
    delays = _delays(city, "on_by_day_delay_s", "off_by_day_delay_s")
    timing.observe(memory, rows, at_us, report.level_pct, raises, clears)
    return timing.fire(memory, rows, at_us, delays)


def cycling(memory: Cycling, city: City, lamps: Following, report: Report) -> Turned:
    """It goes on and off again and again, and nobody ordered it; counted from the first time within the window."""
    rows, at_us = report.rows, report.at_us
    of = {name: city.figures(LAMPS, "lamp_faults", name)[rows] for name in _CYCLING}
    drawn = report.power_w > city.figures(LAMPS, "lamp_faults", "dead_power_w")[rows]
    burning = np.where(np.isnan(report.power_w), report.level_pct > 0, drawn)
    was = memory.burning[rows]
    settled = (lamps.acked_us[rows] < report.before_us) | (lamps.acked_until_us[rows] < report.before_us)
    switched = (was >= 0) & (was != burning) & (settled | np.isnan(lamps.acked_pct[rows]))
    memory.burning[rows] = burning
    fresh = switched & (at_us - memory.first_us[rows] > of["cycling_window_s"] * SECOND_US)
    memory.first_us[rows[fresh]], memory.count[rows[fresh]] = at_us[fresh], 0
    memory.last_us[rows[switched]] = at_us[switched]
    memory.count[rows[switched]] += 1
    rises = switched & ~memory.active[rows] & (memory.count[rows] > of["cycling_switches"])
    quiet = at_us - memory.last_us[rows] >= of["cycling_clear_s"] * SECOND_US
    turned = rises | (memory.active[rows] & quiet)
    memory.cause_us[rows[rises]] = memory.first_us[rows[rises]]
    memory.active[rows[turned]] ^= True
    return Turned(rows[turned], at_us[turned])


_CYCLING = ("cycling_window_s", "cycling_switches", "cycling_clear_s")


def supply(memory: Latch, city: City, report: Report) -> Turned:
    """There is too little voltage, where there should be some."""
    rows, volts = report.rows, report.voltage_v
    low = city.figures(LAMPS, "lamp_faults", "supply_low_v")[rows]
    near, recent_us = report.near_us
    expected = near & (dark(city.clock, recent_us) | (not city.thresholds.presence.lamps_silent_by_day))
    clears = volts >= low + city.figures(LAMPS, "lamp_faults", "supply_deadband_v")[rows]
    says = ~np.isnan(volts)
    raises = (volts < low) & expected
    timing.observe(memory, rows[says], report.at_us[says], volts[says], raises[says], clears[says])
    return expire_supply(memory, city, rows, report.at_us)


def expire_supply(memory: Latch, city: City, rows: Rows, until_us: Times | int) -> Turned:
    """The losses of supply that come or go because their delay has run out."""
    return timing.fire(memory, rows, until_us, _delays(city, "supply_raise_delay_s", "supply_clear_delay_s"))


def dark(sun: Sun, at_us: Times) -> Bools:
    """Whether it was dark at each of these moments."""
    if not len(at_us):
        return np.zeros(0, np.bool_)
    first_us, last_us = int(at_us.min()), int(at_us.max())
    changes = sun.changes(first_us + 1, last_us + 1)
    turns = np.searchsorted(np.array([when for when, _ in changes], np.int64), at_us, side="right")
    found: Bools = (turns % 2 == 1) ^ sun.dark_at(first_us)
    return found


def _delays(city: City, on: str, off: str) -> Delays:
    on_us, off_us = ((city.figures(LAMPS, "lamp_faults", each) * SECOND_US).astype(np.int64) for each in (on, off))
    return Delays(on_us, off_us)
