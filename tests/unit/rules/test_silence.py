"""Devices that fall silent."""

import pytest

from rules.engine import step
from rules.inputs import Inputs, Moment
from telemetry.alarms import AlarmType
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US
from telemetry.registry import Asset
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, asset, bay, city, drain, lamp
from tests.parts.series import columns

SILENT = AlarmType.DEVICE_SILENT


def happened(life: Life) -> list[tuple[str, float]]:
    """Raised and cleared, in minutes since noon."""
    found = [e for e in (*life.raised(), *life.cleared()) if e.type == SILENT]
    return [(type(e).__name__[:5], (e.at_us - NOON_US) / MINUTE_US) for e in sorted(found, key=lambda e: e.at_us)]


@pytest.mark.parametrize(("one", "minutes"), [(drain(1), 15), (bay(1), 45), (drain(1, report_every_s=60), 3)])
def test_three_missed_intervals_are_silence(one: Asset, minutes: int) -> None:
    life = Life(city([one]))
    life.observe(NOON_US, one.kind, [(1, NOON_US, 0.0)])
    life.step(NOON_US + minutes * MINUTE_US - 1, settled_us=NOON_US + minutes * MINUTE_US - 1)
    assert happened(life) == []
    life.step(NOON_US + minutes * MINUTE_US, settled_us=NOON_US + minutes * MINUTE_US)
    assert happened(life) == [("Raise", minutes)]


def test_a_message_still_on_its_way_is_waited_for() -> None:
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)])
    life.step(NOON_US + 15 * MINUTE_US + SECOND_US)
    assert happened(life) == []


def test_the_next_sign_of_life_clears() -> None:
    life = Life(city([drain(1)]))
    life.play("drain_level", 1, "0.2 _x5 0.2", NOON_US, 300)
    assert happened(life) == [("Raise", 15), ("Clear", 30)]


def test_a_late_observation_is_a_sign_of_life() -> None:
    life = Life(city([drain(1)]))
    life.play("drain_level", 1, "0.2 0.2", NOON_US, 300)
    life.step(NOON_US + 30 * MINUTE_US)
    life.observe(NOON_US + 40 * MINUTE_US, "drain_level", [(1, NOON_US + MINUTE_US, 0.2)])
    (raised, cleared) = happened(life)
    assert raised == ("Raise", 20)
    assert cleared[0] == "Clear"
    assert cleared[1] == pytest.approx(40, abs=0.1)


def test_a_redelivery_of_the_last_message_is_none() -> None:
    life = Life(city([drain(1)]))
    for now_us in (NOON_US, NOON_US + 10 * MINUTE_US):
        life.observe(now_us, "drain_level", [(1, NOON_US, 0.2)])
    life.step(NOON_US + 16 * MINUTE_US)
    assert happened(life) == [("Raise", 15)]


def test_a_device_whose_clock_is_wrong_is_alive() -> None:
    life = Life(city([drain(1)]))
    for minute in range(0, 90, 5):
        now_us = NOON_US + minute * MINUTE_US
        life.observe(now_us, "drain_level", [(1, now_us - 26 * HOUR_US, 0.2)])
    assert happened(life) == []


def test_who_was_never_heard_is_not_silent() -> None:
    life = Life(city([drain(1)]))
    for hours in range(9):
        life.step(NOON_US + hours * HOUR_US)
    assert happened(life) == []


def test_an_asset_without_device_is_not_silent() -> None:
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)])
    life.step(NOON_US + 20 * MINUTE_US)
    life.city = city([drain(1, device=None)], version=2)
    life.step(NOON_US + 30 * MINUTE_US)
    assert happened(life) == [("Raise", 15), ("Clear", 30)]


def test_a_lamp_may_be_silent_by_day() -> None:
    life = Life(city([lamp(1)]))
    life.observe(NOON_US, "streetlight", [(1, NOON_US, 0.0)])
    life.step(NOON_US + 4 * HOUR_US)
    assert happened(life) == []


def test_a_lamp_that_says_nothing_after_dusk_is_silent() -> None:
    life = Life(city([lamp(1)]))
    life.observe(NOON_US, "streetlight", [(1, NOON_US, 0.0)])
    dusk_us = life.city.sun.next_change_us(NOON_US)
    life.step(dusk_us + 31 * MINUTE_US)
    assert [each.at_us for each in life.raised()] == [dusk_us + 30 * MINUTE_US]


def test_a_lamp_whose_circuit_is_switched_off_at_dawn_is_not_silent() -> None:
    life = Life(city([lamp(1)]))
    dawn_us = life.city.sun.next_change_us(MIDNIGHT_US)
    life.observe(dawn_us, "streetlight", [(1, dawn_us - 5 * MINUTE_US, 100.0)])
    life.step(dawn_us + 3 * HOUR_US)
    assert happened(life) == []


def test_a_longer_interval_that_was_commanded_is_waited_for() -> None:
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)])
    presence = life.state.presence["drain_level"]
    presence.told_us[0], presence.told_until_us[0] = HOUR_US, NOON_US + 9 * HOUR_US
    life.step(NOON_US + 2 * HOUR_US)
    assert happened(life) == []
    life.step(NOON_US + 3 * HOUR_US + MINUTE_US)
    assert happened(life) == [("Raise", 180)]


def test_while_nothing_could_be_heard_nobody_is_silent() -> None:
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)])
    back_us = NOON_US + 5 * HOUR_US
    state, effects = step(life.city, life.state, Inputs(), Moment(back_us, back_us, listening_us=back_us))
    assert effects == []
    later_us = back_us + 15 * MINUTE_US
    _, effects = step(life.city, state, Inputs(), Moment(later_us, later_us, listening_us=back_us))
    assert [each.at_us for each in effects] == [later_us]


def test_an_unheard_hour_in_the_past_is_told_when_its_end_arrives() -> None:
    life = Life(city([drain(1)]))
    rows = [(1, NOON_US, 0.2), (1, NOON_US + HOUR_US, 0.2)]
    life.step(NOON_US + HOUR_US, Inputs({"drain_level": columns("drain_level", rows)}), settled_us=NOON_US)
    assert happened(life) == [("Raise", 15), ("Clear", 60)]


def test_a_new_kind_of_sensor_is_watched_without_a_word() -> None:
    kinds = city([]).rolls
    assert {"streetlight", "drain_level", "parking_bay"} <= kinds.keys()
    for kind in kinds.keys() - {"streetlight"}:
        one = asset(1, kind)
        life = Life(city([one]))
        life.observe(NOON_US, kind, [(1, NOON_US, 0.0)])
        life.step(NOON_US + 24 * HOUR_US)
        assert len(life.raised()) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_a_device_that_takes_the_place_of_a_silent_one_is_watched_once_it_was_heard(restart: bool) -> None:
    life = Life(city([drain(1)]), restart=restart)
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)])
    life.step(NOON_US + 20 * MINUTE_US)
    for version, device in enumerate((None, "other"), 2):
        life.city = city([drain(1, device=device)], version=version)
        life.step(NOON_US + 30 * MINUTE_US)
    life.step(NOON_US + 90 * MINUTE_US)
    assert happened(life) == [("Raise", 15), ("Clear", 30)]
    life.observe(NOON_US + 100 * MINUTE_US, "drain_level", [(1, NOON_US + 100 * MINUTE_US, 0.2)])
    life.step(NOON_US + 120 * MINUTE_US)
    assert happened(life)[2:] == [("Raise", 115)]
    assert len({alarm.id for alarm in life.raised()}) == 2
