"""What is measured, each a process of its own: `python -m bench.contenders NAME MQTT_URL DATABASE_URL MESSAGES`.

It prints `ready` once it is subscribed, and one JSON line when it has dealt with so many messages.
"""

import asyncio
import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog

Contender = Callable[[str, str, int, Callable[[], None]], Awaitable[None]]


async def ours(mqtt_url: str, database_url: str, messages: int, ready: Callable[[], None]) -> None:
    """The ingest service as it is."""
    from ingest.ledger import Ledger
    from ingest.service import run
    from storage.pool import open_pool
    from telemetry.clock import CityClock

    pool = await open_pool(database_url)
    ledger = Ledger("bench")
    service = asyncio.ensure_future(
        run(mqtt_url=mqtt_url, pool=pool, now=now_us, clock=CityClock(), instance="bench", ledger=ledger, ready=ready)
    )
    while ledger.total.received < messages:
        await asyncio.sleep(0.005)
        assert not service.done(), service
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)
    await pool.close()


async def bare(mqtt_url: str, _: str, messages: int, ready: Callable[[], None]) -> None:
    """Our subscriber, which acknowledges at once and does nothing else."""
    from bus.inbox import Subscriber
    from telemetry import topics

    async with Subscriber(mqtt_url, "bench", [topics.telemetry("+", "+")], now=now_us, clean=True) as inbox:
        await inbox.ready()
        ready()
        received = 0
        while received < messages:
            batch = await inbox.next_batch()
            received += len(batch)
            batch.ack()


async def naive(mqtt_url: str, database_url: str, messages: int, ready: Callable[[], None]) -> None:
    """aiomqtt and psycopg as a tutorial joins them: a message, an INSERT."""
    import aiomqtt
    import psycopg

    parts = urlsplit(mqtt_url)
    database = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    rows = await (await database.execute("SELECT device, asset_id FROM installation")).fetchall()
    assets = dict(rows)
    stored = 0
    async with aiomqtt.Client(
        parts.hostname or "", parts.port or 1883, username=parts.username, password=parts.password
    ) as client:
        await client.subscribe("city/v1/+/+/telemetry", qos=1)
        ready()
        async for message in client.messages:
            _, _, kind, device, _ = message.topic.value.split("/")
            reading = json.loads(message.payload)  # type: ignore[arg-type]
            moment = dt.datetime.fromtimestamp(reading.pop("ts") / 1000, dt.UTC)
            names = ", ".join(reading)
            marks = ", ".join(["%s"] * len(reading))
            await database.execute(
                f"INSERT INTO {kind} (observed_at, received_at, asset_id, {names}) VALUES (%s, %s, %s, {marks})"
                " ON CONFLICT DO NOTHING",
                (moment, dt.datetime.now(dt.UTC), assets[device], *reading.values()),
            )
            stored += 1
            if stored == messages:
                break
    await database.close()


CONTENDERS: dict[str, Contender] = {"ours": ours, "bare": bare, "naive": naive}


def now_us() -> int:
    return time.time_ns() // 1000


async def main(name: str, mqtt_url: str, database_url: str, messages: int) -> None:
    start_cpu_s = 0.0

    def ready() -> None:
        nonlocal start_cpu_s
        start_cpu_s = cpu_s()
        print("ready", flush=True)

    await CONTENDERS[name](mqtt_url, database_url, messages, ready)
    ended = time.time()
    print(json.dumps({"ended": ended, "cpu_us": (cpu_s() - start_cpu_s) * 1e6 / messages}), flush=True)


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    import logging

    import uvloop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
