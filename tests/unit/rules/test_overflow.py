"""Drains that fill: the stages, their delays, and the recorded floods of Dead Run."""

from collections import Counter

import pytest

from rules.effects import ClearAlarm, RaiseAlarm
from telemetry.alarms import SEVERITIES, AlarmType, Severity, alarm_id
from telemetry.clock import MINUTE_US, SECOND_US, to_rfc3339
from tests.parts import floods
from tests.parts.cities import NOON_US, Life, city, drain

HIGH, OVERFLOW = AlarmType.DRAIN_HIGH, AlarmType.DRAIN_OVERFLOW


def play(notation: str, every_s: float = 300, **attributes: float | None) -> Life:
    life = Life(city([drain(1, **attributes)]))
    life.play("drain_level", 1, notation, NOON_US, every_s)
    return life


def minutes(life: Life, kind: AlarmType) -> list[tuple[str, float]]:
    """What happened to an alarm, and how many minutes after the start."""
    found = [e for e in life.effects if isinstance(e, RaiseAlarm | ClearAlarm) and e.type == kind]
    return [(type(e).__name__[:5], (e.at_us - NOON_US) / MINUTE_US) for e in found]


def test_above_the_crown_for_the_raise_delay_is_high() -> None:
    assert minutes(play("0.9 1.0x2"), HIGH) == [("Raise", 5 + 6)]


def test_one_high_reading_is_no_alarm() -> None:
    assert minutes(play("0.9 1.2 0.9x9"), HIGH) == []


def test_a_sensor_that_drowns_while_it_rises_is_an_alarm_by_timer() -> None:
    life = play("0.9 1.2")
    life.step(NOON_US + 11 * MINUTE_US + 3 * SECOND_US)
    assert minutes(life, HIGH) == [("Raise", 11)]


def test_the_ground_is_overflow_at_once() -> None:
    assert minutes(play("0.9 1.5"), OVERFLOW) == [("Raise", 5)]


def test_an_overflow_clears_slowly() -> None:
    assert minutes(play("1.6 1.4x3 1.2x9"), OVERFLOW) == [("Raise", 0), ("Clear", 5 + 30)]


def test_within_the_deadband_nothing_changes() -> None:
    assert minutes(play("1.6 1.46x30"), OVERFLOW) == [("Raise", 0)]


def test_a_rise_while_clearing_begins_the_delay_anew() -> None:
    assert minutes(play("1.6 1.4x4 1.5 1.4x9"), OVERFLOW) == [("Raise", 0), ("Clear", 35 + 30)]


def test_a_gap_does_not_hide_the_end_of_a_delay() -> None:
    assert minutes(play("1.6 1.4 _x20 1.6"), OVERFLOW) == [("Raise", 0), ("Clear", 35), ("Raise", 22 * 5)]


@pytest.mark.parametrize("missing", [{"crown_m": None}, {"ground_m": None}, {"crown_m": None, "ground_m": None}])
def test_an_asset_without_the_height_has_no_such_alarm(missing: dict[str, None]) -> None:
    types = {alarm.type for alarm in play("3.0x9", **missing).raised()}
    assert types & {HIGH, OVERFLOW} == {HIGH, OVERFLOW} - {
        kind for kind, name in ((HIGH, "crown_m"), (OVERFLOW, "ground_m")) if name in missing
    }


def test_an_alarm_ends_when_its_height_leaves_the_registry() -> None:
    life = play("1.6")
    life.city = city([drain(1, ground_m=None)], version=2)
    assert [type(each) for each in life.step(NOON_US + MINUTE_US)] == [ClearAlarm]


def test_an_alarm_ends_when_its_asset_leaves_the_registry() -> None:
    life = play("1.6")
    life.city = city([drain(2)], version=2)
    (over,) = life.step(NOON_US + MINUTE_US)
    assert isinstance(over, ClearAlarm)
    assert over.id == life.raised()[0].id


