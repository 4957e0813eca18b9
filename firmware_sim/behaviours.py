"""How a lamp, a drain and a parking bay live: pure functions of their traits, the surroundings and a moment.

What a sensor sees stands here; what its device makes of it (reports, leases, buffers) is `firmware`.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from firmware_sim.chance import Chance
from firmware_sim.surroundings import Surroundings
from firmware_sim.weather import RESERVOIR_K_MIN
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US

Fields = dict[str, float | int | bool]
"""One observation without `ts` and `seq`: field → value in the unit of its name."""

MAINS_V = 230.0
STREET_FLOOD_M = 0.3
"""Water cannot pile up higher than this above the ground: it runs off along the street."""


@dataclass(frozen=True, slots=True)
class LampTraits:
    """A luminaire: rated power in W, its controller's own draw in W, passers-by an hour at the busiest time."""

    chance: Chance
    rated_w: float
    standby_w: float
    passers_per_h: float
    astro_offset_s: float


@dataclass(frozen=True, slots=True)
class LampState:
    """`level_pct` given since `since_us`, `energy_wh` drawn until then; `failed` is a dead light source."""

    level_pct: float
    energy_wh: float
    since_us: int
    failed: bool = False


def lamp_power_w(traits: LampTraits, state: LampState) -> float:
    """Power drawn: a LED driver has a base loss and is otherwise nearly linear; a dead light source draws none."""
    if state.level_pct <= 0 or state.failed:
        return traits.standby_w
    return traits.standby_w + traits.rated_w * (0.06 + 0.94 * state.level_pct / 100.0)


def lamp_set(traits: LampTraits, state: LampState, level_pct: float, moment_us: int, failed: bool) -> LampState:
    """The lamp from a moment on, with the energy drawn until then."""
    hours = max(0, moment_us - state.since_us) / HOUR_US
    drawn = state.energy_wh + hours * lamp_power_w(traits, state)
    return LampState(level_pct, drawn, max(moment_us, state.since_us), failed)


def lamp_default_pct(town: Surroundings, traits: LampTraits, moment_us: int) -> float:
    """What the lamp gives when nobody tells it: everything from dusk to dawn, nothing by day."""
    return 100.0 if town.at(moment_us - int(traits.astro_offset_s * SECOND_US)).dark else 0.0


