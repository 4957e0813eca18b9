"""The figures by which rules decide, as plain data that rules, dashboards and the API all read.

Defaults are those of DOMAIN practice for a German town; all times are seconds, all heights metres above the invert.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Overrides = Mapping[str, Mapping[str, float]]
"""Figures that hold for one zone or one asset only, by section and name: `{"drainage": {"deadband_m": 0.1}}`."""


@dataclass(frozen=True, slots=True)
class Drainage:
    """When a drain's level becomes an alarm; crown and ground are registered per asset.

    The raise delay at the crown is a little more than the usual report interval, so that one wrong reading is no alarm.
    """

    deadband_m: float = 0.05
    high_raise_delay_s: int = 360
    high_clear_delay_s: int = 1_800
    overflow_raise_delay_s: int = 0
    overflow_clear_delay_s: int = 1_800
    pre_alarm_below_crown_m: float = 0.2


@dataclass(frozen=True, slots=True)
class Parking:
    """What is published of a bay: a change counts once it has lasted its dwell time.

    A zone is filling or emptying if within the window at least `trend_bays_min` bays, and `trend_pct` of its capacity,
    were taken or left on balance.
    """

    dwell_in_s: int = 30
    dwell_out_s: int = 60
    ttl_s: int = 60
    trend_window_s: int = 900
    trend_bays_min: int = 2
    trend_pct: float = 2.0


@dataclass(frozen=True, slots=True)
class DimmingStep:
    """From `start` to `end`, local wall-clock `HH:MM` across midnight, the lamp gives `level_pct`."""

    start: str
    end: str
    level_pct: float


@dataclass(frozen=True, slots=True)
class Lighting:
    """The dimming program: the first step that matches decides, else `night_level_pct` between dusk and dawn."""

    steps: tuple[DimmingStep, ...] = (
        DimmingStep("00:00", "04:00", 30.0),
        DimmingStep("22:00", "05:00", 50.0),
    )
    night_level_pct: float = 100.0
    day_level_pct: float = 0.0
    dusk_offset_s: int = 0
    dawn_offset_s: int = 0
    lease_s: int = 3_600


@dataclass(frozen=True, slots=True)
class Presence:
    """When a device counts as silent: after this many missed report intervals.

    `lamps_silent_by_day`: street lights hang on circuits that are switched off by day, so their silence counts only
    between dusk and dawn.
    """

    missed_intervals: int = 3
    lamps_silent_by_day: bool = True


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All of them; `version` names the rule version that stands behind them.

    `zones` and `assets` hold figures of their own, by name of the zone or asset; an asset's goes before its zone's.
    """

    version: str = "default-1"
    drainage: Drainage = field(default_factory=Drainage)
    parking: Parking = field(default_factory=Parking)
    lighting: Lighting = field(default_factory=Lighting)
    presence: Presence = field(default_factory=Presence)
    zones: Mapping[str, Overrides] = field(default_factory=dict)
    assets: Mapping[str, Overrides] = field(default_factory=dict)

    def figure(self, section: str, name: str, asset: str, zone: str | None) -> float:
        """One figure of a section as it holds for an asset."""
        for own in (self.assets.get(asset, {}), self.zones.get(zone or "", {})):
            if name in own.get(section, {}):
                return own[section][name]
        return float(getattr(getattr(self, section), name))
