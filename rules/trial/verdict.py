"""What came of a rule test, noted effect by effect, and how it differs from what was expected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

from rules.effects import ClearAlarm, Effect, PublishZone, RaiseAlarm, SendCommand
from rules.trial.scenario import Expected, Scenario, ZoneExpected, read_change, read_event
from telemetry.availability import ZoneAvailability
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_datetime

Event = tuple[int, str, str, str] | tuple[int, str, float]
"""Something that happened: when, and what in words."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met: its line, and one sentence on what was expected and what happened."""

    line: int
    sentence: str


@dataclass(slots=True)
class Told:
    """What an asset was told last, `None` for nothing."""

    setpoint_pct: float | None = None
    report_every_s: int | None = None


@dataclass(slots=True)
class Witness:
    """Follows the effects of a test.

    `standing`: alarms that stand, by id. `events` and `changes`: what happened to alarms, and to what lamps were told.
    `told` by asset, `words` of zones.
    """

    standing: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    words: dict[str, ZoneAvailability] = field(default_factory=dict)

    def note(self, effects: Sequence[Effect]) -> None:
        """These effects came."""
        for each in effects:
            if isinstance(each, RaiseAlarm | ClearAlarm):
                subject = each.subject.removeprefix("asset:")
                verb = "raise" if isinstance(each, RaiseAlarm) else "clear"
                self.events.append((each.at_us, verb, each.type.value, subject))
                self.standing.pop(each.id, None)
                if verb == "raise":
                    self.standing[each.id] = f"{each.type} {subject}"
            elif isinstance(each, SendCommand):
                self._note_command(each)
            elif isinstance(each, PublishZone):
                self.words[each.id] = each.document

    def of(self, asset: str) -> Told:
        """What an asset was told last."""
        return self.told.setdefault(asset, Told())

    def _note_command(self, command: SendCommand) -> None:
        told, settings = self.of(command.asset), command.settings
        if settings.setpoint_pct is not None and settings.setpoint_pct != told.setpoint_pct:
            self.changes.append((command.at_us, command.asset, settings.setpoint_pct))
            told.setpoint_pct = settings.setpoint_pct
        if settings.report_every_s is not None:
            told.report_every_s = settings.report_every_s


def compare(scenario: Scenario, witness: Witness, number: int) -> Iterator[Failure]:
    """What holds at the moment of an expectation with what should hold."""
    expected = scenario.told.expect[number]
    line, at = scenario.line_of["expect", number], when(scenario, scenario.instant_us(expected.at))
    for wanted, was in _differing(witness, expected):
        yield Failure(line, f"{at}: expected {wanted}, but {was}.")


def compare_order(scenario: Scenario, witness: Witness) -> Iterator[Failure]:
    """All that happened with all that should have."""
    told = scenario.told
    if told.alarm_events is not None:
        events: list[Event] = [read_event(each, scenario) for each in told.alarm_events]
        yield from _missing_and_surplus(scenario, "alarm_events", events, witness.events)
    if told.setpoint_changes is not None:
        changes: list[Event] = [read_change(each, scenario) for each in told.setpoint_changes]
        yield from _missing_and_surplus(scenario, "setpoint_changes", changes, witness.changes)


def when(scenario: Scenario, at_us: int) -> str:
    """How long after the start, and the wall clock: `1h5m (13:05)`."""
    hours, rest_us = divmod(at_us - scenario.start_us, HOUR_US)
    minutes, rest_us = divmod(rest_us, MINUTE_US)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes or not (hours or rest_us) else ""]
    parts += [f"{rest_us / SECOND_US:g}s" if rest_us else ""]
    return f"{''.join(parts)} ({to_datetime(at_us).astimezone(scenario.timezone):%H:%M})"


def _differing(witness: Witness, expected: Expected) -> Iterator[tuple[str, str]]:
    """What was wanted, and what was instead."""
    standing = sorted(witness.standing.values())
    if expected.alarms is not None and standing != sorted(expected.alarms):
        yield f"the alarms {_list(sorted(expected.alarms))}", f"there stood {_list(standing)}"
    for name, percent in expected.setpoints.items():
        was = witness.of(name).setpoint_pct
        if was != percent:
            yield f"{name} to be told {percent:g} %", f"it was told {'nothing' if was is None else f'{was:g} %'}"
    for name, every_s in expected.report_every_s.items():
        said_s = witness.of(name).report_every_s
        if said_s != every_s:
            yield f"{name} to be told to report every {every_s} s", f"it was told {_said(said_s, ' s')}"
    for zone, wanted in expected.zones.items():
        yield from _differing_zone(zone, wanted, witness.words.get(zone))


def _differing_zone(zone: str, wanted: ZoneExpected, word: ZoneAvailability | None) -> Iterator[tuple[str, str]]:
    for key in (each.name for each in fields(wanted) if each.name != "restricted_free"):
        value, shown = getattr(wanted, key), getattr(word, key, None)
        if value is not None and value != shown:
            yield f"{key} {value} in zone {zone}", f"it said {_said(shown, '')}"
    for whom, free in wanted.restricted_free.items():
        bays = None if word is None else word.restricted.get(whom)
        if bays is None or bays.free != free:
            shown = None if bays is None else bays.free
            yield f"{free} bays free for {whom} in zone {zone}", f"it said {_said(shown, '')}"


def _missing_and_surplus(scenario: Scenario, key: str, wanted: list[Event], found: list[Event]) -> Iterator[Failure]:
    for number, event in enumerate(wanted):
        if wanted[: number + 1].count(event) > found.count(event):
            yield Failure(
                scenario.line_of[key, number], f"expected {_words(scenario, event)}, but that did not happen."
            )
    for number, event in enumerate(found):
        if found[: number + 1].count(event) > wanted.count(event):
            line = scenario.line_of.get((key, 0), scenario.line)
            yield Failure(line, f"{_words(scenario, event)} happened, but was not expected.")


def _words(scenario: Scenario, event: Event) -> str:
    at_us, *rest = event
    return f"{when(scenario, at_us)} {' '.join(f'{each:g}' if isinstance(each, float) else str(each) for each in rest)}"


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _said(value: object, unit: str) -> str:
    return "nothing" if value is None else f"{value}{unit}"
