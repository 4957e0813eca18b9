"""The series notation of the rule tests."""

import pytest

from tests.parts.series import series, values


def test_a_start_and_steps() -> None:
    assert values("70+5x3 90x2 84") == [70, 75, 80, 85, 90, 90, 90, 84]


def test_a_missing_sample_is_as_easy_as_a_value() -> None:
    assert series("1 _x2 4 _ -0.5", 0, 1) == [(0, 1), (3_000_000, 4), (5_000_000, -0.5)]


def test_steps_may_go_down() -> None:
    assert values("1.5-0.25x2") == [1.5, 1.25, 1.0]


def test_nonsense_is_named() -> None:
    with pytest.raises(ValueError, match="'7o'"):
        values("1 7o")
