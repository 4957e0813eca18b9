"""Rules replayed over what was observed: which alarms, which commands, how much light. Pure.

What devices reported is what happened, and so is what they acknowledged and what people wished of lamps. A command that
the rules would send is counted and taken for carried out; no device answers it, so the reports stay those of history.
Light is what the rules want of each lamp at each moment; `level_hours` is that in % times hours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from rules import following, leases
from rules.city import LAMPS, City
from rules.effects import ClearAlarm, RaiseAlarm, SendCommand
from rules.engine import step
from rules.inputs import Ended, Inputs, Moment, Override
from rules.memory import NEVER_US, Reals, Rows, Times
from rules.state import State, blank
from rules.wanted import wanted
from telemetry.alarms import SEVERITIES
from telemetry.clock import HOUR_US
from telemetry.columns import Columns

BRIGHT_PCT = 99.0
"""At this light a lamp draws its full power."""
TELLING_PCT = 20.0
"""Below this light its power says nothing of its full power."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Setpoints that lamps acknowledged, `(n,)` each, in order of time; each held until then at most."""

    at_us: Times
    asset_id: Rows
    setpoint_pct: Reals
    until_us: Times


@dataclass(frozen=True, slots=True)
class Window:
    """What was said up to a moment since the one before; columns by kind are in order of time."""

    until_us: int
    columns: Mapping[str, Columns] = field(default_factory=dict)
    answers: Answers | None = None
    overrides: Sequence[Override] = ()
    ended: Sequence[Ended] = ()


class Stood(msgspec.Struct, frozen=True):
    """An alarm from when until when; `cleared_us` is `None` where it still stands at the end."""

    subject: str
    asset: str | None
    type: str
    severity: str
    raised_us: int
    cleared_us: int | None


class Sent(msgspec.Struct, frozen=True):
    """Commands of one sort: to a zone (empty for none), for a reason, by a program (empty for none)."""

    zone: str
    reason: str
    program: str
    number: int


class Light(msgspec.Struct, frozen=True):
    """What was wanted of the lamps of a zone; `kwh` is of those whose full power is known, `full_w` together."""

    zone: str
    lamps: int
    lamps_known: int
    level_hours: float
    kwh: float
    full_w: float


class Outcome(msgspec.Struct, frozen=True):
    """What came of the rules in a span. `lamp_hours`: how long lamps were wanted at each level in whole %."""

    version: str
    alarms: list[Stood]
    commands: list[Sent]
    light: list[Light]
    lamp_hours: dict[int, float]


