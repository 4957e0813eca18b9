"""Dusk and dawn as astronomic clocks know them."""

from datetime import UTC, datetime

from astral import Observer
from astral.sun import elevation
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim import sun
from firmware_sim.places import LAT, LON
from telemetry.clock import DAY_US, HOUR_US, to_datetime, to_us

YEARS = st.integers(
    min_value=to_us(datetime(2020, 1, 1, tzinfo=UTC)), max_value=to_us(datetime(2035, 1, 1, tzinfo=UTC))
)


@given(moment_us=YEARS)
def test_the_elevation_agrees_with_astral(moment_us: int) -> None:
    known = elevation(Observer(LAT, LON), to_datetime(moment_us), with_refraction=False)
    assert abs(sun.elevation_deg(moment_us, LAT, LON) - known) < 0.05


@given(moment_us=YEARS)
def test_the_next_switch_lies_ahead_and_is_one(moment_us: int) -> None:
    switch_us = sun.next_switch_us(moment_us, LAT, LON)
    assert moment_us < switch_us < moment_us + DAY_US
    before, after = switch_us - 2_000_000, switch_us + 2_000_000
    assert sun.is_dark(before, LAT, LON) != sun.is_dark(after, LAT, LON)


def test_beyond_the_polar_circle_no_switch_is_in_sight() -> None:
    midsummer_us = to_us(datetime(2026, 6, 21, tzinfo=UTC))
    assert sun.next_switch_us(midsummer_us, 78.2, 15.6) >= midsummer_us + DAY_US + HOUR_US


def test_light_falls_with_the_sun() -> None:
    lux = [sun.clear_sky_lux(elevation_deg) for elevation_deg in range(60, -25, -1)]
    assert lux == sorted(lux, reverse=True)
    assert 90_000 < lux[0] < 120_000
    assert 1 < sun.clear_sky_lux(sun.DUSK_DEG) < 10
