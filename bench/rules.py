"""`python -m bench.rules`: what a step of the rules costs, in a town and a city; writes `docs/rules_performance.md`."""

import asyncio
import logging
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from bench.__main__ import folders
from bench.field import field
from bench.figures import Section, Series, Table, Target
from bench.page import machine, pipes, terminal
from bench.processes import ROOT
from bench.rule_alarms import alarms
from rules.city import City
from rules.effects import Effect, SendCommand
from rules.engine import advance
from rules.inputs import Acked, Inputs, Moment
from rules.state import blank
from rules.sun import Sun
from telemetry.clock import SECOND_US, to_us
from telemetry.columns import NO_SEQ, Columns
from telemetry.kinds import KINDS
from telemetry.registry import Asset, Registry, Zone
from telemetry.thresholds import Thresholds

TOWN, CITY = 1_000, 100_000
ROUNDS, STEPS = 5, 50
PAGE = ROOT / "docs" / "rules_performance.md"
SHARES = {"streetlight": 0.6, "drain_level": 0.1, "parking_bay": 0.3}
BAYS_OF_A_ZONE = 50
BATCH = 8_000
"""Observations of a step: what comes within 40 ms at 200,000 a second."""
STEP_US = 40_000
MOVED_SHARE = 0.01
"""So many observations of a bay say that it has changed."""
NIGHT_US = to_us(datetime(2026, 11, 22, 23, tzinfo=UTC))
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "streetlight": {},
    "drain_level": {"crown_m": 1.0, "ground_m": 1.5},
    "parking_bay": {},
}


def city(assets: int) -> City:
    """A city of so many assets, each with a device."""
    listed: list[Asset] = []
    for kind, share in SHARES.items():
        for _ in range(round(assets * share)):
            number = len(listed) + 1
            name = f"{kind}-{number}"
            zone = f"zone-{number // BAYS_OF_A_ZONE}" if kind == "parking_bay" else None
            known = KINDS[kind].wire.attributes(**ATTRIBUTES[kind])
            listed.append(Asset(number, name, kind, name, zone, None, None, known, f"d-{number}"))
    zones = [Zone(name, name, 51.4, 7.0) for name in sorted({each.zone for each in listed if each.zone})]
    return City(Registry.build(1, zones, listed, []), Thresholds(), Sun(51.45, 7.01), ZoneInfo("Europe/Berlin"))


_HEAD = f"""\
# How fast the rules are

Written by `python -m bench.rules`, on the machine below; run it to have the figures of yours. Costs are medians of
{ROUNDS} rounds, with the least and the greatest in brackets; the delays of alarms are all those of one run.
"""
WORDS = f"""\
{BATCH:,} observations a step, kinds mixed (60 % lamps, 10 % drains, 30 % bays in zones of {BAYS_OF_A_ZONE}), 40 ms of
city time apart, so that all assets are looked at in every seventh step; one bay in a hundred has changed, lamps answer
what they are told, all rules are on. CPU time of `engine.advance`, what the service calls; `step` is the same with a
copy of the state before. A town's batch holds several observations of each asset, which cannot be taken at once: that
is why it costs more."""


