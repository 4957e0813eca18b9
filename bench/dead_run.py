"""`python -m bench.dead_run`: the recorded floods of Dead Run through the rules; writes `docs/dead_run.md`.

Three records of two gages of the USGS in Maryland, a value every five minutes for a month (public domain), as if they
were drains with the crown at 1.00 m and the ground at 1.50 m, under the shipped figures. Each record as it is, and 200
times with a fifth of its samples dropped, delayed by up to half an hour, or repeated.
"""

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.figures import Table, Target
from bench.page import pipes
from bench.processes import ROOT
from rules.effects import ClearAlarm, Effect, RaiseAlarm
from rules.memory import NEVER_US
from telemetry.alarms import AlarmType
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_rfc3339
from telemetry.thresholds import Drainage
from tests.parts import floods
from tests.parts.floods import GAGES, HIGH, OVERFLOW, Gage, Record

PAGE = ROOT / "docs" / "dead_run.md"
RUNS = 200
TROUBLED = 0.2
SEED = 20_180_603
AHEAD_MIN = 10

_HEAD = """\
# Dead Run: what the rules make of recorded floods

Written by `python -m bench.dead_run`. Three records of two gages of the USGS in Maryland (01589330 Dead Run in June
2018 and May 2019, 01650800 Sligo Creek in May 2019; a value every five minutes, public domain), as if they were drains
with the crown at 1.00 m and the ground at 1.50 m; deadband {deadband:g} m, raise delay at the crown {on} min, clear
delays {off} min, all as shipped. Times are UTC. Then the hours round high water of each record {runs} times with
{share:.0%} of the samples dropped, delayed by up to half an hour, or repeated within ten minutes, each as often.
"""


@dataclass(frozen=True, slots=True)
class Word:
    """What was told at a moment of when the water reaches the ground; `latest_us` is `None` for perhaps never."""

    at_us: int
    earliest_us: int
    likely_us: int
    latest_us: int | None

    def holds(self, moment_us: int) -> bool:
        """Whether the range holds a moment."""
        return self.earliest_us <= moment_us and (self.latest_us is None or moment_us <= self.latest_us)


@dataclass
class Outcome:
    """What came of a record in some runs; `words` by crossing, then by run: all of the hour before."""

    effects: list[Effect] = field(default_factory=list)
    words: dict[int, list[list[Word]]] = field(default_factory=dict)


def outcome(record: Record, runs: int, troubled: float, lot_us: int) -> Outcome:
    """Replay a record, hearing what has come every so often."""
    crossings = record.crossings_us()
    found = Outcome(words={each: [[] for _ in range(runs)] for each in crossings})
    deliveries = floods.delivered(record, runs, troubled, SEED)
    for now_us, state, effects in floods.replay(deliveries, floods.town(runs), lot_us):
        found.effects += effects
        told = state.drain_outlook
        for crossing in [each for each in crossings if each - HOUR_US < now_us <= each]:
            for run in (told.until_us != NEVER_US).nonzero()[0].tolist():
                latest = int(told.latest_us[run])
                ends = int(told.earliest_us[run]), int(told.likely_us[run]), None if latest == NEVER_US else latest
                found.words[crossing][run].append(Word(now_us, *ends))
    return found


