"""The town's weather as a function of time: cloud, temperature, and seeded rain with what it leaves in the sewers.

Every day is drawn on its own from the seed, so that the weather of a moment does not depend on when a run began.
"""

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

from firmware_sim.chance import Chance
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime

RAIN_MM_H_MAX = 180.0
"""No cloudburst is heavier; German records over half an hour lie below."""
RESERVOIR_K_MIN = (18.0, 40.0, 90.0)
"""How slowly catchments empty: the storage constant in minutes of a steep, a usual and a flat one."""
_EVENTS_PER_DAY = 0.55
_EVENT_HOURS_MAX = 8.0


@dataclass(frozen=True, slots=True)
class Rain:
    """One rain event: intensity rises to `peak_mm_h` after a third of its duration and falls to nothing."""

    start_us: int
    duration_us: int
    peak_mm_h: float

    def mm_h(self, moment_us: int) -> float:
        """Intensity at a time."""
        share = (moment_us - self.start_us) / self.duration_us
        if not 0.0 < share < 1.0:
            return 0.0
        return self.peak_mm_h * (3.0 * share if share < 1 / 3 else 1.5 * (1.0 - share))


@dataclass(frozen=True)
class Weather:
    """The weather of one seed. `cloudbursts_us` are moments at which a heavy shower surely begins, for a demo."""

    seed: int
    cloudbursts_us: tuple[int, ...] = ()

    @cached_property
    def _chance(self) -> Chance:
        return Chance.seeded("weather", self.seed)

    def temp_c(self, moment_us: int) -> float:
        """Air temperature in °C: the season, the hour, and the day's own mood."""
        when = to_datetime(moment_us)
        season = -math.cos(2 * math.pi * (when.timetuple().tm_yday - 15) / 365.25)
        hour = -math.cos(2 * math.pi * (when.hour + when.minute / 60 - 2) / 24)
        return 10.5 + 8.5 * season + 3.5 * hour + self._blend("temperature", moment_us, -4.0, 4.0)

    def cloud(self, moment_us: int) -> float:
        """Share of daylight that clouds take, 0–0.9."""
        return min(0.9, self._blend("cloud", moment_us, 0.05, 0.8) + (0.3 if self.rain_mm_h(moment_us) > 0 else 0.0))

    def rain_mm_h(self, moment_us: int) -> float:
        """Rain intensity over the middle of the town in mm/h."""
        day = moment_us // DAY_US
        events = self.rains(day - 1) + self.rains(day)
        return min(RAIN_MM_H_MAX, sum(event.mm_h(moment_us) for event in events))

    def rains(self, day: int) -> tuple[Rain, ...]:
        """The rain events that begin on a day, counted in UTC days since 1970."""
        return _rains(self, day)

    def stored_mm(self, catchment: int, moment_us: int) -> float:
        """Water standing in a catchment in mm over its area; `catchment` is an index into `RESERVOIR_K_MIN`."""
        day = moment_us // DAY_US
        stored = _stored_by_minute(self, catchment, day)
        if not stored:
            return 0.0
        minute, rest_us = divmod(moment_us - day * DAY_US, MINUTE_US)
        share = rest_us / MINUTE_US
        return stored[minute] * (1.0 - share) + stored[minute + 1] * share

    def _blend(self, name: str, moment_us: int, low: float, high: float) -> float:
        """A slow curve through one draw every 6 hours."""
        quarter, rest_us = divmod(moment_us, 6 * HOUR_US)
        share = (1.0 - math.cos(math.pi * rest_us / (6 * HOUR_US))) / 2.0
        chance = _mood(self, name)
        return chance.between(low, high, quarter) * (1.0 - share) + chance.between(low, high, quarter + 1) * share


@lru_cache(maxsize=64)
def _mood(weather: Weather, name: str) -> Chance:
    return weather._chance.of(name)


@lru_cache(maxsize=256)
def _rains(weather: Weather, day: int) -> tuple[Rain, ...]:
    chance = weather._chance.of("rain", day)
    summer = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + day).month in (5, 6, 7, 8, 9)
    drawn = [_rain(chance.of(n), day, summer) for n in range(chance.poisson(_EVENTS_PER_DAY))]
    sure = [Rain(at, 45 * MINUTE_US, 110.0) for at in weather.cloudbursts_us if at // DAY_US == day]
    return (*drawn, *sure)


def _rain(chance: Chance, day: int, summer: bool) -> Rain:
    """A frontal rain at any hour, or in summer now and then a short, heavy one in the afternoon."""
    if summer and chance.happens(0.2, 0):
        start_h, hours = chance.normal(15.5, 2.0, 3), chance.between(0.5, 1.2, 4)
        peak = chance.lognormal(32.0, 0.5, 5)
    else:
        start_h, hours = chance.between(0.0, 24.0, 1), chance.lognormal(2.2, 0.6, 4)
        peak = chance.lognormal(3.5, 0.7, 5)
    start_us = day * DAY_US + int(min(max(start_h, 0.0), 23.99) * HOUR_US)
    return Rain(start_us, int(min(hours, _EVENT_HOURS_MAX) * HOUR_US), min(peak, 100.0))


@lru_cache(maxsize=64)
def _stored_by_minute(weather: Weather, catchment: int, day: int) -> tuple[float, ...]:
    """The linear reservoir dS/dt = i − S/k by the minute, 1,441 values of one day; none where it stays dry.

    It begins empty at the start of the day before: nothing of earlier rain is left by then.
    """
    if not any(weather.rains(day + offset) for offset in (-2, -1, 0)):
        return ()
    keeps = math.exp(-1.0 / RESERVOIR_K_MIN[catchment])
    gains = RESERVOIR_K_MIN[catchment] * (1.0 - keeps) / 60.0
    stored, values = 0.0, []
    for minute in range(-1440, 1441):
        values.append(stored)
        stored = stored * keeps + weather.rain_mm_h(day * DAY_US + minute * MINUTE_US) * gains
    return tuple(values[-1441:])
