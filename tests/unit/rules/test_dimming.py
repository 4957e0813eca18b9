"""The dimming program: steps, dusk to dawn, summer time, floors."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rules.dimming import Program, floored, minute_of
from rules.sun import Sun
from telemetry.clock import to_datetime, to_us
from telemetry.thresholds import DimmingStep, Lighting
from tests.parts.cities import BERLIN, ESSEN

TROMSOE = (69.65, 18.96)


def program(lighting: Lighting | None = None, place: tuple[float, float] = ESSEN, zone: ZoneInfo = BERLIN) -> Program:
    return Program(lighting or Lighting(), Sun(*place), zone)


def local(*when: int, fold: int = 0) -> int:
    return to_us(datetime(*when, tzinfo=BERLIN, fold=fold))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("hour", "minute", "level_pct"),
    [
        (12, 0, 0),
        (16, 30, 0),
        (18, 0, 100),
        (21, 59, 100),
        (22, 0, 50),
        (23, 59, 50),
        (0, 0, 30),
        (3, 59, 30),
        (4, 0, 50),
        (5, 0, 100),
        (7, 0, 100),
        (8, 0, 0),
    ],
)
def test_the_default_profile(hour: int, minute: int, level_pct: float) -> None:
    assert program().at(local(2026, 11, 22, hour, minute)).level_pct == level_pct


def test_a_short_summer_night_ends_within_its_steps() -> None:
    wanted = program()
    assert wanted.at(local(2026, 6, 21, 22, 30)).level_pct == 0
    assert wanted.at(local(2026, 6, 21, 23, 0)).level_pct == 50
    assert wanted.at(local(2026, 6, 22, 5, 30)).level_pct == 0


def test_segments_follow_each_other_without_a_gap() -> None:
    wanted = program()
    moment_us, levels = local(2026, 11, 22, 12), []
    for _ in range(7):
        segment = wanted.at(moment_us)
        assert segment.start_us <= moment_us < segment.end_us
        levels.append(segment.level_pct)
        moment_us = segment.end_us
    assert levels == [0, 100, 50, 30, 50, 100, 0]


def test_the_night_of_winter_time_is_an_hour_longer() -> None:
    segment = program().at(local(2026, 10, 25, 1, 0))
    assert segment.level_pct == 30
    assert segment.end_us - segment.start_us == 5 * 3_600_000_000
    assert to_datetime(segment.end_us).astimezone(BERLIN).hour == 4


def test_the_night_of_summer_time_is_an_hour_shorter() -> None:
    segment = program().at(local(2026, 3, 29, 1, 0))
    assert segment.end_us - segment.start_us == 3 * 3_600_000_000


def test_a_step_that_begins_in_the_hour_that_is_left_out_begins_after_it() -> None:
    lighting = Lighting(steps=(DimmingStep("02:30", "05:00", 20.0),))
    segment = program(lighting).at(local(2026, 3, 29, 3, 30))
    assert segment.level_pct == 20
    assert segment.start_us == local(2026, 3, 29, 3, 0)


def test_a_step_in_the_hour_that_comes_twice_holds_twice() -> None:
    lighting = Lighting(steps=(DimmingStep("02:15", "02:45", 20.0),))
    wanted = program(lighting)
    assert [wanted.at(local(2026, 10, 25, 2, 30, fold=fold)).level_pct for fold in (0, 1)] == [20, 20]
    assert wanted.at(local(2026, 10, 25, 2, 50)).level_pct == 100


def test_in_the_white_night_nothing_burns() -> None:
    wanted = program(place=TROMSOE)
    assert {wanted.at(local(2026, 6, 21, hour)).level_pct for hour in range(24)} == {0}


def test_in_the_polar_night_the_day_is_lit_like_a_night() -> None:
    assert program(place=(78.2, 15.6)).at(local(2026, 12, 21, 12)).level_pct == 100


def test_without_steps_it_is_the_night_level() -> None:
    assert program(Lighting(steps=(), night_level_pct=80)).at(local(2026, 11, 22, 2)).level_pct == 80


def test_between_dusk_and_dawn_no_lamp_goes_below_its_floor() -> None:
    floors, off = np.array([10.0, 40.0, 10.0]), np.array([False, False, True])
    assert floored(30, True, floors, off).tolist() == [30, 40, 30]
    assert floored(0, True, floors, off).tolist() == [10, 40, 0]


def test_by_day_no_floor_applies() -> None:
    assert floored(0, False, np.array([40.0]), np.array([False])).tolist() == [0]


@pytest.mark.parametrize("clock", ["", "7", "25:00", "12:60", "ab:cd", "24:01", "-1:00", "7:5"])
def test_a_time_that_is_none_is_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        minute_of(clock)