def main() -> int:
    """Replay all, write the page, and say whether what was promised holds."""
    parser = argparse.ArgumentParser(prog="python -m bench.dead_run", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    figures, targets = Drainage(), []
    alarms = Table(["gage", "alarm", "raised", "cleared"])
    single = Table(["overflow", "told", "minutes before", "earliest", "likely", "latest", "error of the likely"])
    many = Table(["overflow", f"told {AHEAD_MIN} min before", "error, median", "90 of 100 within", "in the range"])
    counted = Table(["gage", "drain_high", "drain_overflow", "drain_rising_fast", "runs with the same"])
    for gage in GAGES:
        print(gage.name, file=sys.stderr)
        record = floods.record(gage)
        plain = outcome(record, 1, 0.0, SECOND_US)
        alarms.rows += _alarms(gage, plain.effects)
        single.rows += [row for crossing, words in plain.words.items() for row in _words(crossing, words[0])]
        troubled = outcome(record.floods(), runs, TROUBLED, MINUTE_US)
        many.rows += [_many(crossing, words) for crossing, words in troubled.words.items()]
        same = floods.counts(troubled.effects, runs)[gage.high, gage.overflow]
        was = Counter(each.type for each in plain.effects if isinstance(each, RaiseAlarm))
        rising = was[AlarmType.DRAIN_RISING_FAST]
        counted.rows.append([gage.name, f"{was[HIGH]}", f"{was[OVERFLOW]}", f"{rising}", f"{same} of {runs}"])
        expected = (was[HIGH], was[OVERFLOW]) == (gage.high, gage.overflow)
        targets.append(
            Target.claim(3, f"{gage.name}: {gage.high} drain_high and {gage.overflow} drain_overflow", expected)
        )
        targets.append(Target(3, f"{gage.name}: troubled runs with the same alarms", same, runs, True))
        for crossing, words in plain.words.items():
            first = max(((crossing - each.at_us) / MINUTE_US for each in words[0]), default=0.0)
            targets.append(Target(3, f"told before {to_rfc3339(crossing)[:16]}", first, AHEAD_MIN, True, " min"))
    head = _HEAD.format(
        deadband=figures.deadband_m,
        on=figures.high_raise_delay_s // 60,
        off=figures.high_clear_delay_s // 60,
        runs=runs,
        share=TROUBLED,
    )
    parts = [head, "## Alarms", pipes(counted), pipes(alarms), "## Time to overflow", _WORDS, pipes(single)]
    parts += [f"In the {runs} troubled runs:", pipes(many)]
    parts += ["\n".join(f"- {target.text()}" for target in targets)]
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n")
    print("\n".join(target.text() for target in targets))
    return 0 if all(target.met for target in targets) else 1


_WORDS = """\
What stood after each sample from the first word on until the water reached the ground (on the straight line between
two samples): minutes ahead. The error is how much too late the likely time was; the water of a flash flood rises faster
and faster, so early words are late, and the earliest time, which reckons with that, is the one to act on. In the
troubled runs it is the last word that stood ten minutes before; where just the first samples of a rise are lost, there
is none. From the foot of the flood of 2019 to the ground it was fifteen minutes, three samples."""


def _alarms(gage: Gage, effects: Sequence[Effect]) -> list[list[str]]:
    """Each alarm of a stage with its times."""
    ended = {each.id: each.at_us for each in effects if isinstance(each, ClearAlarm)}
    raised = [each for each in effects if isinstance(each, RaiseAlarm) and each.type in (HIGH, OVERFLOW)]
    return [[gage.name, each.type.value, _minute(each.at_us), _minute(ended[each.id])] for each in raised]


def _words(crossing_us: int, words: Sequence[Word]) -> list[list[str]]:
    rows = []
    for word in words:
        ahead = [_minutes(end - word.at_us) for end in (word.earliest_us, word.likely_us)]
        latest = "perhaps never" if word.latest_us is None else _minutes(word.latest_us - word.at_us)
        before, error = _minutes(crossing_us - word.at_us), _minutes(word.likely_us - crossing_us)
        rows.append([_minute(crossing_us), _minute(word.at_us), before, *ahead, latest, error])
    return rows


def _many(crossing_us: int, runs: Sequence[Sequence[Word]]) -> list[str]:
    """The last word that stood ten minutes before, in each run that had one."""
    early = [[word for word in words if crossing_us - word.at_us >= AHEAD_MIN * MINUTE_US] for words in runs]
    last = [words[-1] for words in early if words]
    errors = sorted(abs(word.likely_us - crossing_us) / MINUTE_US for word in last) or [float("nan")]
    held = sum(word.holds(crossing_us) for word in last)
    return [
        _minute(crossing_us),
        f"{len(last)} of {len(runs)}",
        f"{statistics.median(errors):.1f} min",
        f"{errors[min(len(errors) - 1, int(0.9 * len(errors)))]:.1f} min",
        f"{held} of {len(last)}",
    ]


def _minute(at_us: int) -> str:
    return to_rfc3339(at_us)[:16].replace("T", " ")


def _minutes(span_us: int) -> str:
    return f"{span_us / MINUTE_US:.1f}"


if __name__ == "__main__":
    sys.exit(main())