def lamp_next_default_us(town: Surroundings, traits: LampTraits, moment_us: int) -> int:
    """When the lamp's own clock switches next."""
    offset_us = int(traits.astro_offset_s * SECOND_US)
    minute = (moment_us - offset_us) // MINUTE_US
    switch_us = town.next_switch_us(minute * MINUTE_US)
    return -(-switch_us // MINUTE_US) * MINUTE_US + offset_us


_PASSERS_BY_HOUR = (4, 2, 1, 1, 2, 8, 25, 60, 80, 65, 60, 65, 75, 70, 65, 75, 90, 100, 85, 65, 45, 30, 18, 9)
"""Share of the busiest hour in %, by local hour."""


def lamp_fields(town: Surroundings, traits: LampTraits, state: LampState, since_us: int, moment_us: int) -> Fields:
    """What the controller sees, `state` being up to date; motion is counted from `since_us` on."""
    around = town.at(moment_us)
    power_w = lamp_power_w(traits, state)
    weekday, hour = town.local_hour(moment_us)
    busy = _PASSERS_BY_HOUR[hour] / 100.0 * (0.6 if weekday == 6 else 1.0)
    hours = min(24.0, (moment_us - since_us) / HOUR_US)
    draw = moment_us // SECOND_US
    return {
        "level_pct": state.level_pct,
        "power_w": round(power_w * traits.chance.between(0.985, 1.015, draw), 1),
        "energy_kwh": round(state.energy_wh / 1000.0, 4),
        "voltage_v": round(traits.chance.normal(MAINS_V, 1.6, draw + 1), 1),
        "lux": round(around.lux * traits.chance.between(0.9, 1.1, draw + 2), 3),
        "motion": min(65_535, traits.chance.poisson(traits.passers_per_h * busy * hours, draw + 3)),
        "temp_c": round(around.temp_c + 0.08 * power_w + traits.chance.between(-0.5, 0.5, draw + 4), 1),
        "lamp_fault": state.failed and state.level_pct > 0,
    }


@dataclass(frozen=True, slots=True)
class DrainTraits:
    """A manhole: heights in m above its invert, its catchment, and the stored rain in mm that fills it to the crown.

    `reports` says whether its sensor looks down from the lid (`distance_m`) or stands in the water (`level_m`).
    """

    chance: Chance
    reports: Literal["distance_m", "level_m"]
    sensor_height_m: float
    blind_zone_m: float
    crown_m: float
    ground_m: float
    dry_m: float
    full_at_mm: float
    catchment: int
    rain_share: float
    travel_us: int
    has_rain_gauge: bool
    has_flow_meter: bool


def drain_level_m(town: Surroundings, traits: DrainTraits, moment_us: int) -> float:
    """Water above the invert: sewage by the hour, then rain; above the crown under pressure, then a flooded street."""
    weekday, hour = town.local_hour(moment_us)
    sewage_m = traits.dry_m * (_PASSERS_BY_HOUR[hour] / 200.0 + (0.75 if weekday < 5 else 0.8))
    filled = drain_filling(town, traits, moment_us)
    if filled <= 1.0:
        return sewage_m + (traits.crown_m - sewage_m) * math.pow(filled, 0.7)
    above_crown_m = (traits.ground_m - traits.crown_m) * (filled - 1.0) / 0.8
    level_m = traits.crown_m + above_crown_m
    if level_m <= traits.ground_m:
        return level_m
    return traits.ground_m + STREET_FLOOD_M * (1.0 - math.exp((traits.ground_m - level_m) / STREET_FLOOD_M))


def drain_filling(town: Surroundings, traits: DrainTraits, moment_us: int) -> float:
    """Stored rain as a share of what fills the pipe to its crown."""
    stored_mm = town.weather.stored_mm(traits.catchment, moment_us - traits.travel_us)
    return stored_mm * traits.rain_share / traits.full_at_mm


def drain_fields(town: Surroundings, traits: DrainTraits, moment_us: int) -> Fields:
    """What the sensor sees, with its noise of a few millimetres, its blind zone and its slowly emptying battery."""
    draw = moment_us // SECOND_US
    level_m = drain_level_m(town, traits, moment_us)
    seen_m = max(0.0, level_m + traits.chance.normal(0.0, 0.003, draw))
    fields: Fields = {}
    if traits.reports == "level_m":
        fields["level_m"] = round(seen_m, 3)
    else:
        fields["distance_m"] = round(max(traits.blind_zone_m, traits.sensor_height_m - seen_m), 3)
    if traits.has_flow_meter:
        fields["flow_l_s"] = round(flow_l_s(level_m, traits.crown_m), 1)
    if traits.has_rain_gauge:
        fields["rain_mm_h"] = round(town.at(moment_us).rain_mm_h * traits.rain_share, 1)
    fields["temp_c"] = round(11.0 + 0.25 * (town.at(moment_us).temp_c - 11.0), 1)
    fields["battery_pct"] = battery_pct(traits.chance, moment_us)
    return fields


def flow_l_s(level_m: float, crown_m: float) -> float:
    """Discharge of a round pipe with 0.5 % fall, after Manning and the usual curve of partial filling."""
    diameter_m = max(crown_m, 0.1)
    filled = min(max(level_m / diameter_m, 0.0), 1.0)
    full_m3_s = 0.3117 / 0.013 * math.pow(diameter_m, 8 / 3) * math.sqrt(0.005)
    return 1000.0 * full_m3_s * (0.46 - 0.5 * math.cos(math.pi * filled) + 0.04 * math.cos(2 * math.pi * filled))


def battery_pct(chance: Chance, moment_us: int) -> float:
    """A battery that was changed some time ago and lasts six to ten years."""
    lasts_h = chance.between(6.0, 10.0, -1) * 8766.0
    age_h = (moment_us / HOUR_US + chance.unit(-2) * lasts_h) % lasts_h
    return round(100.0 - 85.0 * age_h / lasts_h, 1)


Custom = Literal["shops", "commuters", "residents"]
"""Who mostly parks in a bay."""

# fmt: off
_ARRIVALS: dict[Custom, tuple[float, ...]] = {
    "shops": (
        0.05, 0.02, 0.01, 0.01, 0.02, 0.05, 0.2, 0.5, 0.9, 1.3, 1.6, 1.6,
        1.3, 1.2, 1.3, 1.5, 1.7, 1.6, 1.1, 0.7, 0.4, 0.3, 0.2, 0.1,
    ),
    "commuters": (
        0.02, 0.01, 0.01, 0.02, 0.1, 0.6, 1.8, 2.5, 1.6, 0.6, 0.3, 0.2,
        0.2, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.15, 0.1, 0.1, 0.05, 0.03,
    ),
    "residents": (
        0.1, 0.05, 0.02, 0.02, 0.02, 0.05, 0.1, 0.2, 0.3, 0.3, 0.3, 0.3,
        0.4, 0.4, 0.4, 0.6, 0.9, 1.3, 1.5, 1.3, 1.0, 0.7, 0.4, 0.2,
    ),
}
"""Cars an hour that would take a free bay, by local hour on a working day."""
# fmt: on
_WEEKDAY: dict[Custom, tuple[float, ...]] = {
    "shops": (0.8, 0.85, 0.9, 0.95, 1.1, 1.4, 0.35),
    "commuters": (1.0, 1.05, 1.05, 1.0, 0.85, 0.25, 0.12),
    "residents": (1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.7),
}
_DWELL_MIN: dict[Custom, tuple[float, float]] = {"shops": (38, 0.8), "commuters": (460, 0.35), "residents": (600, 0.7)}
"""Median and spread (σ of the logarithm) of a stay."""


@dataclass(frozen=True, slots=True)
class BayTraits:
    """A bay: who parks there and how sought after it is (1 is usual)."""

    chance: Chance
    custom: Custom
    demand: float


@dataclass(frozen=True, slots=True)
class BayState:
    """Whether a vehicle stands there until `until_us`; `visit` numbers the changes so far."""

    occupied: bool
    until_us: int
    visit: int


def bay_begins(town: Surroundings, traits: BayTraits, moment_us: int) -> BayState:
    """A plausible state to begin with: occupied as likely as the hour's custom lets expect."""
    weekday, hour = town.local_hour(moment_us)
    arrivals = _rate_per_h(traits, weekday, hour) + _rate_per_h(traits, weekday, (hour - 1) % 24)
    stay_h = _DWELL_MIN[traits.custom][0] / 60.0
    likely = arrivals / 2.0 * stay_h
    occupied = traits.chance.happens(likely / (1.0 + likely), -1)
    state = BayState(occupied, moment_us, 0)
    until_us = bay_next(town, traits, replace(state, occupied=not occupied)).until_us
    rest = traits.chance.unit(-2)
    return BayState(occupied, moment_us + int((until_us - moment_us) * rest) + SECOND_US, 1)


def bay_next(town: Surroundings, traits: BayTraits, state: BayState) -> BayState:
    """What follows when a state ends: a stay after an arrival, a wait after a departure."""
    visit = state.visit + 1
    if state.occupied:
        return BayState(False, next_arrival_us(town, traits, state.until_us, visit), visit)
    median_min, sigma = _DWELL_MIN[traits.custom]
    stay_min = min(max(traits.chance.lognormal(median_min, sigma, visit), 2.0), 2_880.0)
    return BayState(True, state.until_us + int(stay_min * MINUTE_US), visit)


def next_arrival_us(town: Surroundings, traits: BayTraits, moment_us: int, visit: int) -> int:
    """The next arrival of a Poisson process whose rate changes with hour and weekday, by inverting its integral."""
    wanted = traits.chance.exponential(1.0, visit)
    at_us = moment_us
    for _ in range(14 * 24):
        rate = _rate_per_h(traits, *town.local_hour(at_us))
        rest_us = HOUR_US - at_us % HOUR_US
        if rate * rest_us >= wanted * HOUR_US:
            return at_us + int(wanted * HOUR_US / rate) + SECOND_US
        wanted -= rate * rest_us / HOUR_US
        at_us += rest_us
    return at_us


def _rate_per_h(traits: BayTraits, weekday: int, hour: int) -> float:
    return traits.demand * _ARRIVALS[traits.custom][hour] * _WEEKDAY[traits.custom][weekday]


def bay_fields(town: Surroundings, traits: BayTraits, occupied: bool, moment_us: int) -> Fields:
    """What the bay's sensor says."""
    draw = moment_us // SECOND_US
    return {
        "occupied": occupied,
        "confidence_pct": round(traits.chance.between(88.0, 99.5, draw), 1),
        "temp_c": round(town.at(moment_us).temp_c + traits.chance.between(-1.0, 1.5, draw + 1), 1),
        "battery_pct": battery_pct(traits.chance, moment_us),
    }


assert all(len(hours) == 24 for hours in (_PASSERS_BY_HOUR, *_ARRIVALS.values()))
assert len(RESERVOIR_K_MIN) == 3, "catchments are drawn by index"
