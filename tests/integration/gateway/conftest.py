"""A gateway between a network server that speaks by a real broker, and a city with ingest and a real database."""

import asyncio
import base64
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from bus.session import Watcher
from gateway import service
from gateway.events import Network
from gateway.figures import Figures
from gateway.models import Field, Metrics, Models
from storage import ledger, registry
from storage.ledger_check import check_day
from storage.pool import Connection, Pool, connect, open_pool
from telemetry import topics
from telemetry.clock import to_rfc3339
from tests.integration.ingest.conftest import Ingest
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually
from tests.parts.tasks import begun

BAY, LAMP, DRAIN = "a81758fffe0304aa", "70b3d5b020073208", "a81758fffe0304bb"
CITY = f"""asset,kind,name,zone,lat,lon,device,sensor_height_m
bay-1,parking_bay,Bay 1,,,,{BAY.upper()},
lamp-1,streetlight,Lamp 1,,,,{LAMP},
drain-1,drain_level,Drain 1,,,,{DRAIN},3.0
drain-2,drain_level,Drain 2,,,,PS3,
"""
SPARKPLUG = Metrics("Drains", "pump 3", "PS3", "drain_level", {"level_m": Field("Inputs/Level", 0.001)}, "level")
MODELS = {BAY: "bosch/tps110", LAMP: "nas/ul20xx-1.1", DRAIN: "nobody knows"}


def now() -> int:
    return time.time_ns() // 1000


class Gateway:
    """The service as a task of the test's loop; it can be ended without a farewell to what it was at."""

    def __init__(self, url: str, pool: Pool) -> None:
        self._url, self._pool = url, pool
        self.figures = Figures()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ready, self.figures = asyncio.Event(), Figures()
        work = service.run(
            mqtt_url=self._url,
            networks=[Network(kind, kind, self._url) for kind in service.SERVERS],
            models=Models(sparkplug=[SPARKPLUG]),
            pool=self._pool,
            now=now,
            figures=self.figures,
            ready=ready.set,
        )
        self._task = asyncio.create_task(work)
        await begun(self._task, ready)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


class Town:
    """Speaks as network servers and as the platform, hears both, and looks into the database."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.session: Watcher
        self.heard: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.counter = 0

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        self.heard[topic].append(msgspec.json.decode(payload) if payload[:1] == b"{" else {})

    async def say(self, topic: str, body: dict[str, Any] | bytes) -> None:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await self.session.publish(topic, raw, timeout_s=20)

    def event(self, eui: str, event: str, **more: Any) -> tuple[str, dict[str, Any]]:
        info = {"devEui": eui, "deviceProfileName": MODELS.get(eui, "bosch/tps110"), "applicationId": "7"}
        body = {"time": to_rfc3339(now()), "deviceInfo": info, "devAddr": "00189440", **more}
        return f"application/7/device/{eui}/event/{event}", body

    def frame(self, eui: str, data: bytes, port: int = 1) -> tuple[str, dict[str, Any]]:
        self.counter += 1
        more = {"deduplicationId": f"{eui}-{self.counter}", "fCnt": self.counter, "fPort": port}
        return self.event(eui, "up", data=base64.b64encode(data).decode(), **more)

    async def up(self, eui: str, data: bytes, port: int = 1) -> None:
        await self.say(*self.frame(eui, data, port))

    async def said(self, topic: str, number: int = 1) -> list[dict[str, Any]]:
        async def attempt() -> list[dict[str, Any]]:
            assert len(self.heard[topic]) >= number, dict(self.heard)
            return self.heard[topic]

        return await eventually(attempt)

    async def ledger(self, **expected: int) -> None:
        """Wait until the ledger is as expected; it is proved against the rows."""

        async def attempt() -> None:
            found = (await ledger.totals(self.conn, now())).document()
            assert found | expected == found, found

        await eventually(attempt, seconds=20)
        for day in await ledger.days(self.conn):
            assert (await check_day(self.conn, day.day, now())).balances

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await (await self.conn.execute(sql)).fetchall()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database, size=6)
    yield pool
    await pool.close()


@pytest.fixture
def city() -> str:
    """The registry; a module may have its own."""
    return CITY


@pytest.fixture
async def conn(database: str, city: str) -> AsyncIterator[Connection]:
    async with await connect(database) as connection:
        await registry.import_csv(connection, city, now())
        yield connection


@pytest.fixture
async def ingest(own_broker: BrokerPart, pool: Pool, conn: Connection) -> AsyncIterator[Ingest]:
    running = Ingest(own_broker.url, pool, "ingest")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def gateway(own_broker: BrokerPart, pool: Pool, ingest: Ingest) -> AsyncIterator[Gateway]:
    running = Gateway(own_broker.url, pool)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def town(own_broker: BrokerPart, conn: Connection) -> AsyncIterator[Town]:
    town = Town(conn)
    filters = [
        "application/+/device/+/command/down",
        "v3/+/devices/+/down/push",
        "spBv1.0/+/NCMD/+",
        topics.ack("+", "+"),
        topics.radio_gateway("+"),
    ]
    async with Watcher(own_broker.url, "town", filters, town.hear) as session:
        town.session = session
        await session.ready()
        yield town
