"""What the rules want done, as plain data: the runner writes it down and sends it out."""

from dataclasses import dataclass, field
from typing import Any

from telemetry.alarms import AlarmType, Severity
from telemetry.availability import ZoneAvailability
from telemetry.commands import Priority, Settings, State


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """A condition has come. `at_us` is when by event time, `observed_us` the cause; `why` is contract §4's reason.

    `asset` is `None` where the subject is none. `severity` is `None` for that of its type; the same alarm raised again
    with a worse one escalates.
    """

    id: str
    at_us: int
    subject: str
    asset: str | None
    type: AlarmType
    observed_us: int
    why: dict[str, Any] = field(compare=False)
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """The condition of a raised alarm has gone; `id` is that of its `RaiseAlarm`."""

    id: str
    at_us: int
    subject: str
    type: AlarmType


@dataclass(frozen=True, slots=True)
class SendCommand:
    """A command to write down and to send, or to send `again`. `by_rule`: a rule made it, its row is not there yet.

    `carries` is the command whose wish it carries on to another device, `None` if it has none but its own. `cause_us`
    is the moment from which a rule wants it, `None` where it is sent for another reason.
    """

    id: str
    at_us: int
    asset_id: int
    asset: str
    kind: str
    device: str
    settings: Settings
    reason: Priority
    expires_us: int
    by_rule: bool = True
    again: bool = False
    carries: str | None = None
    cause_us: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """A command has come into another state; `error` says why where that is not good."""

    id: str
    at_us: int
    state: State
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EndCommand:
    """Another command has taken the place of this one, or ends it: it keeps the state that it has come to."""

    id: str
    at_us: int


@dataclass(frozen=True, slots=True)
class PublishZone:
    """A zone's word, which holds at `at_us`."""

    id: str
    at_us: int
    document: ZoneAvailability


@dataclass(frozen=True, slots=True)
class ForgetZone:
    """A zone has no bays any more."""

    id: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Count:
    """Something worth counting happened `number` times; `id` is its name."""

    id: str
    at_us: int
    number: int


Effect = RaiseAlarm | ClearAlarm | SendCommand | MoveCommand | EndCommand | PublishZone | ForgetZone | Count


def in_order(effects: list[Effect]) -> list[Effect]:
    """By time, then by what they are about: effects about one thing keep their order, all others get a fixed one."""
    return sorted(effects, key=_place)


def _place(effect: Effect) -> tuple[int, int, str]:
    if isinstance(effect, RaiseAlarm | ClearAlarm):
        return effect.at_us, 0, f"{effect.subject}|{effect.type}"
    if isinstance(effect, SendCommand | MoveCommand):
        return effect.at_us, 1, effect.id
    return effect.at_us, 2, f"{type(effect).__name__}|{effect.id}"
