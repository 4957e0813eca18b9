"""The recorded floods of Dead Run through the rules: as they were, and troubled on the way, many runs at once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rules.city import City
from rules.effects import Effect, RaiseAlarm
from rules.engine import step
from rules.inputs import Inputs, Moment
from rules.state import State, blank
from telemetry.alarms import AlarmType
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_us
from telemetry.thresholds import Thresholds
from tests.parts import series
from tests.parts.cities import city, drain, recording

FOOT_M = 0.3048
GROUND_M = 1.5
HIGH, OVERFLOW = AlarmType.DRAIN_HIGH, AlarmType.DRAIN_OVERFLOW

Times = NDArray[np.int64]
Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gage:
    """One recorded water level, and how often it is high and overflows."""

    name: str
    file: str
    column: str
    high: int
    overflow: int


GAGES = (
    Gage("01589330 of 2018", "water_usgs_01589330_dead_run_5min_2018-06.csv", "gage_height_ft", 3, 2),
    Gage("01589330 of 2019", "water_usgs_gage_heights_5min_2019-05.csv", "usgs_01589330_gage_height_ft", 2, 1),
    Gage("01650800", "water_usgs_gage_heights_5min_2019-05.csv", "usgs_01650800_gage_height_ft", 1, 0),
)


@dataclass(frozen=True, slots=True)
class Record:
    """Levels with their times, every five minutes."""

    at_us: Times
    level_m: Levels

    def floods(self) -> "Record":
        """What lies within hours of high water."""
        near = np.zeros(len(self.at_us), np.bool_)
        for at_us in self.at_us[self.level_m >= 0.7]:
            near |= np.abs(self.at_us - at_us) < 2 * HOUR_US
        return Record(self.at_us[near], self.level_m[near])

    def crossings_us(self) -> list[int]:
        """When the water reached the ground, between two samples."""
        before, after = self.level_m[:-1], self.level_m[1:]
        at = np.flatnonzero((before < GROUND_M) & (after >= GROUND_M))
        share = (GROUND_M - before[at]) / (after[at] - before[at])
        return [int(each) for each in self.at_us[at] + share * np.diff(self.at_us)[at]]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Samples of many runs, each run a drain of its own, in the order of their arrival."""

    run: NDArray[np.int32]
    at_us: Times
    level_m: Levels
    arrived_us: Times


@cache
def record(gage: Gage) -> Record:
    """A gage's whole record."""
    rows = [row for row in recording(gage.file) if row[gage.column]]
    at_us = np.array([to_us(datetime.fromisoformat(row["time_utc"])) for row in rows], np.int64)
    return Record(at_us, np.array([float(row[gage.column]) * FOOT_M for row in rows]))


def delivered(found: Record, runs: int, troubled: float, seed: int) -> Deliveries:
    """A share of the samples is dropped, delayed by up to half an hour, or repeated within ten minutes."""
    chance = np.random.default_rng(seed)
    shape = (runs, len(found.at_us))
    trouble = np.where(chance.random(shape) < troubled, chance.integers(1, 4, shape), 0)
    run, sample = np.nonzero(trouble != 1)
    delay_us = np.where(trouble == 2, chance.integers(MINUTE_US, 30 * MINUTE_US, shape), SECOND_US // 2)[run, sample]
    again, sample_again = np.nonzero(trouble == 3)
    later_us = chance.integers(SECOND_US, 10 * MINUTE_US, len(again))
    run, sample = np.concatenate([run, again]), np.concatenate([sample, sample_again])
    arrived_us = found.at_us[sample] + np.concatenate([delay_us, later_us])
    order = np.argsort(arrived_us, kind="stable")
    run, sample = run[order], sample[order]
    return Deliveries((run + 1).astype(np.int32), found.at_us[sample], found.level_m[sample], arrived_us[order])


def town(runs: int, thresholds: Thresholds | None = None) -> City:
    """A drain for each run: crown 1.00 m, ground 1.50 m."""
    return city([drain(number, report_every_s=300) for number in range(1, runs + 1)], thresholds)


def replay(found: Deliveries, place: City, lot_us: int = 30 * MINUTE_US) -> Iterator[tuple[int, State, list[Effect]]]:
    """What comes of deliveries, a lot at a time: when, the state and the effects."""
    state, begin = blank(place), 0
    ends_us = (np.unique(-(-found.arrived_us // lot_us)) * lot_us).tolist()
    for now_us in [*ends_us, ends_us[-1] + 2 * HOUR_US]:
        end = int(np.searchsorted(found.arrived_us, now_us, side="right"))
        lot = slice(begin, end)
        rows = zip(found.run[lot].tolist(), found.at_us[lot].tolist(), found.level_m[lot].tolist(), strict=True)
        said = Inputs({"drain_level": series.columns("drain_level", rows)}) if end > begin else Inputs()
        state, effects = step(place, state, said, Moment(now_us, now_us - 2 * SECOND_US))
        yield now_us, state, effects
        begin = end


def counts(effects: list[Effect], runs: int) -> Counter[tuple[int, int]]:
    """How many runs had so many `drain_high` and `drain_overflow`."""
    raised = Counter((each.asset, each.type) for each in effects if isinstance(each, RaiseAlarm))
    names = [f"drain_level-{number}" for number in range(1, runs + 1)]
    return Counter((raised[name, HIGH], raised[name, OVERFLOW]) for name in names)
