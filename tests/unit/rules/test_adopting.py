"""Other rules come into force between two steps, and nothing that was remembered is lost."""

from dataclasses import replace

from rules.city import City
from rules.rulefile.reading import read_rules
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US
from tests.parts.cities import NOON_US, Life, city, drain, lamp

HIGH = AlarmType.DRAIN_HIGH


def told(text: str, of: City) -> City:
    return replace(of, thresholds=read_rules(text).thresholds)


def minutes(life: Life) -> list[tuple[str, float]]:
    return [
        (type(e).__name__[:5], (e.at_us - NOON_US) / MINUTE_US)
        for e in [*life.raised(), *life.cleared()]
        if e.type == HIGH
    ]


def test_a_delay_under_other_figures_begins_anew() -> None:
    life = Life(city([drain(1)]))
    life.play("drain_level", 1, "0.9 1.0", NOON_US, 300)
    life.city = told("drainage.high_raise_delay_s = 600", life.city)
    life.step(NOON_US + 8 * MINUTE_US)
    life.step(NOON_US + 20 * MINUTE_US, settled_us=NOON_US + 20 * MINUTE_US)
    assert minutes(life) == [("Raise", 18)]


def test_a_delay_of_another_asset_goes_on() -> None:
    life = Life(city([drain(1), drain(2)]))
    life.play("drain_level", 1, "1.0", NOON_US, 300)
    life.city = told("assets.drain_level-2.drainage.high_raise_delay_s = 600", life.city)
    life.step(NOON_US + 5 * MINUTE_US)
    life.step(NOON_US + 10 * MINUTE_US)
    assert minutes(life) == [("Raise", 6)]


def test_an_alarm_that_no_longer_holds_clears_after_its_delay() -> None:
    life = Life(city([drain(1)]))
    life.play("drain_level", 1, "1.0x1 0.98", NOON_US, 300)
    life.city = told("drainage.deadband_m = 0.01", life.city)
    life.step(NOON_US + 12 * MINUTE_US)
    life.play("drain_level", 1, "0.98x9", NOON_US + 15 * MINUTE_US, 300)
    assert minutes(life) == [("Raise", 6), ("Clear", 12 + 30)]


def test_rules_that_say_the_same_change_nothing() -> None:
    life = Life(city([drain(1)]))
    life.play("drain_level", 1, "0.9 1.0", NOON_US, 300)
    life.city = told("version = 'same'", life.city)
    life.step(NOON_US + 8 * MINUTE_US)
    life.step(NOON_US + 20 * MINUTE_US, settled_us=NOON_US + 20 * MINUTE_US)
    assert minutes(life) == [("Raise", 11)]


def test_dimming_changes_at_once() -> None:
    life = Life(city([lamp(1)]))
    night_us = NOON_US + 8 * 60 * MINUTE_US
    life.step(night_us)
    life.city = told('[[lighting.programs]]\nname = "standard"\nnight_level_pct = 80', life.city)
    life.step(night_us + MINUTE_US)
    assert [each.settings.setpoint_pct for each in life.sent()] == [100, 80]
