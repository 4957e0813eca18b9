"""What every device of the town shares: the weather, the sun, the local hour, a minute at a time."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from firmware_sim import sun
from firmware_sim.weather import Weather
from telemetry.clock import HOUR_US, MINUTE_US, to_datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """The surroundings during one minute: °C, lx on the ground, whether it is between dusk and dawn, mm/h."""

    temp_c: float
    lux: float
    dark: bool
    rain_mm_h: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A town at WGS 84 degrees with its weather and its IANA time zone."""

    weather: Weather
    lat: float
    lon: float
    timezone: str

    def at(self, moment_us: int) -> Moment:
        """The surroundings at a time."""
        return _at(self, moment_us // MINUTE_US)

    def next_switch_us(self, moment_us: int) -> int:
        """The next dusk or dawn."""
        return sun.next_switch_us(moment_us, self.lat, self.lon)

    def local_hour(self, moment_us: int) -> tuple[int, int]:
        """(weekday with Monday 0, hour) on the town's clocks."""
        return _local_hour(self.timezone, moment_us // HOUR_US)


@lru_cache(maxsize=2048)
def _at(town: Surroundings, minute: int) -> Moment:
    moment_us = minute * MINUTE_US
    elevation = sun.elevation_deg(moment_us, town.lat, town.lon)
    weather = town.weather
    lux = sun.clear_sky_lux(elevation) * (1.0 - weather.cloud(moment_us))
    return Moment(weather.temp_c(moment_us), lux, elevation < sun.DUSK_DEG, weather.rain_mm_h(moment_us))


@lru_cache(maxsize=4096)
def _local_hour(timezone: str, hour: int) -> tuple[int, int]:
    local = to_datetime(hour * HOUR_US).astimezone(ZoneInfo(timezone))
    return local.weekday(), local.hour
