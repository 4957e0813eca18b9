"""What a candidate does otherwise than the rules in force, over the same history. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from rules.backtest.replay import Light, Outcome, Stood


class Moved(msgspec.Struct, frozen=True):
    """An alarm of both versions, and by how much the candidate raises and clears it later; `None`: one does not."""

    active: Stood
    candidate: Stood
    raised_later_us: int
    cleared_later_us: int | None


class AlarmsDiffer(msgspec.Struct, frozen=True):
    """Alarms that only the candidate raises, that only the active version raises, that both do otherwise; and alike."""

    new: list[Stood]
    gone: list[Stood]
    moved: list[Moved]
    same: int


class CommandsDiffer(msgspec.Struct, frozen=True):
    """How many commands of a sort each version sends."""

    zone: str
    reason: str
    program: str
    active: int
    candidate: int


class LightDiffers(msgspec.Struct, frozen=True):
    """What each version wants of the lamps of a zone; energy is that of lamps whose full power is known."""

    zone: str
    lamps: int
    lamps_known: int
    active_level_hours: float
    candidate_level_hours: float
    active_kwh: float
    candidate_kwh: float


class LampHours(msgspec.Struct, frozen=True):
    """For how many hours lamps are wanted at a level, in whole %."""

    level_pct: int
    active: float
    candidate: float


class Difference(msgspec.Struct, frozen=True):
    """Everything that differs, and for commands and light also what does not."""

    alarms: AlarmsDiffer
    commands: list[CommandsDiffer]
    light: list[LightDiffers]
    lamp_hours: list[LampHours]


def difference(active: Outcome, candidate: Outcome) -> Difference:
    """What the candidate does otherwise."""
    return Difference(
        alarms_differ(active.alarms, candidate.alarms),
        _commands(active, candidate),
        _light(active, candidate),
        _lamp_hours(active, candidate),
    )


def alarms_differ(active: Sequence[Stood], candidate: Sequence[Stood]) -> AlarmsDiffer:
    """Alarms about the same that stand at the same time are one, raised or cleared at another time perhaps."""
    before: dict[tuple[str, str], list[Stood]] = defaultdict(list)
    for each in active:
        before[each.subject, each.type].append(each)
    new: list[Stood] = []
    moved: list[Moved] = []
    same = 0
    for each in candidate:
        others = before[each.subject, each.type]
        other = next((known for known in others if _touch(known, each)), None)
        if other is None:
            new.append(each)
            continue
        others.remove(other)
        if (other.raised_us, other.cleared_us) == (each.raised_us, each.cleared_us):
            same += 1
        else:
            moved.append(Moved(other, each, each.raised_us - other.raised_us, _later_us(other, each)))
    gone = [each for others in before.values() for each in others]
    return AlarmsDiffer(new, sorted(gone, key=lambda each: each.raised_us), moved, same)


def _touch(one: Stood, other: Stood) -> bool:
    """Whether they stand at the same time."""
    return (one.cleared_us is None or other.raised_us <= one.cleared_us) and (
        other.cleared_us is None or one.raised_us <= other.cleared_us
    )


def _later_us(active: Stood, candidate: Stood) -> int | None:
    if active.cleared_us is None or candidate.cleared_us is None:
        return 0 if active.cleared_us == candidate.cleared_us else None
    return candidate.cleared_us - active.cleared_us


def _commands(active: Outcome, candidate: Outcome) -> list[CommandsDiffer]:
    before, after = (
        Counter({(each.zone, each.reason, each.program): each.number for each in outcome.commands})
        for outcome in (active, candidate)
    )
    return [CommandsDiffer(*key, before[key], after[key]) for key in sorted(before.keys() | after.keys())]


def _light(active: Outcome, candidate: Outcome) -> list[LightDiffers]:
    before: dict[str, Light] = {each.zone: each for each in active.light}
    return [
        LightDiffers(
            each.zone,
            each.lamps,
            each.lamps_known,
            before[each.zone].level_hours,
            each.level_hours,
            before[each.zone].kwh,
            each.kwh,
        )
        for each in candidate.light
    ]


def _lamp_hours(active: Outcome, candidate: Outcome) -> list[LampHours]:
    levels = sorted(active.lamp_hours.keys() | candidate.lamp_hours.keys())
    return [
        LampHours(level, active.lamp_hours.get(level, 0.0), candidate.lamp_hours.get(level, 0.0)) for level in levels
    ]
