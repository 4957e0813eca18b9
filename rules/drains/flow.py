"""The way of a drain's observation through its rules, as a list of steps; and what happens when nothing is said."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rules import alarming, overflow, timing
from rules.arrival import Arrivals
from rules.city import DRAINS, City
from rules.drains import belief, blockage, outlook, rain, reasons, water
from rules.drains.reasons import Scene, Why
from rules.drains.sewer import SENSORS
from rules.effects import Effect, RaiseAlarm
from rules.memory import Bools, Reals, Rows, Times
from rules.overflow import Stage
from rules.state import State
from rules.timing import Latch, Turned
from telemetry.alarms import AlarmType, Severity
from telemetry.clock import MINUTE_US

SLOT_US = 5 * MINUTE_US
"""What one drain knows of the rain over another is so exact."""
SENSOR_LIMITS = (
    "below_invert_m_max",
    "above_ground_m_max",
    "step_m_max",
    "step_m_per_min_max",
    "flat_line_s",
    "flat_in_rain_s",
)
BLOCKAGE_LIMITS = ("deadband_m", "blockage_dry_s", "blockage_raise_delay_s", "blockage_learn_days")


@dataclass(frozen=True, slots=True)
class Drains:
    """All drains in one step; changes `state`, adds to `effects`."""

    city: City
    state: State
    effects: list[Effect]

    def measure(self, wave: Arrivals, at_us: Times) -> None:
        """One observation a drain."""
        state, sewer = self.state, self.city.sewer
        rain.report(state.rain, sewer, wave.row, at_us, wave.fields["rain_mm_h"])
        level_m = wave.fields["level_m"]
        says = ~np.isnan(level_m)
        judged = self._believe(wave.row[says], at_us[says], level_m[says])
        says[says] = judged.believed
        rows, at_us, level_m = wave.row[says], at_us[says], level_m[says]
        if not len(rows):
            return
        gap_us = at_us - state.water.at_us[rows, -1]
        water.remember(state.water, rows, at_us, level_m)
        told = self._look_ahead(rows, at_us, level_m)
        stages = [(each, overflow.measure(*each, rows, at_us, level_m)) for each in self._stages()]
        self._note_stage(rows)
        for (latch, stage), turned in stages:
            self._turn_stage(latch, stage, turned)
        self._turn_rising(told)
        usual = (state.blockage, state.usual, state.rain, sewer)
        self._turn_blockage(blockage.measure(*usual, rows, at_us, level_m, gap_us))

    def run_out(self, rows: Rows, until_us: Times | int) -> None:
        """Let the timers of these drains run out that are due by a moment."""
        outlook.expire(self.state.drain_outlook, rows, until_us)
        for latch, stage in self._stages():
            turned = overflow.expire(latch, stage, rows, until_us)
            if len(turned.rows):
                self._note_stage(turned.rows)
                self._turn_stage(latch, stage, turned)
        self._turn_rising(timing.fire(self.state.rising, rows, until_us, outlook.delays(self.city.sewer)))

    def silent(self, said: Iterable[RaiseAlarm], rows: Rows, at_us: Times) -> Iterator[RaiseAlarm]:
        """The alarms of drains that are silent: while it rains they are critical, and tell where the water was last."""
        for alarm, row, moment_us in zip(said, rows.tolist(), at_us.tolist(), strict=True):
            inputs = alarm.why["inputs"] | self._scene().weather(row, moment_us) | self._scene().last(row)
            wet = bool(self._is_wet(np.array([row]), np.array([moment_us]))[0])
            self.state.rain.escalated[row] = wet
            why = alarm.why | {
                "inputs": inputs | {"escalated": "It rains, and nobody sees the water."} if wet else inputs
            }
            yield replace(alarm, why=why, severity=Severity.CRITICAL if wet else None)

    def unseen(self, now_us: int) -> tuple[Rows, Times]:
        """The drains that were silent before it began to rain, and when that is found."""
        silent, escalated = self.state.presence[DRAINS].silent, self.state.rain.escalated
        escalated &= silent
        rows = np.flatnonzero(silent & ~escalated)
        if len(rows):
            rows = rows[self._is_wet(rows, np.full(len(rows), now_us))]
        return rows, np.full(len(rows), now_us)

    def _is_wet(self, rows: Rows, at_us: Times) -> Bools:
        """Over which drains it is known to rain."""
        sewer = self.city.sewer
        wet: Bools = rain.over(self.state.rain, sewer, rows, at_us).mm_h >= sewer.figure("rain_wet_mm_h")[rows]
        return wet

    def judge_again(self, rows: Rows, now_us: int) -> None:
        """Hold the last levels of these drains against figures that have changed; the silent are not known."""
        level_m = self.state.water.level_m[rows, -1]
        known = ~np.isnan(level_m) & ~self.state.presence[DRAINS].silent[rows]
        rows, level_m = rows[known], level_m[known]
        for latch, stage in self._stages() if len(rows) else ():
            turned = overflow.measure(latch, stage, rows, np.full(len(rows), now_us), level_m)
            self._note_stage(turned.rows)
            self._turn_stage(latch, stage, turned)

    def release(self, now_us: int) -> None:
        """Alarms whose height or sensor has left the registry are over, and delays towards them end."""
        for latch, stage in self._stages():
            rows = overflow.release(latch, stage)
            if len(rows):
                self._note_stage(rows)
                self._turn_stage(latch, stage, Turned(rows, np.full(len(rows), now_us)))
        unlimited = self.city.sewer.stages[-1].unlimited
        lost = unlimited[self.state.rising.active[unlimited]]
        self.state.rising.active[lost] = False
        self._turn_rising(Turned(lost, np.full(len(lost), now_us)))
        gone = belief.unwatch(self.state.belief, self.city.rolls[DRAINS].served)
        for row in gone.tolist():
            self._clear(row, AlarmType.SENSOR_FAULT, now_us, int(self.state.belief.cause_us[row]))

    def _believe(self, rows: Rows, at_us: Times, level_m: Reals) -> belief.Judged:
        """Leave out what no water does, and say so when it lasts."""
        state, sewer = self.state, self.city.sewer
        judged = belief.judge(state.belief, state.water, state.rain, sewer, rows, at_us, level_m)
        for place in np.flatnonzero(judged.raised | judged.cleared).tolist():
            row, moment_us, cause_us = int(rows[place]), int(at_us[place]), int(state.belief.cause_us[rows[place]])
            if judged.cleared[place]:
                self._clear(row, AlarmType.SENSOR_FAULT, moment_us, cause_us)
                continue
            inputs = self._scene().fault(row, state.belief, moment_us)
            limits = reasons.limits(sewer, row, *SENSOR_LIMITS, section=SENSORS)
            self._raise(row, AlarmType.SENSOR_FAULT, moment_us, cause_us, inputs, limits)
        return judged

    def _look_ahead(self, rows: Rows, at_us: Times, level_m: Reals) -> Turned:
        """How fast the water rises, and when it will reach the ground."""
        sewer = self.city.sewer
        rise = water.rise(self.state.water, sewer, rows)
        self.state.drain_outlook.at_least[rows] = belief.at_blind_zone(sewer, rows, level_m)
        told = outlook.tell(self.state.drain_outlook, sewer, rows, at_us, level_m, rise)
        return outlook.judge(self.state.rising, sewer, rows, at_us, rise, told)

    def _note_stage(self, rows: Rows) -> None:
        stage = np.full(len(rows), overflow.NORMAL, np.int8)
        for code, (latch, _) in enumerate(self._stages(), overflow.PRE_ALARM):
            stage[latch.active[rows]] = code
        self.state.drain_outlook.stage[rows] = stage

    def _turn_stage(self, latch: Latch, stage: Stage, turned: Turned) -> None:
        if stage.type is None:
            return
        for row, at_us, cause_us in _each(latch, turned):
            if latch.active[row]:
                inputs = self._scene().stage(row, cause_us, at_us, latch)
                self._raise(row, stage.type, at_us, cause_us, inputs, reasons.stage_limits(stage, row))
            else:
                self._clear(row, stage.type, at_us, cause_us)

    def _turn_rising(self, turned: Turned) -> None:
        latch, kind, sewer = self.state.rising, AlarmType.DRAIN_RISING_FAST, self.city.sewer
        for row, at_us, cause_us in _each(latch, turned):
            if latch.active[row]:
                limits = reasons.limits(sewer, row, "rising_fast_within_s", "slope_window_s", "rising_clear_delay_s")
                limits["ground_m"] = float(sewer.ground_m[row])
                self._raise(row, kind, at_us, cause_us, self._scene().rising(row, at_us), limits)
            else:
                self._clear(row, kind, at_us, cause_us)

    def _turn_blockage(self, turned: Turned) -> None:
        latch, kind, sewer = self.state.blockage, AlarmType.DRAIN_BLOCKAGE, self.city.sewer
        for row, at_us, cause_us in _each(latch, turned):
            if latch.active[row]:
                limits = reasons.limits(sewer, row, *BLOCKAGE_LIMITS)
                inputs = self._scene().blockage(row, cause_us, at_us, latch)
                self._raise(row, kind, at_us, cause_us, inputs, limits)
            else:
                self._clear(row, kind, at_us, cause_us)

    def _stages(self) -> list[tuple[Latch, Stage]]:
        state = self.state
        return list(zip((state.pre_alarm, state.high, state.overflow), self.city.sewer.stages, strict=True))

    def _scene(self) -> Scene:
        state = self.state
        return Scene(self.city.sewer, state.water, state.drain_outlook, state.rain, state.usual)

    def _raise(self, row: int, kind: AlarmType, at_us: int, cause_us: int, inputs: Why, limits: Why) -> None:
        roll = self.city.rolls[DRAINS]
        self.effects.append(alarming.raised(self.city, roll, row, kind, at_us, cause_us, inputs, limits))

    def _clear(self, row: int, kind: AlarmType, at_us: int, cause_us: int) -> None:
        asset = self.city.rolls[DRAINS].assets[row].asset
        self.effects.append(alarming.cleared(asset, kind, at_us, cause_us))


def _each(latch: Latch, turned: Turned) -> Iterator[tuple[int, int, int]]:
    """Rows that have turned, when, and the time of the cause."""
    return zip(turned.rows.tolist(), turned.at_us.tolist(), latch.cause_us[turned.rows].tolist(), strict=True)