class Devices:
    """The devices of a city: asked in turns, each a little changed since it was asked last."""

    def __init__(self, place: City) -> None:
        self._place, self._chance = place, np.random.default_rng(1)
        self._next = dict.fromkeys(place.rolls, 0)
        self._value = {kind: self._chance.random(len(roll)) for kind, roll in place.rolls.items()}

    def says(self, number: int, now_us: int) -> Inputs:
        """So many observations of this moment, the kinds in their shares."""
        return Inputs({kind: self._of_kind(kind, round(number * SHARES[kind]), now_us) for kind in self._place.rolls})

    def _of_kind(self, kind: str, count: int, now_us: int) -> Columns:
        roll, chance, value = self._place.rolls[kind], self._chance, self._value[kind]
        rows = (self._next[kind] + np.arange(count)) % len(roll)
        self._next[kind] = (self._next[kind] + count) % len(roll)
        if kind == "parking_bay":
            moved = rows[chance.random(count) < MOVED_SHARE]
            value[moved] = 1 - value[moved]
            said = np.round(value[rows])
        else:
            value[rows] = np.clip(value[rows] + chance.normal(0, 0.002, count), 0.1, 0.9)
            said = value[rows] if kind == "drain_level" else 30 + value[rows]
        described = KINDS[kind]
        fields = {each.name: np.full(count, np.nan) for each in described.properties}
        fields[described.marked[0]] = said
        return Columns(
            described,
            roll.asset_id[rows],
            now_us - 20_000 + np.arange(count) * 20_000 // count,
            np.zeros(count, np.bool_),
            np.full(count, NO_SEQ, np.int64),
            fields,
            np.arange(count, dtype=np.int32),
            np.zeros(count, np.int32),
        )


def cost_us(assets: int, steps: int) -> float:
    """CPU time of an observation in microseconds, once the city has been heard: the mean of so many steps."""
    place = city(assets)
    devices, state, now_us = Devices(place), blank(place), NIGHT_US
    answered = Answers()
    spent_s = 0.0
    warm = -(-3 * assets // BATCH) + 3
    for number in range(warm + steps):
        now_us += STEP_US
        inputs = replace(devices.says(BATCH, now_us), acks=answered.take())
        begun_s = time.process_time()
        state, effects = advance(place, state, inputs, Moment(now_us, now_us - SECOND_US))
        spent_s += (time.process_time() - begun_s) * (number >= warm)
        answered.give(effects)
    return spent_s / steps / BATCH * 1e6


class Answers:
    """Devices that answer what they are told, in the next step."""

    def __init__(self) -> None:
        self._acks: list[Acked] = []

    def give(self, effects: list[Effect]) -> None:
        """Answer commands."""
        self._acks = [Acked(0, each.device, each.id, True) for each in effects if isinstance(each, SendCommand)]

    def take(self) -> list[Acked]:
        """The answers."""
        return self._acks


def steps() -> Section:
    """A town and a city, in turns."""
    costs: dict[int, list[float]] = {assets: [] for assets in (TOWN, CITY)}
    for round_ in range(1, ROUNDS + 1):
        for assets in (TOWN, CITY):
            costs[assets].append(cost_us(assets, STEPS))
            print(f"  round {round_}: {assets:,} assets: {costs[assets][-1]:.2f} µs an observation", file=sys.stderr)
    found = {assets: Series.of(each) for assets, each in costs.items()}
    table = Table(["assets", "µs an observation", "observations/s on one core"])
    for assets, series in found.items():
        table.rows.append([f"{assets:,}", series.text(",.2f"), f"{1e6 / series.median:,.0f}"])
    growth_pct = (found[CITY].over(found[TOWN]).median - 1) * 100
    targets = [
        Target(
            5, f"observations/s through `step`, {CITY:,} assets", 1e6 / found[CITY].median, 200_000, True, "", ",.0f"
        ),
        Target(5, f"growth of the cost from {TOWN:,} to {CITY:,} assets", growth_pct, 20, False, " %", ",.0f"),
    ]
    return Section("What an observation costs", WORDS, table, targets)


async def main() -> int:
    """Measure and write; the exit code is 1 where a target is missed."""
    of, sections = machine(), [steps()]
    with folders() as (home, logs):
        async with field(home, logs) as ground:
            sections.append(await alarms(ground))
    for section in sections:
        print(terminal(section))
    parts = [_HEAD, "\n".join(f"- {line}" for line in of), ""]
    for section in sections:
        parts += [f"## {section.title}", "", section.words, "", pipes(section.table), ""]
        parts += [*(f"- {target.text()}" for target in section.targets), ""]
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    return 0 if all(target.met for section in sections for target in section.targets) else 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(asyncio.run(main()))
