"""Alarms and commands move only as their tables say."""

from telemetry import alarms, commands
from telemetry.alarms import AlarmType, Event, State


def test_an_alarm_is_acknowledged_then_clears() -> None:
    state = alarms.follow(State.NORMAL, Event.RAISE)
    state = alarms.follow(state, Event.ACKNOWLEDGE)
    assert alarms.follow(state, Event.CLEAR) is State.NORMAL


def test_an_alarm_that_clears_unseen_waits_for_acknowledgement() -> None:
    state = alarms.follow(alarms.follow(State.NORMAL, Event.RAISE), Event.CLEAR)
    assert state is State.RETURNED_UNACKNOWLEDGED
    assert alarms.follow(state, Event.ACKNOWLEDGE) is State.NORMAL


def test_an_event_that_means_nothing_changes_nothing() -> None:
    assert alarms.follow(State.ACKNOWLEDGED, Event.ACKNOWLEDGE) is State.ACKNOWLEDGED


def test_every_alarm_type_has_a_severity() -> None:
    assert alarms.SEVERITIES.keys() == set(AlarmType)


def test_the_same_cause_is_the_same_alarm_and_another_is_another() -> None:
    first = alarms.alarm_id("asset:D1", AlarmType.DRAIN_HIGH, 1)
    assert first == alarms.alarm_id("asset:D1", AlarmType.DRAIN_HIGH, 1)
    assert first != alarms.alarm_id("asset:D1", AlarmType.DRAIN_HIGH, 2)


def test_final_command_states_lead_nowhere() -> None:
    final = {"verified", "rejected", "expired", "failed", "superseded"}
    assert {state.value for state, after in commands.FOLLOWS.items() if not after} == final


def test_every_command_state_is_reached() -> None:
    reached = {state for after in commands.FOLLOWS.values() for state in after}
    assert reached | {commands.State.QUEUED} == set(commands.State)
