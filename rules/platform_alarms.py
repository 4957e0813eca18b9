"""Alarms about the platform itself, from plain facts: pure, as every rule.

A fact says of one type whether its condition holds, since when, and why; delays and deadbands are the business of who
states it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.effects import ClearAlarm, RaiseAlarm
from telemetry.alarms import PLATFORM, Alarm, AlarmType, alarm_id

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
