"""An outage of a radio gateway is one alarm; the devices behind it are not silent on their own account."""

import pytest

from rules.inputs import Inputs
from rules.memory import FOREVER_US
from rules.radio import OUT_S, Radio, Radios
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US, SECOND_US
from tests.parts.cities import NOON_US, Life, bay, city, drain

SINCE_US = NOON_US + MINUTE_US
AT_US = SINCE_US + 2 * MINUTE_US
OUT: Radios = {"gw": Radio(False, "chirpstack", SINCE_US, AT_US, frozenset({"dev-1", "dev-2"}))}


def back(at_us: int) -> Radios:
    return {"gw": Radio(True, "chirpstack", at_us, at_us)}


def told(life: Life) -> list[tuple[str, str, float]]:
    """What was raised and cleared, of whom, in minutes since noon."""
    found = sorted((*life.raised(), *life.cleared()), key=lambda each: (each.at_us, each.subject))
    return [(type(e).__name__[:5], e.subject, (e.at_us - NOON_US) / MINUTE_US) for e in found]


def at(life: Life, minutes: float, radios: Radios | None = None) -> None:
    now_us = NOON_US + round(minutes * MINUTE_US)
    life.step(now_us, Inputs(radios=radios), settled_us=now_us)


@pytest.fixture
def life() -> Life:
    """Three drains that report every five minutes; the gateway hears two of them, and nobody else does."""
    life = Life(city([drain(number) for number in (1, 2, 3)]))
    life.observe(NOON_US, "drain_level", [(number, NOON_US, 0.2) for number in (1, 2, 3)], settled_us=NOON_US)
    return life


def test_devices_behind_it_fold_into_one_alarm_and_others_do_not(life: Life) -> None:
    at(life, 3, OUT)
    at(life, 60, OUT)
    assert told(life) == [("Raise", "gateway:gw", 4), ("Raise", "asset:drain_level-3", 15)]
    why = life.raised()[0].why
    assert why["thresholds"] == {"out_s": OUT_S}
    assert why["inputs"]["devices"] == ["dev-1", "dev-2"]
    assert why["inputs"]["assets"] == ["drain_level-1", "drain_level-2"]
    assert life.raised()[0].type == AlarmType.GATEWAY_OUTAGE


def test_who_is_not_heard_after_its_return_is_silent_on_its_own_account(life: Life) -> None:
    at(life, 5, OUT)
    again = back(NOON_US + 40 * MINUTE_US)
    at(life, 40, again)
    now_us = NOON_US + 45 * MINUTE_US
    life.observe(now_us, "drain_level", [(1, now_us, 0.2)], settled_us=now_us)
    at(life, 59)
    assert told(life)[2:] == [("Clear", "gateway:gw", 40), ("Raise", "asset:drain_level-2", 55)]


def test_those_that_had_fallen_silent_by_then_are_folded_and_come_back_as_another_alarm(life: Life) -> None:
    at(life, 16)
    at(life, 20, {"gw": Radio(False, "tts", SINCE_US, NOON_US + 20 * MINUTE_US, frozenset({"dev-1"}))})
    assert ("Clear", "asset:drain_level-1", 20) in told(life)
    assert ("Clear", "asset:drain_level-2", 20) not in told(life)
    at(life, 30, back(NOON_US + 30 * MINUTE_US))
    at(life, 50, None)
    ids = [each.id for each in life.raised() if each.subject == "asset:drain_level-1"]
    assert len(ids) == len(set(ids)) == 2


def test_who_was_silent_long_before_stays_so() -> None:
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)], settled_us=NOON_US)
    at(life, 60)
    late_us = NOON_US + 55 * MINUTE_US
    at(life, 61, {"gw": Radio(False, "tts", late_us, late_us, frozenset({"dev-1"}))})
    assert ("Clear", "asset:drain_level-1", 61) not in told(life)


def test_a_short_absence_is_no_alarm(life: Life) -> None:
    at(life, 3, OUT)
    at(life, 3.9, back(NOON_US + 3 * MINUTE_US + 50 * SECOND_US))
    at(life, 10)
    assert told(life) == []


def test_the_alarm_of_a_gateway_that_is_no_more_is_over(life: Life) -> None:
    life.state.outages = {"old": NOON_US}
    at(life, 1)
    assert told(life) == []
    at(life, 2, {})
    assert told(life) == [("Clear", "gateway:old", 2)]


def test_nothing_is_raised_twice_after_a_restart(life: Life) -> None:
    life.state.outages = {"gw": SINCE_US}
    at(life, 10, OUT)
    assert [each for each in told(life) if each[1] == "gateway:gw"] == []


def test_an_excuse_outlives_a_restart() -> None:
    life = Life(city([drain(1)]), restart=True)
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)], settled_us=NOON_US)
    at(life, 3, OUT)
    at(life, 60)
    assert [each.subject for each in life.raised()] == []


def test_a_bay_behind_it_is_unknown_and_never_free() -> None:
    life = Life(city([bay(1)]))
    life.observe(NOON_US, "parking_bay", [(1, NOON_US, 0.0)], settled_us=NOON_US)
    at(life, 3, OUT)
    at(life, 60, OUT)
    assert (life.words()[-1].free, life.words()[-1].unknown) == (0, 1)


def test_what_is_excused_for_another_reason_stays_so() -> None:
    """As lamps of a cabinet that is out."""
    life = Life(city([drain(1)]))
    life.observe(NOON_US, "drain_level", [(1, NOON_US, 0.2)], settled_us=NOON_US)
    life.state.presence["drain_level"].excused_us[0] = FOREVER_US
    at(life, 5, OUT)
    at(life, 10, back(NOON_US + 10 * MINUTE_US))
    at(life, 60)
    assert [each for each in told(life) if each[1] == "asset:drain_level-1"] == []
