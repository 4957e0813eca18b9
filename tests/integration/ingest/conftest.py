"""A registered city, devices that publish, and the ingest service between a real broker and a real database."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from bus.inbox import Subscriber
from bus.session import Publisher
from ingest import service
from ingest.ledger import Ledger
from storage import ledger, registry
from storage.ledger_check import check_day
from storage.pool import Connection, Pool, connect, open_pool
from telemetry import topics
from telemetry.clock import CityClock
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually
from tests.parts.tasks import begun

_numbers = itertools.count()

CITY = """asset,kind,name,zone,lat,lon,device,sensor_height_m
lamp-1,streetlight,Lamp 1,,,,L1,
lamp-2,streetlight,Lamp 2,,,,L2,
drain-1,drain_level,Drain 1,,,,D1,3.0
drain-2,drain_level,Drain 2,,,,D2,
bay-1,parking_bay,Bay 1,,,,B1,
"""


def now() -> int:
    return time.time_ns() // 1000


class Ingest:
    """The service as a task of the test's loop."""

    def __init__(self, url: str, pool: Pool, instance: str, share: str | None = None) -> None:
        self.ledger = Ledger(instance)
        self._ready = asyncio.Event()
        self._work = service.run(
            mqtt_url=url,
            pool=pool,
            now=now,
            clock=CityClock(),
            instance=instance,
            share=share,
            ledger=self.ledger,
            ready=self._ready.set,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work)
        await begun(self._task, self._ready)

    async def failed(self) -> BaseException | None:
        """Why it has ended by itself."""
        assert self._task is not None
        ended, self._task = self._task, None
        await asyncio.wait({ended}, timeout=10)
        return ended.exception() if ended.done() else None

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


class City:
    """Publishes as devices, and looks into the database."""

    def __init__(self, publisher: Publisher, conn: Connection) -> None:
        self.publisher, self.conn = publisher, conn

    async def telemetry(self, kind: str, device: str, payload: bytes | str | dict[str, Any] | list[Any]) -> None:
        raw = payload if isinstance(payload, bytes | str) else msgspec.json.encode(payload)
        await self.publisher.publish(topics.telemetry(kind, device), raw, timeout_s=20)

    async def status(self, device: str, said: dict[str, Any] | bytes, kind: str = "streetlight") -> None:
        raw = said if isinstance(said, bytes) else msgspec.json.encode(said)
        await self.publisher.publish(topics.status(kind, device), raw, retain=True, timeout_s=20)

    async def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return await (await self.conn.execute(sql, parameters)).fetchall()

    async def ledger(self) -> dict[str, int]:
        names = (
            "received",
            "stored",
            "duplicate",
            "quarantined",
            "conflicting",
            "unknown_fields",
            "unkept",
            "replayed",
        )
        sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in names)
        ((*values,),) = await self.rows(f"SELECT {sums} FROM ledger")
        return dict(zip(names, values, strict=True))

    async def settled(self, received: int, timeout_s: float = 20) -> dict[str, int]:
        """The ledger, once so many observations have been received and settled; it is proved against the rows."""

        async def attempt() -> dict[str, int]:
            found = await self.ledger()
            assert found["received"] >= received, found
            assert found["received"] == found["stored"] + found["duplicate"] + found["quarantined"]
            return found

        account = await eventually(attempt, seconds=timeout_s, every=0.02)
        for day in await ledger.days(self.conn):
            assert (await check_day(self.conn, day.day, now())).balances
        return account


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, size=4)
    yield pool
    await pool.close()


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    async with await connect(database) as connection:
        await registry.import_csv(connection, CITY, now())
        yield connection


@pytest.fixture
def instance() -> str:
    return f"ingest-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
async def ingest(broker: BrokerPart, pool: Pool, conn: Connection, instance: str) -> AsyncIterator[Ingest]:
    running = Ingest(broker.url, pool, instance)
    await running.start()
    yield running
    await running.stop()
    await forget_session(broker.url, instance)


@pytest.fixture
async def city(broker: BrokerPart, conn: Connection, instance: str) -> AsyncIterator[City]:
    async with Publisher(broker.url, f"{instance}-devices") as publisher:
        yield City(publisher, conn)


async def forget_session(url: str, client_id: str) -> None:
    """Have the broker forget what it keeps for a client."""
    async with Subscriber(url, client_id, ["forgotten"], now=now, clean=True) as inbox:
        await inbox.ready()
