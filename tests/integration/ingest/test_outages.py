"""Whatever goes away, nothing that the broker took is lost, nothing is stored twice, and the account stays exact."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bus.session import Publisher
from lamplighter.embedded import ports
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from storage import registry
from storage.pool import Pool, connect, open_pool
from telemetry import topics
from tests.integration.ingest.conftest import CITY, City, Ingest, now
from tests.parts import databases
from tests.parts.background import Background
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually
from tests.parts.wire import Wire

ROOT = Path(__file__).parents[3]
LAMPS = ("L1", "L2")


class Database:
    """A careful PostgreSQL of a test's own, that may be killed and started again on its port."""

    def __init__(self, background: Background, home: Path) -> None:
        self._background, self._home, self._port = background, home, ports.free_port()
        self.start()

    def start(self) -> None:
        self.server: RunningPostgres
        self._leave: Callable[[], None]
        self.server, self._leave = self._background.open(embedded_postgres(self._home, port=self._port))

    def kill(self) -> None:
        os.kill(self.server.child.pid, signal.SIGKILL)
        with suppress(Exception):
            self._leave()

    def stop(self) -> None:
        self._leave()


@pytest.fixture
def own_database(background: Background, home: Path) -> Iterator[Database]:
    part = Database(background, home)
    databases.migrate(part.server.url)
    yield part
    part.stop()


@asynccontextmanager
async def serving(broker_url: str, database_url: str, instance: str) -> AsyncIterator[Ingest]:
    async with await open_pool(database_url, size=4) as pool:
        running = Ingest(broker_url, pool, instance)
        try:
            await running.start()
            yield running
        finally:
            await running.stop()


async def register(url: str) -> None:
    async with await connect(url) as conn:
        await registry.import_csv(conn, CITY, now())


async def inspect(url: str, look: Callable[[City], Awaitable[Any]]) -> Any:
    async with await connect(url) as conn:
        return await look(City(None, conn))  # type: ignore[arg-type]


