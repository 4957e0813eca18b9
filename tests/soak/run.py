"""One soak from an empty folder to its verdict."""

import asyncio
import os
import random
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from firmware_sim import fleet
from lamplighter.clock import real_now, ticking
from telemetry.clock import SECOND_US
from tests.chaos.town import may_mount
from tests.chaos.verdict import check_rollups
from tests.parts.books import at_rest
from tests.parts.tasks import running
from tests.soak.memory import Held, Memory
from tests.soak.plan import FAULTS, Plan
from tests.soak.record import Record
from tests.soak.town import Town, town
from tests.soak.verdict import Verdict, judge

QUIET_S, QUIET_S_MAX = 3.0, 120.0
"""The books are at rest if they have not changed for so long; until then so long is waited."""
BACK_S_MAX = 120.0
"""After the last strike the town is ready again within so long."""
ASK_EVERY_S = 1.0

_log = structlog.get_logger(__name__)


@dataclass
class Answers:
    """What somebody outside saw who asked every second."""

    parking: int = 0
    asked: int = 0
    ready: int = 0
    not_ready: int = 0
    probe_waited_s: float = 0.0
    """The longest that a reading of the self-probe was seen to wait."""
    last_not_ready_s: float = 0.0
    """Real seconds after the beginning."""
    why: str = ""
    """What was said then."""


@dataclass
class Outcome:
    """A soak; `strikes` are those that took place, with the real seconds that each took."""

    plan: Plan
    verdict: Verdict
    progress: fleet.Progress
    record: Record
    held: list[Held]
    answers: Answers
    strikes: list[tuple[float, str, float]] = field(default_factory=list)
    mounted: bool = True
    load: tuple[float, float] = (0.0, 0.0)
    """Of the machine, by the minute: before and at the end."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether all is as promised."""
        return not (self.verdict.complaints or self.verdict.lost or self.verdict.doubled)


async def soak(plan: Plan) -> Outcome:
    """Let a town live under the plan's strikes, and judge it."""
    began_s, load = time.monotonic(), os.getloadavg()[0]
    record, answers, mounted = Record(), Answers(), may_mount()
    with tempfile.TemporaryDirectory(prefix="lamplighter-soak-", ignore_cleanup_errors=True) as folder:
        async with town(plan, Path(folder) / "town", mounted) as place:
            memory = Memory(lambda: place.pids() | {"simulator and judge": [os.getpid()]}, plan.calm_s)
            async with running(memory.watch()), running(_ask(place, answers)):
                progress, strikes = await _live(plan, place, record, memory)
                await at_rest(place.database.running.url, QUIET_S, time.monotonic() + QUIET_S_MAX)
            outcome = Outcome(plan, Verdict(), progress, record, memory.held(), answers, strikes, mounted)
            for service in place.services.values():
                await service.stop()
            outcome.verdict = await asyncio.to_thread(judge, place.database.running.url, plan, record)
            now_us = place.clock.at(real_now())
            outcome.verdict.complaints += await check_rollups(place.database.running.url, now_us)
    _complain(outcome)
    outcome.load, outcome.seconds = (load, os.getloadavg()[0]), time.monotonic() - began_s
    return outcome


async def _live(
    plan: Plan, place: Town, record: Record, memory: Memory
) -> tuple[fleet.Progress, list[tuple[float, str, float]]]:
    """The devices, and the strikes in their time."""
    await asyncio.sleep(max(0, place.clock.anchor_us - real_now()) / SECOND_US)
    stop, url = asyncio.Event(), place.broker.running.url
    devices = asyncio.create_task(
        fleet.run(
            url,
            plan.city,
            ticking(place.clock),
            speed=plan.speed,
            stop=stop,
            connections=plan.connections,
            faults=FAULTS,
            witness=record,
        )
    )
    memory.begins()
    began_s, chance, done = time.monotonic(), random.Random(plan.seed), []
    for strike in plan.strikes:
        await asyncio.sleep(max(0.0, began_s + strike.at_s - time.monotonic()))
        at_s = time.monotonic() - began_s
        _log.info("strike", what=strike.what, at_s=round(at_s))
        await place.strike(strike.what, chance)
        done.append((at_s, strike.what, time.monotonic() - began_s - at_s))
    await asyncio.sleep(max(0.0, began_s + plan.seconds - time.monotonic()))
    stop.set()
    return await devices, done


async def _ask(place: Town, answers: Answers) -> None:
    """Look at the town from outside, every second."""
    began_s = time.monotonic()
    async with httpx.AsyncClient(base_url=place.http, timeout=5) as client:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            answers.asked += 1
            with suppress(httpx.HTTPError):
                answers.parking += (await client.get("/public/v1/parking")).status_code == 200
                said = await client.get("/readyz")
                probe = said.json().get("probe") or {}
                answers.probe_waited_s = max(answers.probe_waited_s, probe.get("waiting_s", 0.0))
                if said.status_code == 200:
                    answers.ready += 1
                    continue
                answers.why = said.json()["detail"]
            answers.not_ready += 1
            answers.last_not_ready_s = time.monotonic() - began_s


def _complain(outcome: Outcome) -> None:
    """What else is not as promised: memory that grows, a town that does not come back, readings that fell out."""
    complaints, answers = outcome.verdict.complaints, outcome.answers
    for held in outcome.held:
        if not held.flat and held.name not in ("simulator and judge", "database") and outcome.plan.full:
            complaints.append(f"{held.name} grew from {held.first_mib:.0f} to {held.last_mib:.0f} MiB")
    if answers.last_not_ready_s > outcome.plan.calm_s + BACK_S_MAX:
        complaints.append(f"it was not ready {answers.last_not_ready_s:.0f} s after the beginning: {answers.why}")
    if outcome.progress.lost:
        complaints.append(f"{outcome.progress.lost} readings fell out of a device's full store")
    if not outcome.verdict.probes_shown:
        complaints.append("the self-probe was never shown")