class Replay:
    """One version of the rules at work: `take` window after window, then ask for the `outcome`.

    Only what happens from `since_us` on is told, about the assets `chosen` by name, `None` for all.
    """

    def __init__(self, city: City, since_us: int, chosen: frozenset[str] | None = None) -> None:
        self._city, self._since_us, self._chosen = city, since_us, chosen
        self._state: State = blank(city)
        roll = city.rolls[LAMPS]
        self._mine = np.array([chosen is None or each.asset in chosen for each in roll.assets], np.bool_)
        self._level_pct = np.zeros(len(roll))
        self._level_hours = np.zeros(len(roll))
        self._hours_at = np.zeros(101)
        self._bright_w, self._scaled_w = np.full(len(roll), np.nan), np.full(len(roll), np.nan)
        self._standing: dict[tuple[str, str], Stood] = {}
        self._over: list[Stood] = []
        self._sent: Counter[tuple[str, str, str]] = Counter()
        self._at_us = NEVER_US

    def take(self, window: Window) -> None:
        """Go on to the end of a window."""
        self._burn(window.until_us)
        self._answer(window.answers)
        self._see_power(window.columns.get(LAMPS))
        inputs = Inputs(window.columns, overrides=window.overrides, ended=window.ended)
        self._state, effects = step(self._city, self._state, inputs, Moment(window.until_us, window.until_us))
        for each in effects:
            if isinstance(each, RaiseAlarm):
                self._raise(each)
            elif isinstance(each, ClearAlarm):
                self._clear(each)
            elif isinstance(each, SendCommand) and not each.again:
                self._send(each)
        self._carry_out()
        self._look(window.until_us)

    def outcome(self) -> Outcome:
        """What came of it so far."""
        alarms = sorted(
            [*self._over, *self._standing.values()], key=lambda each: (each.raised_us, each.subject, each.type)
        )
        sent = [Sent(*key, number) for key, number in sorted(self._sent.items())]
        hours = {level: float(each) for level, each in enumerate(self._hours_at) if each}
        return Outcome(self._city.thresholds.version, alarms, sent, self._light(), hours)

    def _raise(self, alarm: RaiseAlarm) -> None:
        if not self._concerns(alarm):
            return
        key = (alarm.subject, alarm.type)
        severity = alarm.severity or SEVERITIES[alarm.type]
        before = self._standing.get(key)
        raised_us = alarm.at_us if before is None else before.raised_us
        self._standing[key] = Stood(alarm.subject, alarm.asset, alarm.type.value, severity.value, raised_us, None)

    def _clear(self, alarm: ClearAlarm) -> None:
        stood = self._standing.pop((alarm.subject, alarm.type), None)
        if stood is not None and alarm.at_us >= self._since_us:
            self._over.append(msgspec.structs.replace(stood, cleared_us=alarm.at_us))

    def _concerns(self, alarm: RaiseAlarm) -> bool:
        """Whether it is about what was chosen; an incident is if any of its lamps is."""
        if self._chosen is None or alarm.asset is not None:
            return self._chosen is None or alarm.asset in self._chosen
        return not self._chosen.isdisjoint(alarm.why["inputs"].get("assets", ()))

    def _send(self, command: SendCommand) -> None:
        if command.at_us < self._since_us or (self._chosen is not None and command.asset not in self._chosen):
            return
        asset = self._city.asset(command.asset_id)
        program = ""
        if command.kind == LAMPS and command.reason == "program":
            row = int(self._city.rolls[LAMPS].rows(np.array([command.asset_id]))[0])
            program = self._city.lamps.beats[self._city.lamps.beat[row]].program.name
        self._sent[(asset.zone if asset else None) or "", command.reason, program] += 1

    def _carry_out(self) -> None:
        """No command waits for an answer; those that wait for their turn to go out do."""
        book = self._state.book
        for each in [each for each in book.by_id.values() if each.sends]:
            book.drop(each)

    def _answer(self, answers: Answers | None) -> None:
        """What lamps acknowledged then is what they are held to."""
        if answers is None:
            return
        rows = self._city.rolls[LAMPS].rows(answers.asset_id)
        last = {row: place for place, row in enumerate(rows.tolist()) if row >= 0}
        for row, place in last.items():
            setpoint, at_us = float(answers.setpoint_pct[place]), int(answers.at_us[place])
            following.set_point(self._state.following, row, setpoint, at_us, int(answers.until_us[place]))

    def _see_power(self, said: Columns | None) -> None:
        """What lamps draw at full light, as far as they show it."""
        if said is None:
            return
        rows = self._city.rolls[LAMPS].rows(said.asset_id)
        level, power = said.fields["level_pct"], said.fields["power_w"]
        telling = (rows >= 0) & (level >= TELLING_PCT) & (power > 0)
        bright = telling & (level >= BRIGHT_PCT)
        np.fmax.at(self._scaled_w, rows[telling], power[telling] * 100 / level[telling])
        np.fmax.at(self._bright_w, rows[bright], power[bright])

    def _look(self, now_us: int) -> None:
        """What is wanted of the lamps from now on."""
        lease = self._state.lease
        now = wanted(self._city, self._state.photocell, self._state.boost, now_us).level_pct
        self._level_pct = np.where(leases.overridden(lease), lease.override_pct, now)
        self._at_us = now_us

    def _burn(self, until_us: int) -> None:
        """The lamps have given until now what was wanted at the last look."""
        hours = (until_us - max(self._at_us, self._since_us)) / HOUR_US
        if self._at_us == NEVER_US or hours <= 0:
            return
        served = self._mine & self._city.rolls[LAMPS].served
        self._level_hours[served] += self._level_pct[served] * hours
        levels = np.rint(self._level_pct[served]).astype(np.intp)
        self._hours_at += np.bincount(levels, minlength=101)[:101] * hours

    def _light(self) -> list[Light]:
        full_w = np.where(np.isnan(self._bright_w), self._scaled_w, self._bright_w)
        served = self._mine & self._city.rolls[LAMPS].served
        names = np.array([each.zone or "" for each in self._city.rolls[LAMPS].assets], np.object_)
        found = []
        for zone in sorted(set(names[served].tolist())):
            rows = served & (names == zone)
            known = rows & ~np.isnan(full_w)
            kwh = float((self._level_hours[known] / 100 * full_w[known]).sum()) / 1000
            hours = float(self._level_hours[rows].sum())
            found.append(Light(zone, int(rows.sum()), int(known.sum()), hours, kwh, float(full_w[known].sum())))
        return found