def test_an_alarm_says_why() -> None:
    (alarm,) = [a for a in play("1.1 1.2 1.3").raised() if a.type == HIGH]
    assert alarm.why["rule_version"] == "default"
    assert alarm.why["inputs"] == {
        "level_m": 1.1,
        "observed_at": to_rfc3339(NOON_US),
        "last_level_m": 1.2,
        "rain": "unknown",
    }
    assert alarm.why["thresholds"] == {
        "crown_m": 1.0,
        "deadband_m": 0.05,
        "raise_delay_s": 360,
        "clear_delay_s": 1800,
    }


def test_an_alarms_id_derives_from_its_cause() -> None:
    (alarm,) = play("1.6").raised()
    assert alarm.observed_us == NOON_US
    assert alarm.id == alarm_id("asset:drain_level-1", OVERFLOW, NOON_US)
    assert SEVERITIES[alarm.type] == Severity.CRITICAL


def test_late_observations_fire_nothing() -> None:
    life = play("0.5 0.5")
    life.observe(NOON_US + 6 * MINUTE_US, "drain_level", [(1, NOON_US + MINUTE_US, 2.0), (1, NOON_US, 2.0)])
    assert life.raised() == []


def flood(gage: floods.Gage, lot_us: int) -> list[RaiseAlarm | ClearAlarm]:
    """What a recorded river does to the alarms of its stages."""
    deliveries = floods.delivered(floods.record(gage).floods(), 1, 0.0, seed=1)
    effects = [each for _, _, effects in floods.replay(deliveries, floods.town(1), lot_us) for each in effects]
    return [each for each in effects if isinstance(each, RaiseAlarm | ClearAlarm) and each.type in (HIGH, OVERFLOW)]


@pytest.mark.parametrize("lot_us", [5 * MINUTE_US, 300 * MINUTE_US])
def test_dead_run_in_june_2018_gives_three_high_and_two_overflows(lot_us: int) -> None:
    found = flood(floods.GAGES[0], lot_us)
    raised = [(alarm.type, to_rfc3339(alarm.at_us)) for alarm in found if isinstance(alarm, RaiseAlarm)]
    assert raised == [
        (HIGH, "2018-06-03T18:36:00Z"),
        (HIGH, "2018-06-03T21:26:00Z"),
        (OVERFLOW, "2018-06-03T21:35:00Z"),
        (HIGH, "2018-06-11T09:36:00Z"),
        (OVERFLOW, "2018-06-11T09:50:00Z"),
    ]
    cleared = [(alarm.type, to_rfc3339(alarm.at_us)) for alarm in found if isinstance(alarm, ClearAlarm)]
    assert cleared == [
        (HIGH, "2018-06-03T20:50:00Z"),
        (OVERFLOW, "2018-06-03T23:15:00Z"),
        (HIGH, "2018-06-04T00:25:00Z"),
        (OVERFLOW, "2018-06-11T11:20:00Z"),
        (HIGH, "2018-06-11T11:45:00Z"),
    ]
    assert len({alarm.id for alarm in found}) == 5


@pytest.mark.parametrize("gage", floods.GAGES[1:], ids=[gage.name for gage in floods.GAGES[1:]])
def test_the_gages_of_may_2019(gage: floods.Gage) -> None:
    found = Counter((type(alarm), alarm.type) for alarm in flood(gage, 5 * MINUTE_US))
    assert (found[RaiseAlarm, HIGH], found[RaiseAlarm, OVERFLOW]) == (gage.high, gage.overflow)
    assert (found[ClearAlarm, HIGH], found[ClearAlarm, OVERFLOW]) == (gage.high, gage.overflow)


def test_a_height_that_leaves_the_registry_during_the_delay_raises_nothing() -> None:
    life = play("0.9 1.2")
    life.city = city([drain(1, crown_m=None)], version=2)
    life.step(NOON_US + 20 * MINUTE_US)
    life.city = city([drain(1)], version=3)
    life.step(NOON_US + 30 * MINUTE_US)
    assert [each for each in life.effects if isinstance(each, RaiseAlarm | ClearAlarm) and each.type == HIGH] == []
