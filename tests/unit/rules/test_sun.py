"""Dusk and dawn."""

from datetime import UTC, date, datetime, timedelta

import astral.sun
import pytest
from astral import Observer
from hypothesis import given
from hypothesis import strategies as st

from rules.sun import Sun
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from tests.parts.cities import ESSEN

TROMSOE = (69.65, 18.96)


def us(*when: int) -> int:
    return to_us(datetime(*when, tzinfo=UTC))  # type: ignore[misc]


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2026, 6, 21), date(2026, 3, 29)])
def test_dusk_and_dawn_are_civil_twilight(day: date) -> None:
    sun = Sun(*ESSEN)
    noon_us = us(day.year, day.month, day.day, 11)
    dusk = astral.sun.dusk(Observer(*ESSEN), day)
    dawn = astral.sun.dawn(Observer(*ESSEN), day + timedelta(days=1))
    dusk_us = sun.next_change_us(noon_us)
    assert abs(dusk_us - to_us(dusk)) < 2 * MINUTE_US
    assert abs(sun.next_change_us(dusk_us) - to_us(dawn)) < 2 * MINUTE_US


def test_it_is_dark_from_dusk_to_dawn() -> None:
    sun = Sun(*ESSEN)
    dusk_us = sun.next_change_us(us(2026, 11, 22, 12))
    assert not sun.dark_at(dusk_us - 1)
    assert sun.dark_at(dusk_us)
    dawn_us = sun.next_change_us(dusk_us)
    assert sun.dark_at(dawn_us - 1)
    assert not sun.dark_at(dawn_us)


def test_offsets_move_dusk_and_dawn() -> None:
    plain, moved = Sun(*ESSEN), Sun(*ESSEN, dusk_offset_s=-900, dawn_offset_s=600)
    noon_us = us(2026, 11, 22, 12)
    dusk_us = plain.next_change_us(noon_us)
    assert moved.next_change_us(noon_us) == dusk_us - 900 * SECOND_US
    assert moved.next_change_us(dusk_us) == plain.next_change_us(dusk_us) + 600 * SECOND_US


def test_offsets_that_leave_no_night_leave_none() -> None:
    sun = Sun(*ESSEN, dusk_offset_s=10 * 3600, dawn_offset_s=-10 * 3600)
    assert not sun.dark_between(us(2026, 6, 20), us(2026, 6, 23))


def test_the_polar_night_is_dark_but_for_its_noon_twilight_and_its_day_is_light() -> None:
    sun = Sun(*TROMSOE)
    assert sun.dark_at(us(2026, 12, 21, 3))
    assert not sun.dark_between(us(2026, 6, 1), us(2026, 7, 1))
    assert sun.next_change_us(us(2026, 6, 21)) == us(2026, 6, 23)


@pytest.mark.parametrize("lat", [-90.0, 90.0, -78.0, 85.0])
def test_at_the_poles_it_is_dark_or_light_for_months(lat: float) -> None:
    sun = Sun(lat, 0)
    winter, summer = (us(2026, 6, 21), us(2026, 12, 21)) if lat < 0 else (us(2026, 12, 21), us(2026, 6, 21))
    assert sun.dark_at(winter)
    assert not sun.dark_at(summer)
    assert sun.night(winter).dusk_us <= winter < sun.night(winter).dawn_us
    assert sun.night(summer).dawn_us < summer


def test_any_darkness_within_a_span_is_found() -> None:
    sun = Sun(*ESSEN)
    assert not sun.dark_between(us(2026, 11, 22, 9), us(2026, 11, 22, 15))
    assert sun.dark_between(us(2026, 11, 22, 9), us(2026, 11, 22, 17))
    assert sun.dark_between(us(2026, 11, 22, 9), us(2026, 11, 24, 9))


def test_by_day_the_last_night_is_told() -> None:
    sun = Sun(*ESSEN)
    night = sun.night(us(2026, 11, 22, 12))
    assert us(2026, 11, 21, 16) < night.dusk_us < night.dawn_us < us(2026, 11, 22, 7)


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(us(2000, 1, 1), us(2060, 1, 1)), st.integers(-7200, 7200))
def test_everywhere_darkness_changes_only_at_changes(lat: float, lon: float, moment_us: int, offset_s: int) -> None:
    sun = Sun(lat, lon, dusk_offset_s=offset_s)
    change_us = sun.next_change_us(moment_us)
    assert moment_us < change_us <= moment_us + 3 * DAY_US
    between = range(moment_us, change_us, HOUR_US)
    assert {sun.dark_at(each) for each in between} == {sun.dark_at(moment_us)}
