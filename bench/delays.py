"""Figure 5: how long a reading takes until it is committed, and until the API shows it, at three loads."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import msgspec

from bench import processes
from bench.field import READY_S, City, Field, settings_for
from bench.figures import Section, Series, Table, Target, percentile
from bench.processes import Failed
from bench.traffic import MIXED, Source
from bus.session import Publisher
from lamplighter.embedded.ports import free_port
from storage import tokens
from storage.pool import connect
from telemetry import topics
from telemetry.clock import HOUR_US

LOADS = (0.1, 0.5, 0.9)
HALF = 0.5
SECONDS = 6.0
COMMITTED_P99_MS_MAX = 50.0
VISIBLE_P99_MS_MAX = 250.0
PROBE_EVERY_S = 0.06
LOOK_S = 0.015
"""So often a probe asks the API: more often costs the machine that is measured more than the answers are worth."""
GIVE_UP_S = 10.0
WARM_S = 1.0
UNSETTLED = 3
"""The readings of the first second, and the first probes, meet programs that have just begun."""

WORDS = """\
A steady load, three kinds mixed, at shares of the rate that the races measured. Committed: from the time in the
reading, which is that of its sending to the millisecond, to the server's own commit time. Visible: a probe publishes
a reading and asks `GET /ops/v1/assets/{asset}` every 15 ms until it is the latest, one probe after another, meanwhile.
API, ingest, broker, database and devices share this machine. The first second, in which a cold ingest catches up, is
left out; the median of the rounds counts."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds of one round."""

    committed: list[float]
    visible: list[float]


async def wait(field: Field, saturation: float, rounds: int, share: float = 1.0) -> Section:
    """All loads, in turns; `saturation` is messages a second."""
    delays: dict[float, list[Delays]] = defaultdict(list)
    for round_ in range(1, rounds + 1):
        for load in LOADS:
            one = await _run(field, saturation * load, SECONDS * share)
            delays[load].append(one)
            committed, visible = percentile(one.committed, 0.99), percentile(one.visible, 0.99)
            print(
                f"  round {round_}: {load:.0%}: committed {committed:.0f} ms, visible {visible:.0f} ms", file=sys.stderr
            )
    table = Table(["load", "messages/s", "committed, median ms", "p99 ms", "visible in the API, median ms", "p99 ms"])
    for load in LOADS:
        several = delays[load]
        table.rows.append([
            f"{load:.0%}", f"{saturation * load:,.0f}",
            *(Series.of(percentile(one.committed, level) for one in several).text() for level in (0.5, 0.99)),
            *(Series.of(percentile(one.visible, level) for one in several).text() for level in (0.5, 0.99)),
        ])  # fmt: skip
    committed_ms = Series.of(percentile(one.committed, 0.99) for one in delays[HALF]).median
    visible_ms = Series.of(percentile(one.visible, 0.99) for one in delays[HALF]).median
    targets = [
        Target(5, "p99 publish to committed at half load", committed_ms, COMMITTED_P99_MS_MAX, False, " ms"),
        Target(5, "p99 publish to visible in the API at half load", visible_ms, VISIBLE_P99_MS_MAX, False, " ms"),
    ]
    return Section("5 · Delay", WORDS, table, targets)


async def _run(field: Field, rate: float, seconds: float) -> Delays:
    city = await field.city(kinds=MIXED)
    await field.clear(city)
    messages = int(rate * seconds)
    loaders = replace(city.source, devices=city.source.devices - 1)  # the last device is the probe's
    async with field.ingest(city), _api(field, city) as api:
        over = asyncio.Event()
        probe = asyncio.create_task(_probe(field, city.source, api, over))
        try:
            await field.publish(loaders, messages, rate=rate)
            over.set()
            visible = await probe
        finally:
            probe.cancel()
        sent = messages + len(visible)
        stored = await city.until_stored(sent)
    if stored < sent or len(visible) <= UNSETTLED:
        raise Failed(f"At {rate:,.0f}/s {sent - stored:,} messages were lost and {len(visible)} probes were seen")
    return Delays(await city.delays_ms(WARM_S), visible[UNSETTLED:])


@asynccontextmanager
async def _api(field: Field, city: City) -> AsyncIterator[httpx.AsyncClient]:
    """`lamplighter api` as it is, and a client with a viewer's token."""
    now_us = time.time_ns() // 1000
    async with await connect(city.url) as conn:
        _, secret = await tokens.issue(conn, role="viewer", expires_us=now_us + HOUR_US, real_now_us=now_us)
    port = free_port()
    settings = {**settings_for(city, field.broker.url), "LAMPLIGHTER_HTTP_PORT": str(port)}
    command = processes.python("-m", "lamplighter", "api")
    async with processes.running("lamplighter api", command, field.folder, settings) as api:
        await api.says('"event": "up"', READY_S)
        headers = {"Authorization": f"Bearer {secret}"}
        base_url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=GIVE_UP_S) as client:
            yield client


async def _probe(field: Field, source: Source, api: httpx.AsyncClient, over: asyncio.Event) -> list[float]:
    """Publish and look, again and again, until it is over, the last one to its end; returns the delays."""
    delays: list[float] = []
    device = source.devices
    kind, url = source.kind(device), f"/ops/v1/assets/asset-{device}"
    field_name = {"streetlight": "level_pct", "drain_level": "level_m", "parking_bay": "confidence_pct"}[kind]
    extra = {"occupied": True} if kind == "parking_bay" else {}
    async with Publisher(field.broker.url, "bench-probe") as publisher:
        while not over.is_set():
            value = (len(delays) + 1) % 1_000 / 100  # differs from the one before
            begun_s, moment_ms = time.monotonic(), time.time_ns() // 1_000_000
            reading = msgspec.json.encode({"ts": moment_ms, field_name: value, **extra})
            await publisher.publish(topics.telemetry(kind, source.device(device)), reading)
            await _until_shown(api, url, field_name, value, begun_s)
            delays.append((time.monotonic() - begun_s) * 1000)
            await asyncio.sleep(PROBE_EVERY_S)
    return delays


async def _until_shown(api: httpx.AsyncClient, url: str, name: str, value: float, begun_s: float) -> None:
    while True:
        answer = await api.get(url)
        answer.raise_for_status()
        if answer.json()["latest"].get(name) == value:
            return
        if time.monotonic() - begun_s > GIVE_UP_S:
            raise Failed(f"The API did not show a reading within {GIVE_UP_S:.0f} s")
        await asyncio.sleep(LOOK_S)
