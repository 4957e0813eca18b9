"""kill -9 of ingest, of the database, of the broker, under load: nothing that devices believe delivered is lost."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from lamplighter.embedded import ports
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from telemetry import topics
from tests.acceptance.city import ROOT, eventually
from tests.parts import databases
from tests.parts.background import Background
from tests.parts.broker import BrokerPart
from tests.parts.resender import Resender, Uplink

DEVICES = [f"lamp-{number}" for number in range(50)]
RATE_PER_S = 400.0
REGISTRY = "asset,kind,name,zone,lat,lon,device\n" + "".join(f"{d},streetlight,,,,,{d}\n" for d in DEVICES)


class Database:
    """A PostgreSQL that may be killed, and started again on its port."""

    def __init__(self, background: Background, home: Path) -> None:
        self._background, self._home, self._port = background, home, ports.free_port()
        self.start()

    def start(self) -> None:
        context = embedded_postgres(self._home, port=self._port)
        self.server: RunningPostgres
        self._leave: Callable[[], None]
        self.server, self._leave = self._background.open(context)

    def kill(self) -> None:
        os.kill(self.server.child.pid, signal.SIGKILL)
        with suppress(Exception):
            self._leave()

    def stop(self) -> None:
        self._leave()


class Ingest:
    """`lamplighter ingest` as a process."""

    def __init__(self, database_url: str, mqtt_url: str, log: Path) -> None:
        settings = {"LAMPLIGHTER_DATABASE_URL": database_url, "LAMPLIGHTER_MQTT_URL": mqtt_url}
        self._environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
        self._log = log

    def run(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "lamplighter", *arguments]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        command = [sys.executable, "-m", "lamplighter", "ingest"]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def is_up(self) -> bool:
        """Whether it has subscribed, so that from now on the broker keeps everything for it."""
        return '"event": "up"' in self._log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def database(background: Background, home: Path) -> Iterator[Database]:
    part = Database(background, home)
    databases.migrate(part.server.url)
    yield part
    part.stop()


@pytest.fixture
def ingest(database: Database, own_broker: BrokerPart, tmp_path: Path) -> Iterator[Ingest]:
    service = Ingest(database.server.url, own_broker.url, tmp_path / "ingest.log")
    (tmp_path / "registry.csv").write_text(REGISTRY)
    service.run("registry", "import", str(tmp_path / "registry.csv"))
    service.start()
    eventually(service.is_up, seconds=30)
    yield service
    service.stop()


@pytest.fixture
def lamps(ingest: Ingest, database: Database, own_broker: BrokerPart) -> Iterator[Resender]:
    """Fifty lamps that report, once their first reading has been stored."""
    lamps = Resender(own_broker.url, readings(), RATE_PER_S)
    try:
        eventually(lambda: len(stored(database)) > 100, seconds=30)
        own_broker.save()
        yield lamps
    finally:
        lamps.stop()


def readings() -> Iterator[Uplink]:
    """Of all lamps in turn, a millisecond apart; the fate of each is to be stored as (device, ts in milliseconds)."""
    for ts in itertools.count(time.time_ns() // 1_000_000 - 3_600_000):
        device = DEVICES[ts % len(DEVICES)]
        payload = json.dumps({"ts": ts, "level_pct": ts % 101}).encode()
        yield Uplink(topics.telemetry("streetlight", device), payload, ((device, ts),))


def stored(database: Database) -> set[tuple[str, int]]:
    """(device, ts in milliseconds) of each stored row; the assets are named as their devices."""
    query = (
        "SELECT asset, (extract(epoch FROM observed_at) * 1000)::bigint FROM streetlight JOIN asset USING (asset_id)"
    )
    with psycopg.connect(database.server.url) as connection:
        rows = connection.execute(query).fetchall()
    assert len(rows) == len(set(rows)), "a reading stands twice"
    return set(rows)


def ledger(database: Database) -> tuple[int, int, int, int]:
    query = "SELECT sum(received), sum(stored), sum(duplicate), sum(quarantined) FROM ledger"
    with psycopg.connect(database.server.url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return tuple(int(value) for value in row)  # type: ignore[return-value]


def check_nothing_is_missing(lamps: Resender, database: Database) -> None:
    lamps.stop()
    assert len(lamps.believed) > 1_000
    eventually(lambda: not lamps.believed - stored(database), seconds=60, every=1)
    received, rows, duplicates, quarantined = ledger(database)
    assert received == rows + duplicates + quarantined
    assert rows == len(stored(database))
    assert quarantined == 0


def test_ingest_killed_under_load(lamps: Resender, ingest: Ingest, database: Database) -> None:
    for _ in range(3):
        time.sleep(1.5)
        ingest.kill()
        ingest.start()
    time.sleep(2)
    check_nothing_is_missing(lamps, database)


def test_database_killed_under_load(lamps: Resender, database: Database) -> None:
    for _ in range(2):
        time.sleep(2)
        database.kill()
        time.sleep(1)
        database.start()
    time.sleep(2)
    check_nothing_is_missing(lamps, database)


def test_broker_killed_under_load(lamps: Resender, own_broker: BrokerPart, database: Database) -> None:
    time.sleep(3)
    own_broker.kill()
    time.sleep(1)
    own_broker.start()
    time.sleep(5)
    check_nothing_is_missing(lamps, database)