class Load:
    """Numbered readings of two lamps, published without pause; the broker has confirmed `confirmed` of them."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._task = asyncio.create_task(self._run())
        self._start_ms = now() // 1000 - 3_600_000
        self.confirmed = 0

    async def _run(self) -> None:
        for first in range(0, 10**9, 50):
            await asyncio.gather(*[self._publish(number) for number in range(first, first + 50)])
            self.confirmed += 50

    async def _publish(self, number: int) -> None:
        payload = b'{"ts": %d, "level_pct": %d}' % (self._start_ms + number, number % 101)
        await self._publisher.publish(topics.telemetry("streetlight", LAMPS[number % 2]), payload)

    async def stop(self) -> None:
        """Stop between two bursts, so that all that was sent is confirmed."""
        target = self.confirmed + 50
        while self.confirmed < target:  # noqa: ASYNC110
            await asyncio.sleep(0)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_the_database_is_killed_under_load(own_broker: BrokerPart, own_database: Database) -> None:
    url = own_database.server.url
    await register(url)
    async with Publisher(own_broker.url, "devices") as publisher, serving(own_broker.url, url, "ingest") as ingest:
        load = Load(publisher)
        for _ in range(3):
            await asyncio.sleep(0.5 + random.random())
            await asyncio.to_thread(own_database.kill)
            await asyncio.to_thread(own_database.start)
        await asyncio.sleep(0.5)
        load._task.cancel()
        sent = await everything_arrived(ingest)
        account = await inspect(url, City.ledger)
    assert account["received"] == account["stored"] == sent >= load.confirmed > 1_000
    assert account["duplicate"] == account["quarantined"] == 0


async def everything_arrived(ingest: Ingest) -> int:
    """How many observations were received in the end."""
    before = -1
    while (received := ingest.ledger.total.received) != before or ingest.ledger.in_flight:
        before = received
        await asyncio.sleep(1.5)
    return received


async def test_while_the_database_is_away_uplinks_wait(own_broker: BrokerPart, own_database: Database) -> None:
    url = own_database.server.url
    await register(url)
    async with Publisher(own_broker.url, "devices") as publisher, serving(own_broker.url, url, "ingest") as ingest:
        await asyncio.to_thread(own_database.stop)
        topic = topics.telemetry("streetlight", "L1")
        sent = [publisher.publish(topic, b'{"ts": %d, "level_pct": 1}' % number) for number in range(2_000)]
        await asyncio.gather(*sent)
        assert ingest.ledger.total.received == 0
        await asyncio.to_thread(own_database.start)
        account = await inspect(url, lambda city: city.settled(2_000))
    assert (account["received"], account["stored"]) == (2_000, 2_000)


async def test_ingest_starts_before_the_database(own_broker: BrokerPart, own_database: Database) -> None:
    url = own_database.server.url
    await register(url)
    await asyncio.to_thread(own_database.stop)
    async with await open_pool(url) as pool:
        running = Ingest(own_broker.url, pool, "ingest")
        starting = asyncio.create_task(running.start())
        try:
            await asyncio.sleep(0.5)
            assert not starting.done()
            await asyncio.to_thread(own_database.start)
            await starting
        finally:
            await running.stop()


async def test_the_broker_is_restarted_under_load(own_broker: BrokerPart, own_database: Database) -> None:
    url = own_database.server.url
    await register(url)
    async with Publisher(own_broker.url, "devices") as publisher, serving(own_broker.url, url, "ingest") as ingest:
        load = Load(publisher)
        for _ in range(2):
            await asyncio.sleep(1)
            await asyncio.to_thread(own_broker.restart)
        await asyncio.sleep(1)
        await load.stop()
        await everything_arrived(ingest)
        account = await inspect(url, City.ledger)
        rows = await inspect(url, lambda city: city.rows("SELECT count(*) FROM streetlight"))
    assert account["stored"] == rows[0][0] == load.confirmed
    assert account["received"] == account["stored"] + account["duplicate"]


async def test_a_gentle_stop_leaves_nothing_half_done(own_broker: BrokerPart, own_database: Database) -> None:
    url = own_database.server.url
    await register(url)
    async with Publisher(own_broker.url, "devices") as publisher:
        load: Load | None = None
        for _ in range(4):
            async with serving(own_broker.url, url, "ingest"):
                load = load or Load(publisher)
                await asyncio.sleep(0.5)
        assert load is not None
        await load.stop()
        async with serving(own_broker.url, url, "ingest") as ingest:
            await everything_arrived(ingest)
        account = await inspect(url, City.ledger)
        beats = await inspect(url, lambda city: city.rows("SELECT instance FROM ingest_instance"))
    assert account["received"] == account["stored"] == load.confirmed
    assert account["duplicate"] == 0, "what was stored had been acknowledged"
    assert beats == []


async def test_ingest_is_killed_at_any_instant(own_broker: BrokerPart, own_database: Database, tmp_path: Path) -> None:
    url = own_database.server.url
    await register(url)
    log = tmp_path / "ingest.log"

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.integration.ingest.process", own_broker.url, url]
        with log.open("a") as out:
            return subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)

    async def subscribed() -> None:
        assert "ready" in log.read_text()

    random.seed(7)
    running = await asyncio.to_thread(start)
    sent: Counter[str] = Counter()
    try:
        async with Publisher(own_broker.url, "devices") as publisher:
            await eventually(subscribed, seconds=30, every=0.05)
            for round_ in range(8):
                await asyncio.gather(*[publish_something(publisher, sent, round_ * 200 + i) for i in range(200)])
                if round_ % 2:
                    await asyncio.sleep(random.random() * 0.3)
                    running.kill()
                    running.wait()
                    running = await asyncio.to_thread(start)
            await eventually(lambda: inspect(url, lambda city: all_settled(city, sent)), seconds=30, every=0.2)
    finally:
        running.terminate()
        running.wait(20)
        print(log.read_text())


async def publish_something(publisher: Publisher, sent: Counter[str], number: int) -> None:
    """A reading, an array with a refused element, or nonsense; each unlike any other."""
    ts = 1_700_000_000_000 + number * 1_000
    match number % 4:
        case 0:
            payload = f'[{{"ts": {ts}, "level_pct": 1}}, {{"ts": {ts + 1}, "level_pct": 2}}, {{"ts": {ts}}}]'
            sent.update(stored=2, quarantined=1)
        case 1:
            payload = f"nonsense {number}"
            sent.update(quarantined=1)
        case _:
            payload = f'{{"ts": {ts}, "level_pct": 3}}'
            sent.update(stored=1)
    await publisher.publish(topics.telemetry("streetlight", "L1"), payload)


async def all_settled(city: City, sent: Counter[str]) -> None:
    account = await city.ledger()
    assert account["received"] == account["stored"] + account["duplicate"] + account["quarantined"]
    assert account["stored"] == sent["stored"]
    assert account["quarantined"] == sent["quarantined"]
    assert await city.rows("SELECT (SELECT count(*) FROM streetlight), (SELECT count(*) FROM quarantine)") == [
        (sent["stored"], sent["quarantined"])
    ]


async def test_a_commit_in_doubt_is_counted_once(broker: BrokerPart, database: str, city: City, instance: str) -> None:
    severed: list[int] = []
    async with Wire(database) as wire, serving(broker.url, wire.url, instance) as running:
        wire.commit_side, wire.at_commit = "after", lambda: severed.append(1)
        await city.telemetry("streetlight", "L1", {"level_pct": 1})
        await city.telemetry("streetlight", "L1", b"nonsense")
        await eventually(lambda: nothing_in_flight(running, 2))
        account = await city.settled(2)
    assert sum(severed) == 1
    assert account["received"] == 2
    assert (account["stored"], account["quarantined"], account["duplicate"]) == (1, 1, 0)


async def nothing_in_flight(running: Ingest, received: int) -> None:
    assert running.ledger.total.received == received
    assert running.ledger.in_flight == 0


async def test_a_transaction_that_was_lost_is_done_again(
    broker: BrokerPart, database: str, city: City, instance: str
) -> None:
    severed: list[int] = []
    async with Wire(database) as wire, serving(broker.url, wire.url, instance):
        wire.commit_side, wire.at_commit = "before", lambda: severed.append(1)
        await city.telemetry("streetlight", "L1", {"level_pct": 1})
        account = await city.settled(1)
    assert sum(severed) == 1
    assert (account["received"], account["stored"]) == (1, 1)


async def test_a_row_that_only_the_database_refuses_does_not_stop_its_neighbours(ingest: Ingest, city: City) -> None:
    await city.conn.execute("ALTER TABLE streetlight ADD CONSTRAINT superstition CHECK (level_pct <> 13)")
    ts = now() // 1000
    await city.telemetry("streetlight", "L1", [{"ts": ts + i, "level_pct": i} for i in range(10, 16)])
    await city.telemetry("streetlight", "L2", {"ts": ts, "level_pct": 13})
    await city.telemetry("parking_bay", "B1", {"ts": ts, "occupied": True})
    account = await city.settled(8)
    assert (account["stored"], account["quarantined"]) == (6, 2)
    refused = await city.rows("SELECT device, element, reason, detail FROM quarantine ORDER BY device")
    assert [row[:3] for row in refused] == [("L1", 3, "out_of_range"), ("L2", 0, "out_of_range")]
    assert all("superstition" in row[3] for row in refused)


async def test_a_table_that_is_not_there_is_waited_for(ingest: Ingest, city: City) -> None:
    await city.conn.execute("ALTER TABLE parking_bay RENAME TO elsewhere")
    await city.telemetry("parking_bay", "B1", {"occupied": True})
    await asyncio.sleep(0.5)
    assert (await city.ledger())["received"] == 0
    await city.conn.execute("ALTER TABLE elsewhere RENAME TO parking_bay")
    assert (await city.settled(1))["stored"] == 1


async def test_a_mistake_of_ours_is_heard_of_though_nothing_more_comes(
    ingest: Ingest, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process stood there with a batch that it could not acknowledge until the next one was to be written."""
    monkeypatch.setattr("ingest.trail.leave", None)
    await city.telemetry("streetlight", "L1", {"level_pct": 1})
    failure = await ingest.failed()
    assert isinstance(failure, ExceptionGroup)
    assert "'NoneType' object is not callable" in repr(failure.exceptions)


