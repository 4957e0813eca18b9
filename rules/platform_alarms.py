"""Alarms about the platform itself, from plain facts: pure, as every rule.

A fact says of one type whether its condition holds, since when, and why; delays and deadbands are the business of who
states it. What stands is known as the alarm itself, because while the database is away the word goes out from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rules.effects import ClearAlarm, RaiseAlarm
from telemetry.alarms import PLATFORM, SEVERITIES, Alarm, AlarmType, Event, State, alarm_id, follow
from telemetry.clock import to_datetime

Change = RaiseAlarm | ClearAlarm
Standing = Mapping[AlarmType, Alarm]
"""The platform's alarms whose condition holds, acknowledged or not."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Whether the condition of one type of alarm holds.

    `why` has the members `inputs` and `thresholds` (contract §4). `observed_us`, by the city clock, is since when it
    holds, and names the alarm; or since when it holds no more.
    """

    type: AlarmType
    holding: bool
    why: Mapping[str, Any]
    observed_us: int


def turn(standing: Standing, facts: Iterable[Fact], version: str, now_us: int) -> list[Change]:
    """The alarms that facts raise and clear at a moment; `version` names the rules. A fact that is known does nothing.

    Of several facts of one type the last counts.
    """
    changes: list[Change] = []
    for fact in {each.type: each for each in facts}.values():
        stands = standing.get(fact.type)
        if fact.holding and stands is None:
            name = alarm_id(PLATFORM, fact.type, fact.observed_us)
            why = {"rule_version": version, **fact.why}
            changes.append(RaiseAlarm(name, now_us, PLATFORM, None, fact.type, fact.observed_us, why))
        elif not fact.holding and stands is not None:
            changes.append(ClearAlarm(stands.id, now_us, PLATFORM, fact.type))
    return changes


def after(standing: Standing, change: Change) -> tuple[Standing, Alarm]:
    """What stands after a change, and the alarm as it then is."""
    if isinstance(change, RaiseAlarm):
        alarm = _raised(change)
        return {**standing, change.type: alarm}, alarm
    alarm = _cleared(standing[change.type], change.at_us)
    return {kind: each for kind, each in standing.items() if kind is not change.type}, alarm


def _raised(change: RaiseAlarm) -> Alarm:
    return Alarm(
        id=change.id,
        subject=change.subject,
        asset=None,
        type=change.type,
        severity=SEVERITIES[change.type],
        state=State.UNACKNOWLEDGED,
        state_under=None,
        shelved_until=None,
        shelved_by=None,
        shelve_reason=None,
        raised_at=to_datetime(change.at_us),
        cleared_at=None,
        observed_at=to_datetime(change.observed_us),
        acknowledged_by=None,
        acknowledged_at=None,
        note=None,
        why=change.why,
    )


def _cleared(alarm: Alarm, at_us: int) -> Alarm:
    """An alarm whose condition has gone; a shelved one moves underneath."""
    at = max(to_datetime(at_us), alarm.raised_at)
    if alarm.state == State.SHELVED:
        under = follow(State(alarm.state_under or State.UNACKNOWLEDGED), Event.CLEAR)
        return msgspec.structs.replace(alarm, state_under=under, cleared_at=at)
    return msgspec.structs.replace(alarm, state=follow(State(alarm.state), Event.CLEAR), cleared_at=at)
