"""How often a device reports, learned where nobody registered it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.rhythm import LEARNED_S_MIN, interval_us
from telemetry.alarms import AlarmType
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US
from telemetry.registry import Asset
from tests.parts.cities import NOON_US, Life, bay, city, drain


def learned_s(life: Life, kind: str = "drain_level") -> float:
    return float(interval_us(life.state.rhythm[kind], life.city.rolls[kind])[0]) / SECOND_US


def report(life: Life, gaps_s: list[float], one: Asset | None = None) -> int:
    """Reports with these gaps, each arriving at once; returns when the last came."""
    at_us, kind = NOON_US, one.kind if one else "drain_level"
    for number, gap_s in enumerate([0.0, *gaps_s]):
        at_us += round(gap_s * SECOND_US)
        life.observe(at_us, kind, [(1, at_us, number % 2)], settled_us=at_us)
    return at_us


def silent_s(life: Life, since_us: int) -> float:
    """How long the device is waited for from then on."""
    life.step(since_us + 9 * HOUR_US, settled_us=since_us + 9 * HOUR_US)
    [alarm] = [each for each in life.raised() if each.type == AlarmType.DEVICE_SILENT and each.at_us > since_us]
    return (alarm.at_us - since_us) / SECOND_US


@pytest.mark.parametrize("restart", [False, True])
def test_three_learned_intervals_are_silence(restart: bool) -> None:
    life = Life(city([drain(1)]), restart=restart)
    last_us = report(life, [120] * 8)
    assert silent_s(life, last_us) == 3 * 120
    assert life.raised()[-1].why["thresholds"] == {"missed_intervals": 3, "report_every_s": 120, "learned": True}


def test_what_is_registered_is_not_learned() -> None:
    life = Life(city([drain(1, report_every_s=600)]))
    assert silent_s(life, report(life, [60] * 12)) == 1800


def test_few_gaps_are_not_trusted() -> None:
    life = Life(city([drain(1)]))
    report(life, [120] * 4)
    assert learned_s(life) == 300


def test_edges_between_heartbeats_teach_nothing() -> None:
    """A bay reports when a car comes or goes; only its heartbeats agree with each other."""
    life = Life(city([bay(1)]))
    report(life, [3600] * 6 + [240, 700, 1500, 90, 400, 2200, 130, 950, 310, 1200], bay(1))
    assert learned_s(life, "parking_bay") == 3600


def test_one_gap_of_a_night_changes_nothing() -> None:
    life = Life(city([drain(1)]))
    report(life, [120] * 6 + [9 * 3600] + [120] * 2)
    assert learned_s(life) == 120


def test_another_interval_is_learned_in_place_of_the_first() -> None:
    life = Life(city([drain(1)]))
    report(life, [120] * 9 + [3600] * 9)
    assert learned_s(life) == 3600


def test_a_backlog_teaches_nothing() -> None:
    life = Life(city([drain(1)]))
    rows = [(1, NOON_US + each * MINUTE_US, 0.2) for each in range(20)]
    late_us = NOON_US + 3 * HOUR_US
    life.observe(late_us, "drain_level", rows, settled_us=late_us)
    life.observe(late_us, "drain_level", rows[:10], settled_us=late_us)
    assert learned_s(life) == 300


def test_a_device_that_was_told_its_interval_teaches_nothing() -> None:
    life = Life(city([drain(1)]))
    presence = life.state.presence["drain_level"]
    presence.told_us[0], presence.told_until_us[0] = 60 * SECOND_US, NOON_US + 9 * HOUR_US
    report(life, [60] * 9)
    assert learned_s(life) == 300


def test_another_device_is_another_rhythm() -> None:
    life = Life(city([drain(1)]))
    last_us = report(life, [120] * 8)
    life.city = city([drain(1, device="other")], version=2)
    life.step(last_us + SECOND_US)
    assert learned_s(life) == 300


def test_nobody_is_called_silent_within_three_minutes() -> None:
    life = Life(city([drain(1)]))
    report(life, [2] * 9)
    assert learned_s(life) == LEARNED_S_MIN


@settings(max_examples=12, deadline=None)
@given(
    st.integers(60, 7200),
    st.lists(st.sampled_from([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]), min_size=12, max_size=12),
    st.lists(st.floats(0.95, 1.05), min_size=12, max_size=12),
)
def test_jitter_and_lost_messages_do_not_hide_the_interval(
    every_s: int, steps: list[float], jitter: list[float]
) -> None:
    life = Life(city([drain(1)]))
    gaps = [every_s * step * wobble for step, wobble in zip(steps, jitter, strict=True)]
    report(life, [every_s] * 6 + gaps + [every_s] * 3)
    assert learned_s(life) == pytest.approx(max(60, every_s), rel=0.06) or steps.count(2.0) > 4
