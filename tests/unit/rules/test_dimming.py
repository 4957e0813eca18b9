"""The dimming program: steps, dusk to dawn, summer time, floors."""

from datetime import datetime

import numpy as np
import pytest

from rules.calendars import Calendars
from rules.dimming import Program, floored
from rules.sun import Sun
from telemetry.clock import to_datetime, to_us
from telemetry.thresholds import PROFILE, DimmingProgram, DimmingStep, Thresholds
from tests.parts.cities import BERLIN, ESSEN, SUN

TROMSOE = (69.65, 18.96)


def program(*steps: DimmingStep, place: tuple[float, float] = ESSEN, night_level_pct: float = 100.0) -> Program:
    wanted = DimmingProgram("standard", steps, night_level_pct)
    return Program(wanted, Calendars(Thresholds().calendars), SUN if place == ESSEN else Sun(*place), BERLIN)


def levels(wanted: Program, *moments_us: int) -> list[float]:
    return [wanted.at(each).level_pct for each in moments_us]


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
    assert program(*PROFILE).at(local(2026, 11, 22, hour, minute)).level_pct == level_pct


def test_a_short_summer_night_ends_within_its_steps() -> None:
    wanted = program(*PROFILE)
    assert wanted.at(local(2026, 6, 21, 22, 30)).level_pct == 0
    assert wanted.at(local(2026, 6, 21, 23, 0)).level_pct == 50
    assert wanted.at(local(2026, 6, 22, 5, 30)).level_pct == 0


def test_segments_follow_each_other_without_a_gap() -> None:
    wanted = program(*PROFILE)
    moment_us, found = local(2026, 11, 22, 12), []
    for _ in range(7):
        segment = wanted.at(moment_us)
        assert segment.start_us <= moment_us < segment.end_us
        found.append(segment.level_pct)
        moment_us = segment.end_us
    assert found == [0, 100, 50, 30, 50, 100, 0]


def test_the_night_of_winter_time_is_an_hour_longer() -> None:
    segment = program(*PROFILE).at(local(2026, 10, 25, 1, 0))
    assert segment.level_pct == 30
    assert segment.end_us - segment.start_us == 5 * 3_600_000_000
    assert to_datetime(segment.end_us).astimezone(BERLIN).hour == 4


def test_the_night_of_summer_time_is_an_hour_shorter() -> None:
    segment = program(*PROFILE).at(local(2026, 3, 29, 1, 0))
    assert segment.end_us - segment.start_us == 3 * 3_600_000_000


def test_a_step_that_begins_in_the_hour_that_is_left_out_begins_after_it() -> None:
    segment = program(DimmingStep("02:30", "05:00", 20.0)).at(local(2026, 3, 29, 3, 30))
    assert segment.level_pct == 20
    assert segment.start_us == local(2026, 3, 29, 3, 0)


def test_a_step_in_the_hour_that_comes_twice_holds_twice() -> None:
    wanted = program(DimmingStep("02:15", "02:45", 20.0))
    assert [wanted.at(local(2026, 10, 25, 2, 30, fold=fold)).level_pct for fold in (0, 1)] == [20, 20]
    assert wanted.at(local(2026, 10, 25, 2, 50)).level_pct == 100


def test_in_the_white_night_nothing_burns() -> None:
    wanted = program(*PROFILE, place=TROMSOE)
    assert {wanted.at(local(2026, 6, 21, hour)).level_pct for hour in range(24)} == {0}


def test_in_the_polar_night_the_day_is_lit_like_a_night() -> None:
    assert program(place=(78.2, 15.6)).at(local(2026, 12, 21, 12)).level_pct == 100


def test_without_steps_it_is_the_night_level() -> None:
    assert program(night_level_pct=80).at(local(2026, 11, 22, 2)).level_pct == 80


def test_between_dusk_and_dawn_no_lamp_goes_below_its_floor() -> None:
    floors, off = np.array([10.0, 40.0, 10.0]), np.array([False, False, True])
    dark = np.ones(3, np.bool_)
    assert floored(np.full(3, 30.0), dark, floors, off).tolist() == [30, 40, 30]
    assert floored(np.zeros(3), dark, floors, off).tolist() == [10, 40, 0]


def test_by_day_no_floor_applies() -> None:
    day = np.array([False])
    assert floored(np.zeros(1), day, np.array([40.0]), day).tolist() == [0]


def test_the_first_step_that_matches_decides() -> None:
    wanted = program(DimmingStep("01:00", "02:00", 20.0), DimmingStep("00:00", "04:00", 40.0))
    assert levels(wanted, *(local(2026, 11, 22, hour) for hour in (0, 1, 2, 4))) == [40, 20, 40, 100]


def test_a_night_runs_noon_to_noon_so_the_small_hours_of_friday_night_are_fridays() -> None:
    wanted = program(DimmingStep("22:00", "05:00", 60.0, days=("fri",)))
    assert levels(wanted, local(2026, 11, 20, 2), local(2026, 11, 20, 23), local(2026, 11, 21, 2)) == [100, 60, 60]
    assert levels(wanted, local(2026, 11, 21, 5), local(2026, 11, 21, 23)) == [100, 100]


def test_friday_night_keeps_its_hours_when_the_clocks_change_in_it() -> None:
    wanted = program(DimmingStep("22:00", "05:00", 60.0, days=("sat",)))
    segment = wanted.at(local(2026, 10, 25, 2, 30, fold=1))
    assert (segment.start_us, segment.end_us) == (local(2026, 10, 24, 22), local(2026, 10, 25, 5))
    assert segment.end_us - segment.start_us == 8 * 3_600_000_000


def test_a_step_may_hold_on_holidays_only() -> None:
    wanted = program(DimmingStep("22:00", "06:00", 70.0, days=("holiday",)), DimmingStep("22:00", "06:00", 40.0))
    assert levels(wanted, local(2026, 12, 25, 23), local(2026, 12, 26, 3), local(2026, 12, 27, 3)) == [70, 70, 70]
    assert levels(wanted, local(2026, 12, 25, 3), local(2026, 12, 27, 23)) == [40, 40]


def test_a_step_may_hold_in_some_months_only() -> None:
    wanted = program(DimmingStep("23:00", "04:00", 30.0, months=(11, 12)))
    assert levels(wanted, local(2026, 12, 1, 0), local(2027, 1, 1, 0), local(2027, 1, 2, 0)) == [30, 30, 100]


def test_a_step_may_go_by_the_sun() -> None:
    wanted = program(DimmingStep("dusk+01:00", "dawn-01:00", 50.0))
    dusk_us, dawn_us = SUN.night(local(2026, 11, 22, 23)).dusk_us, SUN.night(local(2026, 11, 22, 23)).dawn_us
    hour_us = 3_600_000_000
    moments = (dusk_us + hour_us - 1, dusk_us + hour_us, dawn_us - hour_us - 1, dawn_us - hour_us)
    assert levels(wanted, *moments) == [100, 50, 50, 100]


def test_a_step_by_the_sun_that_would_end_before_it_begins_does_not_hold() -> None:
    wanted = program(DimmingStep("dusk+03:00", "23:30", 50.0))
    assert wanted.at(local(2026, 6, 21, 23, 0)).level_pct == 100


@pytest.mark.parametrize("clock", ["", "7", "25:00", "12:60", "noon", "24:01", "-1:00", "7:5"])
def test_a_time_that_is_none_is_refused(clock: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        program(DimmingStep(clock, "05:00", 50.0))


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a weekday"):
        program(DimmingStep("22:00", "05:00", 50.0, days=("friday",)))
