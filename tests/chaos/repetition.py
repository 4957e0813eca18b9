"""One repetition of a case: a town, its devices, its faults, and the verdict once all is quiet."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from telemetry.limits import ARRAY_OBSERVATIONS_MAX
from tests.chaos.cases import Case
from tests.chaos.strikes import Strikes
from tests.chaos.town import ROOT, Town, town
from tests.chaos.uplinks import Source
from tests.chaos.verdict import Promised, Verdict, check_rollups, judge
from tests.parts.books import at_rest
from tests.parts.resender import Resender, Uplink

MEMORY_MIB_MAX = 300.0
"""Ingest's resident memory, whatever happens: the interpreter with its libraries (about 90 MiB), the inbox (64 MiB of
payloads), two batches (8 MiB each) as bytes, objects and columns, and what the allocator does not give back."""
QUIET_S = 2.5
"""The ledger is at rest if it has not changed for this long."""
SMALL_DISK_MIB = 224
SMALL_DISK = {"max_wal_size": "64MB", "min_wal_size": "32MB"}

_log = structlog.get_logger(__name__)


@dataclass
class Outcome:
    """A line of the table."""

    case: str
    seed: int
    promised: Promised
    verdict: Verdict
    memory_mib: float
    drained_s: float
    seconds: float

    @property
    def balanced(self) -> bool:
        return not self.verdict.complaints

    @property
    def good(self) -> bool:
        return self.balanced and not self.verdict.lost and not self.verdict.doubled


async def try_repeat(case: Case, seed: int, home: Path, template: Path) -> Outcome:
    """As `repeat`; what keeps a repetition from its end is a complaint of its own, and the next one begins."""
    try:
        return await repeat(case, seed, home, template)
    except Exception as error:
        _log.error("repetition failed", exc_info=error)
        verdict = Verdict(complaints=[f"{type(error).__name__}: {error}"])
        return Outcome(case.name, seed, Promised(), verdict, 0, 0, 0)


async def repeat(case: Case, seed: int, home: Path, template: Path) -> Outcome:
    """Let the case happen once. The seed decides what is sent, which faults come in which order, and when."""
    chance = random.Random(f"{case.name} {seed}")
    began_s = time.monotonic()
    promised = Promised()
    small = bool(case.faults.database_disk_full)
    async with town(
        home,
        template,
        members=case.members,
        wired=case.faults.wired,
        replicated=bool(case.faults.primary_lost),
        settings=SMALL_DISK if small else {},
        disk_mib=SMALL_DISK_MIB if small else None,
        saved=not case.autosave,
    ) as place:
        strikes = Strikes(place, chance)
        source = iter(Source(chance, case.mix, bool(case.faults.quarantine_replayed)))
        async with _devices(place, source, case.rate_per_s, promised):
            if case.backlog:
                await _backlog(place, strikes, case, promised)
            await _storm(strikes, case, chance)
        promised.played = strikes.played
        quiet_s = time.monotonic()
        verdict = await _settled(place, strikes, case, promised)
        drained_s = time.monotonic() - quiet_s - QUIET_S
        for ingest in place.ingests:
            await ingest.stop()
        verdict.complaints += await check_rollups(place.database_url, time.time_ns() // 1000)
        memory_mib = max(ingest.memory_mib for ingest in place.ingests)
        if memory_mib > MEMORY_MIB_MAX:
            verdict.complaints.append(f"ingest held {memory_mib:.0f} MiB")
    return Outcome(case.name, seed, promised, verdict, memory_mib, drained_s, time.monotonic() - began_s)


@asynccontextmanager
async def _devices(place: Town, source: Iterator[Uplink], rate_per_s: float, promised: Promised) -> AsyncIterator[None]:
    """The devices report within the block, and then until the broker has acknowledged all."""
    resender = Resender(place.mqtt_url, source, rate_per_s)
    try:
        yield
    finally:
        await asyncio.to_thread(resender.stop)
        promised.believed, promised.sent = resender.believed, resender.sent
        promised.published += resender.published


async def _storm(strikes: Strikes, case: Case, chance: random.Random) -> None:
    """The faults in a drawn order, spread over the time of the load."""
    order = [name for name, count in case.faults.drawn for _ in range(count)]
    chance.shuffle(order)
    until_s = time.monotonic() + case.seconds
    if case.autosave:
        await asyncio.sleep(chance.uniform(0.7, 0.8) * case.seconds)
    for name in order:
        left_s = max(0.0, until_s - time.monotonic())
        await asyncio.sleep(min(chance.uniform(0.2, 1.6), left_s / 2 + 0.2))
        await strikes.strike(name)
    await asyncio.sleep(max(0.5, until_s - time.monotonic()))
    await strikes.over()


async def _backlog(place: Town, strikes: Strikes, case: Case, promised: Promised) -> None:
    """The database goes, the backlog comes, and the database is back."""
    await place.database.stop()
    promised.flood_start_ms = time.time_ns() // 1_000_000 - 5 * 3_600_000
    promised.flood_each = ARRAY_OBSERVATIONS_MAX if case.fat else 1
    numbers = (promised.flood_start_ms, case.backlog, promised.flood_each, case.backlog_per_s)
    terms = [place.mqtt_url, *map(str, numbers)]
    flood = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.flood", *terms, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await flood.communicate()
    promised.flooded = int(told) * promised.flood_each
    promised.published += int(told)
    if int(told) < case.backlog:
        raise RuntimeError(f"the broker has taken {int(told)} of {case.backlog}")
    if case.meanwhile:
        await strikes.strike(case.meanwhile)
    await asyncio.sleep(2)
    await place.database.start()


async def _settled(place: Town, strikes: Strikes, case: Case, promised: Promised) -> Verdict:
    """The verdict once the ledger is at rest, and nothing that may still come is missing."""
    until_s = time.monotonic() + case.settle_s_max
    while True:
        await at_rest(place.database_url, QUIET_S, until_s)
        if case.faults.quarantine_replayed:
            await strikes.replay_quarantine()
        verdict = await asyncio.to_thread(judge, place.database_url, promised)
        if not verdict.lost or time.monotonic() > until_s:
            return verdict
