"""City time as a function of real time."""

import pytest

from telemetry.clock import CityClock, to_datetime, to_rfc3339, to_us


def test_the_real_clock_by_default() -> None:
    assert CityClock().is_real
    assert CityClock().at(123) == 123


def test_city_time_starts_elsewhere_and_runs_faster() -> None:
    assert CityClock(start_us=1_000, anchor_us=50, speed=10.0).at(53) == 1_030


def test_a_clock_that_stands_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        CityClock(speed=0.0)


def test_times_survive_the_round_trip() -> None:
    assert to_us(to_datetime(1_763_856_000_123_456)) == 1_763_856_000_123_456
    assert to_rfc3339(1_763_856_000_000_000) == "2025-11-23T00:00:00Z"
