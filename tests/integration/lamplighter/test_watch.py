"""The standing self-probe on real parts: a broker that drops, a database that is away, a queue that fills."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import ingest.service
from api.service import ApiService
from bus.session import Watcher
from ingest.ledger import Ledger
from lamplighter.http_server import HttpServer, listen, url_of
from rules import service as rules_service
from rules.counts import Counts
from rules.journal import Journal
from rules.soundings import QueueBound
from storage import registry, tokens
from storage.pool import Connection, Pool, connect, open_pool
from telemetry import topics
from telemetry.backlog import Backlog
from telemetry.clock import DAY_US, CityClock
from tests.integration.ingest.conftest import CITY, now
from tests.parts.broker import BrokerPart
from tests.parts.cities import BERLIN, ESSEN
from tests.parts.patience import eventually
from tests.parts.tasks import running as during
from tests.parts.wire import Wire

SMALL = QueueBound(400, 10**9)


class Platform:
    """Rules and ingest on one broker, with a gate before their database; `said` is what alarms say, newest last."""

    def __init__(self, broker_url: str, gate: Wire, pool: Pool, conn: Connection, journal: Path) -> None:
        self.journal = journal
        self.url, self.gate, self.pool, self.conn = broker_url, gate, pool, conn
        self.counts, self.ledger = Counts(), Ledger("watched")
        self.said: list[dict[str, Any]] = []
        self.session: Watcher

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[None]:
        """Ingest, for as long as a block runs; its queue stays at the broker."""
        common: dict[str, Any] = {"mqtt_url": self.url, "pool": self.pool, "now": now, "clock": CityClock()}
        async with running(ingest.service.run, **common, instance="watched", ledger=self.ledger):
            yield

    @asynccontextmanager
    async def rules(self, bound: QueueBound | None = None) -> AsyncIterator[None]:
        common: dict[str, Any] = {"mqtt_url": self.url, "pool": self.pool, "now": now, "clock": CityClock()}
        place: dict[str, Any] = {"lat": ESSEN[0], "lon": ESSEN[1], "timezone": BERLIN}
        async with running(
            rules_service.run, **common, **place, counts=self.counts, bound=bound, journal=Journal(self.journal)
        ):
            yield

    async def burst(self, messages: int) -> None:
        """Uplinks as fast as the broker takes them, each with a moment of its own."""
        start_us = now()
        topic = topics.telemetry("streetlight", "L1")
        payloads = [b'{"ts": %d, "level_pct": 50}' % ((start_us - each * 1_000) // 1_000) for each in range(messages)]
        await asyncio.gather(*(self.session.publish(topic, each, timeout_s=30) for each in payloads))

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if payload:
            self.said.append(msgspec.json.decode(payload))

    async def backlog(self, expected: Callable[[Backlog], bool], seconds: float = 15) -> Backlog:
        """What the rules know of the queue, once it is as expected."""

        async def attempt() -> Backlog:
            found = self.counts.backlog
            assert found is not None
            assert expected(found), found
            return found

        return await eventually(attempt, seconds=seconds)

    async def alarm(self, expected: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """The newest word of an alarm, once it is as expected."""

        async def attempt() -> dict[str, Any]:
            assert self.said
            assert expected(self.said[-1]), self.said[-1]
            return self.said[-1]

        return await eventually(attempt, seconds=seconds)


@asynccontextmanager
async def running(run: Callable[..., Awaitable[None]], **arguments: Any) -> AsyncIterator[None]:
    """A service, for as long as a block runs, once it is ready."""
    ready = asyncio.Event()
    async with during(run(**arguments, ready=ready.set), ready):
        yield


@pytest.fixture
async def start(database: str, tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[Platform]]]:
    """Makes a platform on a broker."""
    async with AsyncExitStack() as stack:
        gate = await stack.enter_async_context(Wire(database))
        conn = await stack.enter_async_context(await connect(database))
        await registry.import_csv(conn, CITY, now())
        pool = await open_pool(gate.url, size=6)
        stack.push_async_callback(pool.close)

        async def make(url: str) -> Platform:
            platform = Platform(url, gate, pool, conn, tmp_path / "rules")
            session = Watcher(url, "devices", [topics.alarm("+")], platform.hear)
            platform.session = await stack.enter_async_context(session)
            await session.ready()
            return platform

        yield make


Start = Callable[[str], Awaitable[Platform]]


async def test_a_broker_as_delivered_is_caught_dropping(mosquitto_as_delivered: str, start: Start) -> None:
    platform = await start(mosquitto_as_delivered)
    async with platform.rules():
        async with platform.ingest():
            await platform.backlog(lambda found: found.age_s < 1)
        await asyncio.sleep(1.2)
        await platform.burst(2_500)
        await asyncio.sleep(2.2)
        async with platform.ingest():
            found = await platform.backlog(lambda found: found.lost_probes > 0)
            alarm = await platform.alarm(lambda said: said["state"] == "unacknowledged")
        assert found.lost_probes < 10
        assert (alarm["type"], alarm["subject"], alarm["asset"]) == ("queue_filling", "platform", None)
        inputs = alarm["why"]["inputs"]
        assert inputs["lost_probes"] > 0 or inputs["dropped_messages"] > 0, "whichever witness was first"


async def test_a_broker_that_keeps_its_word_is_no_finding(own_broker: BrokerPart, start: Start) -> None:
    platform = await start(own_broker.url)
    async with platform.rules():
        async with platform.ingest():
            await platform.backlog(lambda found: found.age_s < 1)
        await platform.burst(2_500)
        await platform.backlog(lambda found: found.age_s > 2 and found.messages == 2_500)
        async with platform.ingest():
            await platform.backlog(lambda found: found.age_s < 1 and found.messages == 0)
            own_broker.restart()
            probes = platform.counts.probes
            found = await platform.backlog(lambda found: platform.counts.probes > probes + 2 and found.age_s < 1)
        assert (found.lost_probes, found.dropped_messages) == (0, 0)
    assert platform.said == []
    assert platform.ledger.total.received == 2_500, "probes are no observations"


async def test_a_broker_that_says_nothing_of_itself_is_no_obstacle(weak_broker: BrokerPart, start: Start) -> None:
    platform = await start(weak_broker.url)
    async with platform.rules(), platform.ingest():
        await platform.burst(200)
        found = await platform.backlog(lambda found: platform.counts.probes > 2 and found.age_s < 1)
        assert (found.lost_probes, found.dropped_messages) == (0, None)


async def test_while_the_database_is_away_the_backlog_ages_and_a_filling_queue_is_told_and_recorded_once(
    own_broker: BrokerPart, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.self_probe.IN_TIME_S", 1.0)
    platform = await start(own_broker.url)
    rows = "SELECT id, state FROM alarm WHERE subject = 'platform'"
    async with platform.rules(SMALL), platform.ingest(), served(platform) as ops:
        await platform.backlog(lambda found: found.age_s < 1)
        await probed(ops, True)
        platform.gate.shut()
        await platform.burst(300)
        raised = await platform.alarm(lambda said: said["state"] == "unacknowledged")
        found = await platform.backlog(lambda found: found.age_s > 3)
        assert found.filled_pct >= 50
        assert platform.ledger.waiting_s > 3
        assert await (await platform.conn.execute(rows)).fetchall() == []
        assert (await ops.get("/readyz")).json()["backlog"]["age_s"] > 1
        await probed(ops, False)
        platform.gate.open()
        await platform.backlog(lambda found: found.age_s < 1 and found.messages == 0)
        assert platform.ledger.waiting_s < 1
        await platform.alarm(lambda said: said["state"] == "returned_unacknowledged")
        assert await (await platform.conn.execute(rows)).fetchall() == [(raised["id"], "returned_unacknowledged")]
        (listed,) = (await ops.get("/ops/v1/alarms?state=active")).json()["items"]
        assert (listed["id"], listed["type"], listed["subject"]) == (raised["id"], "queue_filling", "platform")
        assert listed["why"] == raised["why"]
        assert "lamplighter_backlog_age_seconds 0" in (await ops.get("/metrics")).text
        await probed(ops, True)
        assert "lamplighter_self_probe_through 1.0" in (await ops.get("/metrics")).text
        shown = (await ops.get("/probez")).json()["items"]
        assert [each["instance"] for each in shown] == ["watched"]
        books = (await ops.get("/ops/v1/ledger")).json()
        assert (books["received"], books["stored"], books["quarantined"]) == (300, 300, 0), "no probe is in the books"
        assert await (await platform.conn.execute("SELECT count(*) FROM streetlight")).fetchall() == [(300,)]


async def probed(ops: httpx.AsyncClient, through: bool) -> None:
    """Wait until `/readyz` says whether the self-probe comes through."""

    async def attempt() -> None:
        said = await ops.get("/readyz")
        assert said.json()["parts"]["probe"] is through, said.text
        assert said.status_code == (200 if through else 503)
        assert not through or said.json()["probe"]["age_s"] < 30

    await eventually(attempt, seconds=20)


@asynccontextmanager
async def served(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The API beside it, for a viewer."""
    _, secret = await tokens.issue(platform.conn, role="viewer", expires_us=now() + DAY_US, real_now_us=now())
    taken = listen("127.0.0.1", 0)
    common: dict[str, Any] = {"pool": platform.pool, "mqtt_url": platform.url, "now": now, "real_now": now}
    api = ApiService(**common, dark=lambda *_: True, own_url=url_of(taken))
    server = HttpServer(api.app, taken)
    headers = {"authorization": f"Bearer {secret}"}
    async with during(api.run()), during(server.serve()):
        await server.until_started()
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
            yield client
