"""Alarms about the platform itself: raised and cleared by facts, each once."""

from rules.effects import ClearAlarm, RaiseAlarm
from rules.platform_alarms import Change, Fact, turn
from rules.record import alarm_change
from rules.standing import Standing
from telemetry.alarms import PLATFORM, AlarmType, alarm_id
from telemetry.clock import SECOND_US
from tests.parts.cities import NOON_US

FILLING = AlarmType.QUEUE_FILLING
WHY = {"inputs": {"messages": 7}, "thresholds": {"messages": 5}}


def fact(holding: bool, at_s: int, kind: AlarmType = FILLING) -> Fact:
    return Fact(kind, holding, WHY, NOON_US + at_s * SECOND_US)


def standing_after(change: Change) -> Standing:
    standing, turned = Standing(), alarm_change(change)
    assert turned is not None
    standing.take(turned)
    return standing


def test_a_condition_that_holds_raises_one_alarm_named_by_its_cause() -> None:
    (raised,) = turn({}, [fact(True, 3)], "v1", NOON_US + 9 * SECOND_US)
    assert isinstance(raised, RaiseAlarm)
    cause_us = NOON_US + 3 * SECOND_US
    assert (raised.id, raised.subject, raised.asset) == (alarm_id("platform", FILLING, cause_us), "platform", None)
    assert (raised.observed_us, raised.at_us) == (cause_us, NOON_US + 9 * SECOND_US)
    assert raised.why == {"rule_version": "v1", **WHY}
    assert turn(standing_after(raised).holding(PLATFORM), [fact(True, 20)], "v1", NOON_US) == []


def test_a_condition_that_is_over_clears_what_stands_and_nothing_else() -> None:
    assert turn({}, [fact(False, 0)], "v1", NOON_US) == []
    (raised,) = turn({}, [fact(True, 0)], "v1", NOON_US)
    holding = standing_after(raised).holding(PLATFORM)
    assert turn(holding, [fact(False, 0, AlarmType.LEDGER_IMBALANCE)], "v1", NOON_US) == []
    (cleared,) = turn(holding, [fact(False, 60)], "v1", NOON_US + 60 * SECOND_US)
    assert isinstance(cleared, ClearAlarm)
    assert cleared.id == raised.id
