"""A registered town, devices that hear and speak, and the rules between a real broker and a real database."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.session import Watcher
from rules import service
from rules.counts import Counts
from rules.journal import Journal
from storage import registry
from storage.pool import Connection, Pool, connect, open_pool
from telemetry import topics
from telemetry.clock import SECOND_US, CityClock, to_rfc3339
from tests.parts.broker import BrokerPart
from tests.parts.cities import BERLIN, ESSEN, MIDNIGHT_US
from tests.parts.patience import eventually
from tests.parts.tasks import running
from tests.parts.wire import Wire

TOWN = """asset,kind,name,zone,lat,lon,device,ring_sign,min_level_pct,crown_m,ground_m,reserved_for
market,zone,Marktplatz,,51.4363,7.3352,,,,,,
lamp-1,streetlight,Lamp 1,,,,L1,,,,,
lamp-2,streetlight,Lamp 2,,,,L2,true,40,,,
drain-1,drain_level,Drain 1,,,,D1,,,1.0,1.5,
bay-1,parking_bay,Bay 1,market,,,B1,,,,,
bay-2,parking_bay,Bay 2,market,,,B2,,,,,
bay-3,parking_bay,Bay 3,market,,,B3,,,,,disabled
"""


class Clock:
    """The city's clock at real speed, from local midnight on; a test may let time pass."""

    def __init__(self) -> None:
        self._ahead_us = MIDNIGHT_US - time.time_ns() // 1000

    def now(self) -> int:
        return time.time_ns() // 1000 + self._ahead_us

    def pass_by(self, seconds: float) -> None:
        self._ahead_us += round(seconds * SECOND_US)


class Town:
    """Devices on the broker, everything that the platform says, and the database."""

    def __init__(self, clock: Clock, conn: Connection) -> None:
        self.clock, self.conn = clock, conn
        self.said: dict[str, list[tuple[dict[str, Any], bool]]] = defaultdict(list)
        self.session: Watcher

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        self.said[topic].append((msgspec.json.decode(payload) if payload else {}, retained))

    async def report(self, kind: str, device: str, ago_s: float = 0, **fields: Any) -> None:
        body = {"ts": to_rfc3339(self.clock.now() - round(ago_s * SECOND_US)), **fields}
        await self.session.publish(topics.telemetry(kind, device), msgspec.json.encode(body), timeout_s=20)

    async def answer(self, device: str, command: dict[str, Any], ok: bool = True, kind: str = "streetlight") -> None:
        body = {"id": command["id"], "ok": ok, "applied": command["set"], "error": None if ok else "broken"}
        await self.session.publish(topics.ack(kind, device), msgspec.json.encode(body), timeout_s=20)

    async def commands(self, device: str, number: int, kind: str = "streetlight") -> list[dict[str, Any]]:
        """What a device has been told, once there is that much."""

        async def attempt() -> list[dict[str, Any]]:
            heard = [body for body, _ in self.said[topics.command(kind, device)]]
            assert len(heard) >= number, heard
            return heard

        return await eventually(attempt)

    async def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return await (await self.conn.execute(sql, parameters)).fetchall()

    async def row(self, sql: str, *parameters: object, expected: Callable[[tuple[Any, ...]], bool]) -> tuple[Any, ...]:
        """The one row of a query, once it is as expected."""

        async def attempt() -> tuple[Any, ...]:
            found = await self.rows(sql, *parameters)
            assert len(found) == 1, found
            assert expected(found[0]), found
            return found[0]

        return await eventually(attempt, seconds=15)

    async def state_of(self, command_id: str, state: str) -> tuple[Any, ...]:
        """A command's moments, once it has come to a state."""
        query = "SELECT state, queued_at, sent_at, acknowledged_at, verified_at, error FROM command WHERE id = %s"
        return await self.row(query, command_id, expected=lambda row: row[0] == state)


StartRules = Callable[..., AbstractAsyncContextManager[Counts]]
"""Takes the service's further arguments by name."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gate(database: str) -> AsyncIterator[Wire]:
    """The rules' way to the database."""
    async with Wire(database) as gate:
        yield gate


@pytest.fixture
async def pool(gate: Wire) -> AsyncIterator[Pool]:
    pool = await open_pool(gate.url, size=4)
    yield pool
    await pool.close()


@pytest.fixture
async def conn(database: str, clock: Clock) -> AsyncIterator[Connection]:
    async with await connect(database) as connection:
        await registry.import_csv(connection, TOWN, clock.now())
        yield connection


@pytest.fixture
async def town(own_broker: BrokerPart, conn: Connection, clock: Clock) -> AsyncIterator[Town]:
    town = Town(clock, conn)
    heard = [topics.command("+", "+"), topics.alarm("+"), topics.zone_parking("+")]
    async with Watcher(own_broker.url, "town", heard, town.hear) as session:
        town.session = session
        await session.ready()
        yield town


@pytest.fixture
def start_rules(own_broker: BrokerPart, pool: Pool, conn: Connection, clock: Clock, tmp_path: Path) -> StartRules:
    """Runs the service while a block runs, once it is ready."""

    @asynccontextmanager
    async def start(**more: Any) -> AsyncIterator[Counts]:
        ready, counts = asyncio.Event(), Counts()
        work = service.run(
            mqtt_url=own_broker.url,
            now=clock.now,
            clock=CityClock(),
            lat=ESSEN[0],
            lon=ESSEN[1],
            timezone=BERLIN,
            counts=counts,
            ready=ready.set,
            **({"journal": Journal(tmp_path / "rules"), "pool": pool} | more),
        )
        async with running(work, ready):
            yield counts

    return start


@pytest.fixture
async def rules(start_rules: StartRules, town: Town) -> AsyncIterator[Counts]:
    async with start_rules() as counts:
        yield counts


async def quiet(check: Callable[[], Awaitable[None]], seconds: float = 1.5) -> None:
    """Hold a check for a while: something must not happen."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        await check()
        await asyncio.sleep(0.1)
