"""Alarms about the platform itself: raised and cleared by facts, each once, told without the database in order."""

from rules.effects import ClearAlarm, RaiseAlarm
from rules.platform_alarms import Fact, after, turn
from rules.platform_record import UNRECORDED_MAX, PlatformRecord
from telemetry.alarms import Alarm, AlarmType, alarm_id
from telemetry.clock import SECOND_US, to_datetime
from tests.parts.cities import NOON_US

FILLING = AlarmType.QUEUE_FILLING
WHY = {"inputs": {"messages": 7}, "thresholds": {"messages": 5}}


def fact(holding: bool, at_s: int, kind: AlarmType = FILLING) -> Fact:
    return Fact(kind, holding, WHY, NOON_US + at_s * SECOND_US)


def test_a_condition_that_holds_raises_one_alarm_named_by_its_cause() -> None:
    (raised,) = turn({}, [fact(True, 3)], "v1", NOON_US + 9 * SECOND_US)
    assert isinstance(raised, RaiseAlarm)
    cause_us = NOON_US + 3 * SECOND_US
    assert (raised.id, raised.subject, raised.asset) == (alarm_id("platform", FILLING, cause_us), "platform", None)
    assert (raised.observed_us, raised.at_us) == (cause_us, NOON_US + 9 * SECOND_US)
    assert raised.why == {"rule_version": "v1", **WHY}
    standing, _ = after({}, raised)
    assert turn(standing, [fact(True, 20)], "v1", NOON_US) == []


def test_a_condition_that_is_over_clears_what_stands_and_nothing_else() -> None:
    assert turn({}, [fact(False, 0)], "v1", NOON_US) == []
    (raised,) = turn({}, [fact(True, 0)], "v1", NOON_US)
    standing, alarm = after({}, raised)
    assert turn(standing, [fact(False, 0, AlarmType.LEDGER_IMBALANCE)], "v1", NOON_US) == []
    (cleared,) = turn(standing, [fact(False, 60)], "v1", NOON_US + 60 * SECOND_US)
    assert isinstance(cleared, ClearAlarm)
    assert cleared.id == alarm.id
    assert after(standing, cleared)[0] == {}


def test_without_the_database_the_alarm_itself_goes_out_as_it_will_be_recorded() -> None:
    record = PlatformRecord("v1")
    record.take([fact(True, 0)], NOON_US)
    record.take([fact(False, 60)], NOON_US + 60 * SECOND_US)
    raised, cleared = record.untold()
    assert (raised.state, raised.severity, raised.cleared_at) == ("unacknowledged", "warning", None)
    assert (cleared.state, cleared.cleared_at) == (
        "returned_unacknowledged",
        to_datetime(NOON_US + 60 * SECOND_US),
    )
    assert record.untold() == []
    assert len(record.unrecorded) == 2


def test_an_alarm_that_somebody_has_seen_is_over_when_its_condition_is() -> None:
    assert _state_after_clearing("acknowledged", None) == ("normal", None)
    assert _state_after_clearing("shelved", "acknowledged") == ("shelved", "normal")


def _state_after_clearing(state: str, under: str | None) -> tuple[str, str | None]:
    record = PlatformRecord("v1")
    record.take([fact(True, 0)], NOON_US)
    (raised,) = record.untold()
    record.refresh({raised.id: (state, under)})
    record.take([fact(False, 60)], NOON_US)
    (cleared,) = record.untold()
    assert isinstance(cleared, Alarm)
    return cleared.state, cleared.state_under


def test_what_waits_for_the_database_is_bounded() -> None:
    record = PlatformRecord("v1")
    for turn_number in range(2 * UNRECORDED_MAX):
        record.take([fact(turn_number % 2 == 0, turn_number)], NOON_US)
    assert len(record.unrecorded) == UNRECORDED_MAX
    record.recorded(UNRECORDED_MAX)
    record.take([fact(True, 999)], NOON_US)
    assert len(record.unrecorded) == 1
