"""Why a drain's alarm stands (contract §4): what was measured, what neighbours and rain say, and the figures."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rules.drains import rain as rains
from rules.drains.belief import WORDS, Belief, Fault, at_blind_zone
from rules.drains.blockage import Usual
from rules.drains.outlook import Outlook
from rules.drains.rain import Rain
from rules.drains.sewer import DRAINAGE, Sewer
from rules.drains.water import RISE_M_MIN, Water
from rules.memory import NEVER_US
from rules.overflow import Stage
from rules.timing import Latch
from telemetry.clock import SECOND_US, to_rfc3339
from telemetry.outlook import STAGES

Why = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of all drains at the moment an alarm is told."""

    sewer: Sewer
    water: Water
    outlook: Outlook
    rain: Rain
    usual: Usual

    def measured(self, row: int, value_m: float, cause_us: int) -> Why:
        """What began it, where the water stands since, and how it moves."""
        said: Why = {"level_m": round(value_m, 4), "observed_at": to_rfc3339(cause_us)}
        last_m = float(self.water.level_m[row, -1])
        if not np.isnan(last_m):
            said["last_level_m"] = round(last_m, 4)
            if at_blind_zone(self.sewer, np.array([row]), np.array([last_m]))[0]:
                said["at_least"] = "The water stands in the sensor's blind zone: at least this high."
        return said | self.ahead(row)

    def last(self, row: int) -> Why:
        """Where the water stood last."""
        last_m, at_us = float(self.water.level_m[row, -1]), int(self.water.at_us[row, -1])
        return {} if np.isnan(last_m) else {"last_level_m": round(last_m, 4), "observed_at": to_rfc3339(at_us)}

    def ahead(self, row: int) -> Why:
        """When it will reach the ground, if it rises."""
        if self.outlook.until_us[row] == NEVER_US:
            return {}
        latest_us = int(self.outlook.latest_us[row])
        return {
            "rate_m_h": float(self.outlook.rate_m_h[row]),
            "overflow": {
                "earliest_at": to_rfc3339(int(self.outlook.earliest_us[row])),
                "likely_at": to_rfc3339(int(self.outlook.likely_us[row])),
                "latest_at": None if latest_us == NEVER_US else to_rfc3339(latest_us),
            },
        }

    def weather(self, row: int, at_us: int) -> Why:
        """The rain over a drain, and who says so."""
        fallen = rains.over(self.rain, self.sewer, np.array([row]), np.array([at_us]))
        mm_h, gauge = float(fallen.mm_h[0]), int(fallen.gauge[0])
        if np.isnan(mm_h):
            return {"rain": "unknown"}
        asset = self.sewer.assets[row]
        return {"rain": {"mm_h": mm_h, "from": self.sewer.assets[gauge].asset if gauge >= 0 else f"zone {asset.zone}"}}

    def neighbours(self, row: int) -> Why:
        """How the drains above and below stand."""
        found = {"upstream": int(self.sewer.upstream[row]), "downstream": int(self.sewer.downstream[row])}
        return {name: self._neighbour(other) for name, other in found.items() if other >= 0}

    def stage(self, row: int, cause_us: int, at_us: int, latch: Latch) -> Why:
        """Inputs of a stage's alarm."""
        measured = self.measured(row, float(latch.value[row]), cause_us)
        return measured | self.weather(row, at_us) | self.neighbours(row)

    def rising(self, row: int, at_us: int) -> Why:
        """Inputs of `drain_rising_fast`."""
        measured = self.measured(row, float(self.water.level_m[row, -1]), int(self.water.at_us[row, -1]))
        return measured | self.weather(row, at_us) | self.neighbours(row)

    def blockage(self, row: int, cause_us: int, at_us: int, latch: Latch) -> Why:
        """Inputs of `drain_blockage`; where water backs up, it is blocked below."""
        measured = self.measured(row, float(latch.value[row]), cause_us)
        measured["usual_m"] = round(float(self.usual.held_m[row]), 4)
        between = self._backed_up_from(row)
        if between is not None:
            measured["likely_between"] = [self.sewer.assets[each].asset for each in between]
        return measured | self.weather(row, at_us) | self.neighbours(row)

    def fault(self, row: int, belief: Belief, at_us: int) -> Why:
        """Inputs of `sensor_fault`."""
        fault = Fault(int(belief.fault[row]))
        said: Why = {
            "fault": fault.name.lower(),
            "says": WORDS[fault],
            "read_m": round(float(self.water.read_m[row]), 4),
        }
        if fault in (Fault.FLAT_LINE, Fault.BLIND_ZONE):
            said["unchanged_since"] = to_rfc3339(int(self.water.flat_us[row]))
        if not np.isnan(self.water.level_m[row, -1]):
            said["last_level_m"] = round(float(self.water.level_m[row, -1]), 4)
        return said | self.weather(row, at_us)

    def _backed_up_from(self, row: int) -> tuple[int, int] | None:
        """The two drains between which water backs up: it is high at the first, and not at the second."""
        for _ in self.sewer.assets:
            below = int(self.sewer.downstream[row])
            if below < 0:
                return None
            if self._is_at_usual(below):
                return row, below
            row = below
        return None

    def _is_at_usual(self, row: int) -> bool:
        return bool(self.water.level_m[row, -1] <= self.usual.usual_m[row] + self.sewer.figure("deadband_m")[row])

    def _neighbour(self, row: int) -> Why:
        said: Why = {"asset": self.sewer.assets[row].asset, "stage": STAGES[int(self.outlook.stage[row])]}
        if self.water.at_us[row, -1] != NEVER_US:
            said["level_m"] = round(float(self.water.level_m[row, -1]), 4)
            said["observed_at"] = to_rfc3339(int(self.water.at_us[row, -1]))
        before_m = self.water.level_m[row, -3]
        if not np.isnan(before_m):
            said["rises"] = bool(self.water.level_m[row, -1] - before_m >= RISE_M_MIN)
        return said


def stage_limits(stage: Stage, row: int) -> Why:
    """The thresholds of a stage."""
    on_us, off_us = (
        each if isinstance(each, int) else int(each[row]) for each in (stage.delays.on_us, stage.delays.off_us)
    )
    return {
        stage.limit_name: float(stage.limit_m[row]),
        "deadband_m": float(stage.deadband_m[row]),
        "raise_delay_s": on_us // SECOND_US,
        "clear_delay_s": off_us // SECOND_US,
    }


def limits(sewer: Sewer, row: int, *names: str, section: str = DRAINAGE) -> Why:
    """Figures as they hold for a drain."""
    return {name: float(sewer.figure(name, section)[row]) for name in names}
