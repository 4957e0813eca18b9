"""A backtest from the database to what differs: reads what was stored and has both versions go through it.

It writes nothing, and publishes nothing. The registry is that of now; which asset a device served when is in the stored
observations themselves.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

from rules.backtest.feed import ends, next_change_us, window_us, windows
from rules.backtest.lanes import Inline, Lanes, Processes
from rules.backtest.replay import Outcome
from rules.backtest.scope import scoped
from rules.city import City
from rules.measures import Measure
from rules.sun import Sun
from storage import history_reading
from storage.history_reading import Span
from storage.pool import Connection
from telemetry.clock import DAY_US, SECOND_US
from telemetry.columns import Columns
from telemetry.kinds import KINDS
from telemetry.registry import Registry
from telemetry.thresholds import Thresholds

SEGMENT_ROWS = 4_000_000
"""The server is asked for about so many observations at once, so that it sorts no more and gives the first soon."""
INLINE_ROWS = 300_000
"""Up to so many expected observations no process is worth its start."""
QUIET_US = 10 * 365 * DAY_US
"""Zones of bays speak only when something moves: what they say is not compared."""

Connect = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tried. Times are microseconds since 1970 UTC; `warm_us` before `since_us` is gone through too.

    `zone` and `kind` narrow it down, `None`: all. `candidate` may be `active` itself.
    """

    registry: Registry
    active: Thresholds
    candidate: Thresholds
    sun: Sun
    timezone: ZoneInfo
    since_us: int
    until_us: int
    warm_us: int
    zone: str | None = None
    kind: str | None = None


@dataclass(slots=True)
class Reading:
    """What has been read of a kind: how many observations, and between which moments, `None` where there are none.

    `kept_since_us`: older ones may have been dropped by retention, `None` if none were.
    """

    observations: int = 0
    first_us: int | None = None
    last_us: int | None = None
    kept_since_us: int | None = None


@dataclass(slots=True)
class Passed:
    """How far it has come: up to which moment, and how many observations were read."""

    at_us: int = 0
    observations: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it; `readings` by kind, of the span with its warm-up. `chosen` names assets, `None` for all."""

    active: Outcome
    candidate: Outcome
    readings: Mapping[str, Reading] = field(default_factory=dict)
    window_us: int = 0


async def backtest(connect: Connect, plan: Plan, say: Callable[[Passed], None] = lambda _: None) -> Tried:
    """Go through the stored history with both versions.

    Raises:
        NothingChosen: no asset in service is of this zone and kind.
        LaneBroken: a process has ended before its time.
        StorageError: the database does not do what is asked.
    """
    registry, chosen = scoped(plan.registry, (plan.active, plan.candidate), plan.zone, plan.kind)
    kinds = [kind for kind in KINDS if any(each.kind == kind for each in registry.assets.values())]
    assets = None if chosen is None else tuple(sorted(registry.assets))
    async with AsyncExitStack() as stack:
        conns = {kind: await stack.enter_async_context(connect()) for kind in (*kinds, "")}
        for conn in conns.values():
            await history_reading.prepare(conn)
        begin_us = plan.since_us - plan.warm_us
        span = Span(begin_us, plan.until_us, assets)
        measures = tuple(Measure(*each) for each in await history_reading.measures_in(conns[""], span))
        wishes = [each for each in await history_reading.overrides(conns[""], span) if each.asset_id in registry.assets]
        cities = _cities(plan, registry, measures)
        slot_us = min(map(window_us, cities))
        lanes = _lanes(cities, plan, chosen)
        stack.callback(lanes.close)
        readings = {
            kind: Reading(kept_since_us=await history_reading.kept_since_us(conns[kind], KINDS[kind])) for kind in kinds
        }
        whole = Span(begin_us - begin_us % slot_us, plan.until_us, assets)
        tapes = {kind: _read(conns[kind], kind, whole, slot_us, cities[0], readings[kind]) for kind in kinds}
        answers = history_reading.acknowledged(conns[""], whole, slot_us)
        cuts = sorted({plan.since_us, *(each.at_us for each in wishes), *(each.ended_us or 0 for each in wishes)})
        moments = ends(whole.since_us, plan.until_us, slot_us, cuts, lambda at_us: next_change_us(cities, at_us))
        async for window in windows(tapes, answers, wishes, moments):
            lanes.take(window)
            say(Passed(window.until_us, sum(each.observations for each in readings.values())))
        found = lanes.outcomes()
        return Tried(found[0], found[-1], readings, slot_us)


def _cities(plan: Plan, registry: Registry, measures: tuple[Measure, ...]) -> list[City]:
    """The town by each version, or by the one that both are."""
    versions = [plan.active] if plan.active == plan.candidate else [plan.active, plan.candidate]
    bare = [City(registry, each, plan.sun, plan.timezone) for each in versions]
    pace_us = min(map(window_us, bare))
    return [
        City(registry, each, plan.sun, plan.timezone, QUIET_US, pace_us=pace_us, measures=measures) for each in versions
    ]


def _lanes(cities: list[City], plan: Plan, chosen: frozenset[str] | None) -> Lanes:
    expected = _a_second(cities[0]) * (plan.until_us - plan.since_us + plan.warm_us) / SECOND_US
    lanes = Inline if expected <= INLINE_ROWS else Processes
    return lanes(cities, plan.since_us, chosen)


def _a_second(city: City) -> float:
    """How many observations a second are expected of all assets."""
    return sum(float((SECOND_US / roll.interval_us).sum()) for roll in city.rolls.values() if len(roll))


async def _read(
    conn: Connection, kind: str, span: Span, slot_us: int, city: City, reading: Reading
) -> AsyncIterator[Columns]:
    """All observations of a kind, segment after segment."""
    for begin_us, end_us in _segments(span, slot_us, city):
        part = Span(begin_us, end_us, span.assets)
        async for columns in history_reading.observations(conn, KINDS[kind], part, slot_us):
            reading.observations += len(columns)
            reading.first_us = int(columns.observed_us[0]) if reading.first_us is None else reading.first_us
            reading.last_us = int(columns.observed_us[-1])
            yield columns


def _segments(span: Span, slot_us: int, city: City) -> Iterator[tuple[int, int]]:
    long_us = int(SEGMENT_ROWS / max(_a_second(city), 1e-6)) * SECOND_US
    long_us = max(slot_us, min(long_us, 366 * DAY_US) // slot_us * slot_us)
    edges = [*range(span.since_us, span.until_us, long_us), span.until_us]
    yield from pairwise(edges)
