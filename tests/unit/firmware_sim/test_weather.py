"""The town's weather is a function of seed and time."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.weather import RAIN_MM_H_MAX, RESERVOIR_K_MIN, Weather
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_us

START_US = to_us(datetime(2026, 6, 10, tzinfo=UTC))
START_DAY = START_US // DAY_US
MOMENTS = st.integers(min_value=START_US, max_value=START_US + 30 * DAY_US)


def rainless(weather: Weather) -> int:
    """A day with no rain on it nor on the days before."""
    days = range(START_DAY, START_DAY + 60)
    return next(day for day in days if not any(weather.rains(day + offset) for offset in (-3, -2, -1, 0)))


@settings(deadline=None, max_examples=30)
@given(moment_us=MOMENTS, seed=st.integers(0, 5))
def test_values_are_those_of_a_temperate_town(moment_us: int, seed: int) -> None:
    weather = Weather(seed)
    assert -25 < weather.temp_c(moment_us) < 42
    assert 0 <= weather.cloud(moment_us) <= 0.9
    assert 0 <= weather.rain_mm_h(moment_us) <= RAIN_MM_H_MAX
    assert all(weather.stored_mm(catchment, moment_us) >= 0 for catchment in range(len(RESERVOIR_K_MIN)))


def test_the_same_seed_has_the_same_weather_and_another_one_another() -> None:
    days = range(START_DAY, START_DAY + 30)
    assert [Weather(3).rains(day) for day in days] == [Weather(3).rains(day) for day in days]
    assert [Weather(3).rains(day) for day in days] != [Weather(4).rains(day) for day in days]


def test_it_rains_now_and_then() -> None:
    wet = sum(1 for day in range(START_DAY, START_DAY + 365) if Weather(1).rains(day))
    assert 90 < wet < 230


def test_an_ordered_cloudburst_comes_on_time_and_is_heavy() -> None:
    weather = Weather(1, (START_US + 5 * HOUR_US,))
    peak = max(weather.rain_mm_h(START_US + 5 * HOUR_US + minute * MINUTE_US) for minute in range(46))
    assert peak > 80


def test_a_catchment_fills_in_rain_and_empties_afterwards() -> None:
    day = rainless(Weather(1))
    weather = Weather(1, (day * DAY_US + 6 * HOUR_US,))
    stored = [weather.stored_mm(1, day * DAY_US + hour * HOUR_US) for hour in (5, 7, 9, 20)]
    assert stored[0] == 0
    assert stored[1] > 15
    assert stored[1] > stored[2] > stored[3]
    assert stored[3] < 0.01


def test_a_flat_catchment_empties_more_slowly_than_a_steep_one() -> None:
    day = rainless(Weather(1))
    weather = Weather(1, (day * DAY_US + 6 * HOUR_US,))
    later_us = day * DAY_US + 9 * HOUR_US
    assert weather.stored_mm(0, later_us) < weather.stored_mm(1, later_us) < weather.stored_mm(2, later_us)
