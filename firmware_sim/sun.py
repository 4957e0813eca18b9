"""Where the sun stands and how bright it is: enough for lamps that switch by the astronomic clock.

Source: the low-precision formulas of the Astronomical Almanac, section C (0.01° between 1950 and 2050), and Kasten's
clear-sky illuminance, rounded.
"""

import math
from functools import lru_cache
from itertools import pairwise

from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

DUSK_DEG = -6.0
"""Dusk and dawn of civil twilight, by which astronomic clocks of street lights switch."""
_J2000_US = 946_728_000 * SECOND_US
_STEP_US = 10 * MINUTE_US


def elevation_deg(moment_us: int, lat: float, lon: float) -> float:
    """The sun's elevation in degrees, without refraction, at a time and a place (WGS 84 degrees)."""
    days = (moment_us - _J2000_US) / DAY_US
    anomaly = math.radians(357.528 + 0.9856003 * days)
    mean_longitude = 280.460 + 0.9856474 * days
    longitude = math.radians(mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    sidereal_deg = 280.46062 + 360.98564737 * days + lon
    hour_angle = math.radians(sidereal_deg) - ascension
    latitude = math.radians(lat)
    return math.degrees(
        math.asin(
            math.sin(latitude) * math.sin(declination)
            + math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
        )
    )


def is_dark(moment_us: int, lat: float, lon: float) -> bool:
    """Whether it is between dusk and dawn."""
    return elevation_deg(moment_us, lat, lon) < DUSK_DEG


def next_switch_us(moment_us: int, lat: float, lon: float) -> int:
    """The first dusk or dawn after a time, which is the first microsecond of the new state.

    Where the sun brings neither it is two days ahead.
    """
    hour = moment_us // HOUR_US
    found = _switch_after_hour(hour, lat, lon)
    return found if found > moment_us else _switch_after_hour(hour + 1, lat, lon)


@lru_cache(maxsize=4096)
def _switch_after_hour(hour: int, lat: float, lon: float) -> int:
    """The first switch at or after the beginning of an hour since 1970."""
    low = hour * HOUR_US
    dark = is_dark(low, lat, lon)
    for _ in range(2 * DAY_US // _STEP_US):
        high = low + _STEP_US
        if is_dark(high, lat, lon) != dark:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if is_dark(middle, lat, lon) == dark else (low, middle)
            return high
        low = high
    return low


def clear_sky_lux(elevation: float) -> float:
    """Horizontal illuminance in lx under a clear sky for an elevation in degrees; starlight far below the horizon."""
    if elevation >= 5.0:
        return 120_000.0 * math.pow(math.sin(math.radians(elevation)), 1.15)
    # From 7,300 lx at +5° over 400 lx at the horizon and 3.4 lx at −6° (end of civil twilight) to 0.002 lx at −18°.
    points = ((5.0, 3.86), (0.0, 2.6), (-6.0, 0.53), (-12.0, -2.1), (-18.0, -2.7))
    for (upper, at_upper), (lower, at_lower) in pairwise(points):
        if elevation >= lower:
            share = (elevation - lower) / (upper - lower)
            return math.pow(10.0, at_lower + share * (at_upper - at_lower))
    return math.pow(10.0, points[-1][1])