async def test_a_database_that_has_become_a_standby_is_waited_out(ingest: Ingest, city: City) -> None:
    ((name,),) = await city.rows("SELECT current_database()")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    await city.conn.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await city.rows(others, name)
    await city.telemetry("streetlight", "L1", {"level_pct": 1})
    await asyncio.sleep(0.5)
    assert (ingest.ledger.total.received, ingest.ledger.in_flight) == (0, 1)
    await city.conn.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await city.rows(others, name)
    assert (await city.settled(1))["stored"] == 1


async def test_members_of_a_share_write_the_same_assets(
    broker: BrokerPart, pool: Pool, city: City, instance: str
) -> None:
    members = [Ingest(broker.url, pool, f"{instance}-{name}", share=instance) for name in "ab"]
    ts = now() // 1000 - 1_000
    readings = [("streetlight", LAMPS[i % 2], {"ts": ts + i, "level_pct": 1}) for i in range(600)]
    try:
        await asyncio.gather(*[member.start() for member in members])
        await asyncio.gather(*[city.telemetry(*reading) for reading in readings])
        account = await city.settled(600)
    finally:
        await asyncio.gather(*[member.stop() for member in members])
    assert (account["received"], account["stored"]) == (600, 600)
    assert all(member.ledger.total.received for member in members)
    newest = await city.rows(
        "SELECT (extract(epoch FROM observed_at) * 1000)::bigint FROM latest_observation ORDER BY 1"
    )
    assert newest == [(ts + 598,), (ts + 599,)]
