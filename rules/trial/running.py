"""Runs a rule test: the real step over what its sensors say, with devices that answer.

Nothing is late and nothing is lost on the way: at each moment of the test the step hears what was measured then, and
takes the moment as settled. Between samples it looks at the clock too, because lamps follow it.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count

import msgspec

from rules.city import LAMPS, City
from rules.daytimes import read_duration_s
from rules.dimming import Program
from rules.effects import Effect, SendCommand
from rules.engine import step
from rules.inputs import Inputs, Moment, Override
from rules.measures import CLOSURE, Measure
from rules.state import blank
from rules.sun import Sun
from rules.trial.scenario import Scenario, read_change, read_event
from rules.trial.series import FOLLOWS, values
from rules.trial.verdict import Failure, Witness, compare, compare_order, when
from rules.uplinks import read
from telemetry import topics
from telemetry.clock import MINUTE_US, SECOND_US, to_rfc3339
from telemetry.commands import Settings
from telemetry.decoding import Decoder
from telemetry.kinds import KINDS
from telemetry.registry import Asset

IDLE_US = 10 * MINUTE_US
"""Without anything that happens the clock is looked at so often."""
ANSWER_US = SECOND_US
"""Devices take so long to answer a command."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """A message that a device sends; `fields` of which one `follows` are what the device was told by then."""

    asset: Asset
    topic: str
    document: Mapping[str, object]


def run(scenario: Scenario) -> list[Failure]:
    """What did not come as the test expects, in the order of its lines; empty if all did."""
    return sorted(_Run(scenario).to_the_end(), key=lambda each: each.line)


@dataclass(slots=True)
class _Run:
    """A test at work. `agenda` holds the moments of steps, with what is said then (`None`: only time goes by)."""

    scenario: Scenario
    agenda: list[tuple[int, int, Uplink | None]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=count)
    witness: Witness = field(default_factory=Witness)

    def to_the_end(self) -> Iterator[Failure]:
        scenario, registry = self.scenario, self.scenario.registry
        sun = _sun(scenario.sheet.lat, scenario.sheet.lon)
        at = scenario.instant_us
        measures = tuple(
            Measure(f"closure-{number}", each.zone, CLOSURE, at(each.at), at(each.until))
            for number, each in enumerate(scenario.told.closures)
        )
        city = City(registry, scenario.thresholds, sun, scenario.timezone, measures=measures)
        state, decoder = blank(city), Decoder(registry)
        end_us = self._plan(city)
        waiting = sorted((scenario.instant_us(each.at), place) for place, each in enumerate(scenario.told.expect))
        while self.agenda and self.agenda[0][0] <= end_us:
            now_us = self.agenda[0][0]
            said = list(self._said(now_us))
            names, payloads = [each.encode() for each, _ in said], [payload for _, payload in said]
            uplinks = read(decoder, names, payloads, now_us)
            if uplinks.refused or uplinks.misspoken:
                yield Failure(scenario.line, f"{when(scenario, now_us)}: a sample is none that a device may send.")
            inputs = Inputs(uplinks.columns, uplinks.acks, overrides=self._overrides(now_us))
            state, effects = step(city, state, inputs, Moment(now_us, now_us))
            self.witness.note(effects)
            self._answer(now_us, effects)
            while waiting and waiting[0][0] <= now_us and not self._more_at(now_us):
                yield from compare(scenario, self.witness, waiting.pop(0)[1])
        yield from compare_order(scenario, self.witness)

    def _plan(self, city: City) -> int:
        """Put down when what is said and looked at; returns the end."""
        scenario, told = self.scenario, self.scenario.told
        every_us = read_duration_s(told.every) * SECOND_US
        assets = {each.asset: each for each in city.registry.assets.values()}
        instants = [scenario.instant_us(each.at) for each in told.expect]
        instants += [scenario.instant_us(each.at) for each in told.overrides]
        instants += [read_event(each, scenario)[0] for each in told.alarm_events or ()]
        instants += [read_change(each, scenario)[0] for each in told.setpoint_changes or ()]
        instants += [scenario.instant_us(told.lasts)] if told.lasts else []
        samples = [values(text) for fields in told.series.values() for text in fields.values() if text != FOLLOWS]
        longest_us = (max([len(each) for each in samples], default=1) - 1) * every_us
        end_us = max([*instants, scenario.start_us + longest_us])
        for at_us in {*instants, end_us, *self._looks(city, every_us, end_us)}:
            self._put(at_us, None)
        for name, fields in told.series.items():
            self._plan_series(assets[name], fields, every_us, end_us)
        return end_us

    def _looks(self, city: City, every_us: int, end_us: int) -> Iterator[int]:
        """When the clock is looked at, beside the moments of samples and expectations.

        Lamps follow the clock by the minute. Where only programs and the sun move them, the minutes after these do.
        """
        start_us, told = self.scenario.start_us, self.scenario.told
        if told.looks or not len(city.rolls[LAMPS]):
            looks_us = read_duration_s(told.looks) * SECOND_US if told.looks else every_us
            yield from range(start_us, end_us, looks_us)
            return
        lamps = city.lamps
        moved = not told.answers or lamps.is_cell.any() or lamps.direct.any()
        yield from range(start_us, end_us, min(every_us, MINUTE_US if moved else IDLE_US))
        for program in {id(each.program): each.program for each in lamps.beats}.values():
            yield from _ticks(start_us, end_us, partial(_end_us, program))
        yield from _ticks(start_us, end_us, city.sun.next_change_us)

    def _plan_series(self, asset: Asset, fields: Mapping[str, str], every_us: int, end_us: int) -> None:
        """What one asset's sensor says."""
        if asset.device is None:
            return
        types = {each.name: each.type for each in KINDS[asset.kind].properties}
        slots = (end_us - self.scenario.start_us) // every_us + 1
        columns: dict[str, Sequence[object]] = {
            name: [FOLLOWS] * slots if text == FOLLOWS else values(text) for name, text in fields.items()
        }
        for slot in range(max(map(len, columns.values()), default=0)):
            at_us = self.scenario.start_us + slot * every_us
            said = {name: samples[slot] for name, samples in columns.items() if slot < len(samples)}
            heard = {
                name: value == 1 if types[name] is bool and value in (0, 1) else value
                for name, value in said.items()
                if value is not None
            }
            if heard:
                topic = topics.telemetry(asset.kind, asset.device)
                self._put(at_us, Uplink(asset, topic, {"ts": to_rfc3339(at_us), **heard}))

    def _put(self, at_us: int, uplink: Uplink | None) -> None:
        heapq.heappush(self.agenda, (at_us, next(self.order), uplink))

    def _more_at(self, now_us: int) -> bool:
        return bool(self.agenda) and self.agenda[0][0] == now_us

    def _said(self, now_us: int) -> Iterator[tuple[str, bytes]]:
        """The messages of a moment: topic and payload."""
        while self._more_at(now_us):
            uplink = heapq.heappop(self.agenda)[2]
            if uplink is None:
                continue
            told_pct = self.witness.of(uplink.asset.asset).setpoint_pct
            document = {
                name: told_pct if value == FOLLOWS else value
                for name, value in uplink.document.items()
                if value != FOLLOWS or told_pct is not None
            }
            if document.keys() - {"ts"}:
                yield uplink.topic, msgspec.json.encode(document)

    def _answer(self, now_us: int, effects: Sequence[Effect]) -> None:
        """Devices acknowledge what they are told."""
        for each in effects:
            asset = self.scenario.registry.assets.get(each.asset_id) if isinstance(each, SendCommand) else None
            if asset is not None and isinstance(each, SendCommand) and self.scenario.told.answers:
                topic = topics.ack(each.kind, each.device)
                self._put(now_us + ANSWER_US, Uplink(asset, topic, {"id": each.id, "ok": True}))

    def _overrides(self, now_us: int) -> list[Override]:
        """What operators order now."""
        at, ids = self.scenario.instant_us, {each.asset: key for key, each in self.scenario.registry.assets.items()}
        return [
            Override(f"override-{number}", ids[wish.asset], Settings(setpoint_pct=wish.setpoint_pct), at(wish.until))
            for number, wish in enumerate(self.scenario.told.overrides)
            if at(wish.at) == now_us
        ]


def _ticks(start_us: int, end_us: int, following: Callable[[int], int]) -> Iterator[int]:
    """The first full minute of the test at or after each change; `following` is the change after a moment."""
    change_us = following(start_us)
    while change_us < end_us:
        yield change_us + (start_us - change_us) % MINUTE_US
        change_us = following(change_us)


def _end_us(program: Program, at_us: int) -> int:
    return program.at(at_us).end_us


@lru_cache(maxsize=8)
def _sun(lat: float, lon: float) -> Sun:
    """One for all tests of a place: what it has reckoned it keeps, and reckons for long."""
    return Sun(lat, lon)
