"""How long it takes from a reading to the word on its alarm: under load, without a database, when the leader dies."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from bench import processes
from bench.field import READY_S, City, Field, settings_for
from bench.figures import Section, Table, Target, percentile
from bench.processes import Failed, Running
from bench.traffic import MIXED
from bus.session import Watcher
from storage import registry
from storage.pool import connect
from telemetry import topics

RATE = 2_000.0
"""Messages a second beside the readings that are alarms."""
SECONDS = 20.0
PROBE_EVERY_S = 0.1
PROBES = 600
DEVICES = 3_000
ALARM_P99_MS_MAX = 250.0
AWAY_MS_MAX = 1_000.0
GIVE_UP_S = 30.0
UNSETTLED = 10
"""The first readings meet programs that have just begun."""
FLOOD_M = 1.6

WORDS = """\
2,000 messages a second of 3,000 devices, three kinds mixed, go to `ingest` and `rules`; ten times a second a drain that
has not spoken before says that it overflows. The time runs from before its publishing until a client hears of the
alarm on its MQTT topic; between the two the alarm is committed to the database, or, with the database stopped, synced
to the journal. Takeover: two processes run, the one that leads is killed with `kill -9`, and overflows go on; the time
is that until the first alarm after it. The killed one might have been cut off only, so the other waits 5 s for it to
come back. Every alarm is counted once in the database at the end. All parts share this machine."""


class Probes:
    """Drains that overflow, one after the other, and when each alarm was heard of; `session` speaks and hears."""

    def __init__(self, mqtt_url: str) -> None:
        self.session = Watcher(mqtt_url, "bench-alarms", [topics.alarm("+")], self._hear)
        self.said_s: dict[str, float] = {}
        self.heard_s: dict[str, float] = {}
        self.times: Counter[str] = Counter()

    async def flood(self, number: int) -> None:
        """The next drain overflows."""
        asset = f"probe-{number}"
        self.said_s[asset] = time.monotonic()
        body = msgspec.json.encode({"ts": time.time_ns() // 1_000_000, "level_m": FLOOD_M})
        await self.session.publish(topics.telemetry("drain_level", f"P{number}"), body)

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        said = msgspec.json.decode(payload) if payload else {}
        if said.get("type") == "drain_overflow" and said["state"] == "unacknowledged":
            self.heard_s.setdefault(said["asset"], time.monotonic())
            self.times[said["asset"]] += 1

    async def delays_ms(self, assets: list[str]) -> list[float]:
        """How long each took."""
        give_up_s = time.monotonic() + GIVE_UP_S
        while missing := [each for each in assets if each not in self.heard_s]:
            if time.monotonic() > give_up_s:
                raise Failed(f"{len(missing)} alarms were not heard of, {missing[0]} the first.")
            await asyncio.sleep(0.05)
        return [(self.heard_s[each] - self.said_s[each]) * 1000 for each in assets]


async def alarms(field: Field) -> Section:
    """All three, one after the other."""
    city = await field.city(DEVICES, MIXED)
    await _register(city)
    probes = Probes(field.broker.url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(probes.session)
        await probes.session.ready()
        await stack.enter_async_context(field.ingest(city))
        leader = await stack.enter_async_context(_rules(field, city, "first"))
        await stack.enter_async_context(_rules(field, city, "second"))
        busy = await _loaded(field, city, probes)
        away = await _without_database(field, probes)
        takeover_s = await _takeover(probes, leader)
        await _count(city, probes)
    table = Table(["", "median", "p99", "most"])
    for name, delays in (("with the database", busy), ("without", away)):
        shown = (percentile(delays, 0.5), percentile(delays, 0.99), max(delays))
        table.rows.append([name, *(f"{each:,.0f} ms" for each in shown)])
    table.rows.append(["takeover after `kill -9`", f"{takeover_s:.1f} s", "", ""])
    targets = [
        Target(5, "p99 reading to alarm at 2,000 messages/s", percentile(busy, 0.99), ALARM_P99_MS_MAX, False, " ms"),
        Target(7, "reading to alarm without a database, the slowest", max(away), AWAY_MS_MAX, False, " ms"),
    ]
    return Section("From a reading to its alarm", WORDS, table, targets)


async def _register(city: City) -> None:
    rows = [f"probe-{n},drain_level,P{n},1.0,1.5" for n in range(1, PROBES + 1)]
    async with await connect(city.url) as conn:
        await registry.import_csv(conn, "\n".join(["asset,kind,device,crown_m,ground_m", *rows, ""]), 0)


@asynccontextmanager
async def _rules(field: Field, city: City, name: str) -> AsyncIterator[Running]:
    settings = settings_for(city, field.broker.url) | {
        "LAMPLIGHTER_CITY_LAT": "51.45",
        "LAMPLIGHTER_CITY_LON": "7.01",
        "LAMPLIGHTER_RULES_JOURNAL_DIR": str(field.folder / f"journal-{name}"),
    }
    command = processes.python("-m", "lamplighter", "rules")
    async with processes.running(f"lamplighter rules {name}", command, field.folder, settings) as rules:
        await rules.says('"event": "up"', READY_S)
        yield rules


async def _loaded(field: Field, city: City, probes: Probes) -> list[float]:
    messages = int(RATE * SECONDS)
    load = asyncio.create_task(field.publish(city.source, messages, rate=RATE))
    number = 0
    while not load.done():
        number += 1
        await probes.flood(number)
        await asyncio.sleep(PROBE_EVERY_S)
    await load
    return await probes.delays_ms([f"probe-{each}" for each in range(UNSETTLED + 1, number + 1)])


async def _without_database(field: Field, probes: Probes) -> list[float]:
    await field.stop_database()
    first = len(probes.said_s) + 1
    for number in range(first, first + 50):
        await probes.flood(number)
        await asyncio.sleep(PROBE_EVERY_S)
    delays = await probes.delays_ms([f"probe-{each}" for each in range(first, first + 50)])
    await field.start_database()
    return delays


async def _takeover(probes: Probes, leader: Running) -> float:
    """Seconds until alarms come again."""
    await asyncio.sleep(10)  # the journal is written down, and who stands by has seen it
    os.kill(leader.pid, signal.SIGKILL)
    killed_s, first = time.monotonic(), len(probes.said_s) + 1
    number = first
    while not any(f"probe-{each}" in probes.heard_s for each in range(first, number)):
        if time.monotonic() - killed_s > GIVE_UP_S:
            raise Failed("Nobody took over.")
        await probes.flood(number)
        number += 1
        await asyncio.sleep(PROBE_EVERY_S)
    taken_s = time.monotonic() - killed_s
    await probes.delays_ms([f"probe-{each}" for each in range(first, number)])
    return taken_s


async def _count(city: City, probes: Probes) -> None:
    """Each alarm once in the database, and told once while nobody died."""
    await asyncio.sleep(3)
    found = await city.ask("SELECT count(*) FROM alarm WHERE type = 'drain_overflow'")
    if found != len(probes.said_s):
        raise Failed(f"{len(probes.said_s)} drains overflowed, and {found:.0f} alarms are in the database.")
    repeated = [asset for asset, times in probes.times.items() if times > 1]
    print(f"  {len(repeated)} of {len(probes.said_s)} alarms were said twice", file=sys.stderr)
