"""The field that all contenders share: one broker, one database server, and cities of registered devices on it.

Broker and database are the embedded ones, as the demo has them, the database with commit timestamps kept: they tell
when a row was committed without asking the contender.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
from psycopg import AsyncConnection

from bench import processes
from bench.processes import Failed, Running, Weight
from bench.traffic import LAMPS, Source
from bus.inbox import Subscriber
from lamplighter.embedded.broker import RunningBroker, embedded_broker
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from storage import registry
from storage.lifecycle import Partitions
from storage.migrate import migrate
from storage.pool import connect
from telemetry.kinds import KINDS

READY_S = 60.0
"""So long a process may take until it is ready."""
QUIET_S = 20.0
"""When no more rows come for that long, what is missing counts as lost."""
LOOK_S = 0.1
DATABASE_SETTINGS = {"track_commit_timestamp": "on", "max_wal_size": "4GB", "min_wal_size": "1GB"}
"""As who ingests sets the log: checkpoints stay out of the races, and its files are used again as in a server that has
run for a while, while a new one would be written full of zeros in the midst of a commit, some 20 ms."""
SESSIONS = ("ingest", "ingest-bench-1", "ingest-bench-2")
"""Client ids that keep a queue at the broker."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the blaster says: real times, and its own CPU a message."""

    begun: float
    ended: float
    cpu_us: float


@dataclass(frozen=True)
class City:
    """A database with registered devices."""

    url: str
    source: Source
    table: str | None = None
    """Where rows are looked for; `None` is in the kinds' own tables."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Where rows are looked for."""
        return self.source.kinds if self.table is None else (self.table,)

    @property
    def _count(self) -> str:
        return "SELECT " + " + ".join(f"(SELECT count(*) FROM {table})" for table in self.tables)

    async def rows(self) -> int:
        """How many observations are stored."""
        return int(await self.ask(self._count))

    async def ask(self, question: str) -> float:
        """The one value that a query gives."""
        async with await AsyncConnection.connect(self.url, autocommit=True) as conn:
            row = await (await conn.execute(question)).fetchone()
        if row is None or row[0] is None:
            raise Failed(f"The database has no answer to {question[:60]}…")
        return float(row[0])

    async def committed_at(self) -> float:
        """When the last row was committed, in real seconds since 1970, by the server's own record."""
        transactions = " UNION ".join(f"SELECT xmin::text FROM {table}" for table in self.tables)
        return await self.ask(
            f"SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin::xid))) FROM ({transactions}) t (xmin)"
        )

    async def delays_ms(self, after_s: float) -> list[float]:
        """From each reading's time to its commit, without those of the first `after_s`."""
        delays = " UNION ALL ".join(
            f"SELECT observed_at, extract(epoch FROM pg_xact_commit_timestamp(xmin) - observed_at) * 1000 FROM {kind}"
            for kind in self.source.kinds
        )
        async with await AsyncConnection.connect(self.url) as conn:
            rows = await (await conn.execute(delays)).fetchall()
        steady = min(moment for moment, _ in rows) + timedelta(seconds=after_s)
        return [float(delay) for moment, delay in rows if moment >= steady]

    async def ledger(self) -> dict[str, int]:
        """The account of all days."""
        names = ("received", "stored", "duplicate", "quarantined")
        async with await AsyncConnection.connect(self.url) as conn:
            sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in names)
            row = await (await conn.execute(f"SELECT {sums} FROM ledger")).fetchone()
        assert row is not None
        return dict(zip(names, row, strict=True))

    async def until_stored(self, count: int) -> int:
        """Wait for so many rows; returns how many there are, fewer where no more came for `QUIET_S`."""
        async with await AsyncConnection.connect(self.url, autocommit=True) as conn:
            stored, grew_s = -1, time.monotonic()
            while True:
                row = await (await conn.execute(self._count)).fetchone()
                assert row is not None
                if row[0] != stored:
                    stored, grew_s = row[0], time.monotonic()
                if stored >= count or time.monotonic() - grew_s > QUIET_S:
                    return stored
                await asyncio.sleep(LOOK_S if stored > count - 100_000 else 1.0)


class Field:
    """Broker and database, made by `field`."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder
        self._home = home
        self._broker_stack, self._database_stack = AsyncExitStack(), AsyncExitStack()
        self._broker: RunningBroker | None = None
        self._database: RunningPostgres | None = None
        self._database_port: int | None = None
        self._cities: dict[Source, City] = {}

    @property
    def broker(self) -> RunningBroker:
        """The broker, which runs."""
        assert self._broker is not None
        return self._broker

    @property
    def database(self) -> RunningPostgres:
        """The database server, which runs."""
        assert self._database is not None
        return self._database

    async def start(self) -> None:
        """Start both."""
        self._broker = await self._broker_stack.enter_async_context(embedded_broker(self._home, software="mosquitto"))
        await self.start_database()

    async def start_database(self) -> None:
        """Start the server, at the port where it was before."""
        self._database = await self._database_stack.enter_async_context(
            embedded_postgres(self._home, port=self._database_port, settings=DATABASE_SETTINGS)
        )
        self._database_port = self._database.port

    async def stop_database(self) -> None:
        """Shut the server down."""
        await self._database_stack.aclose()

    async def stop(self) -> None:
        """Stop both."""
        await self._database_stack.aclose()
        await self._broker_stack.aclose()

    async def city(self, devices: int = 1_000, kinds: tuple[str, ...] = LAMPS) -> City:
        """A city of so many devices; it is made at the first time."""
        source = Source(devices, kinds)
        if source not in self._cities:
            self._cities[source] = await self._found(source, f"city_{len(self._cities)}")
        return self._cities[source]

    async def _found(self, source: Source, name: str) -> City:
        async with await AsyncConnection.connect(self.database.url, autocommit=True) as conn:
            await conn.execute(f"CREATE DATABASE {name}")
        city = City(self.database.url_of(name), source)
        await migrate(city.url)
        async with await connect(city.url, statement_timeout_s=0) as conn:
            await registry.import_csv(conn, source.registry(), 0)
            row = await (await conn.execute(
                "SELECT count(*) FROM asset WHERE asset = 'asset-' || asset_id")).fetchone()  # fmt: skip
            if row is None or row[0] != source.devices:
                raise Failed("The assets are not numbered as the devices are.")
            partitions = await Partitions.of(conn)
            for kind in source.kinds:
                await partitions.ensure(conn, kind, np.array([time.time_ns() // 1000], dtype=np.int64))
            await conn.execute("ANALYZE")
        return city

    async def clear(self, city: City) -> None:
        """Empty the tables, and have the broker forget what it kept for contenders before."""
        for client_id in SESSIONS:
            await self._forget(self.broker.url, client_id)
        with psycopg.connect(city.url, autocommit=True) as conn:
            conn.execute(f"TRUNCATE {', '.join(KINDS)}, latest_observation, rollup_dirty, ledger, quarantine")
            conn.execute("CHECKPOINT")

    @staticmethod
    async def _forget(url: str, client_id: str) -> None:
        async with Subscriber(url, client_id, ["nothing"], now=lambda: 0, clean=True) as inbox:
            await inbox.ready()

    async def publish(
        self, source: Source, messages: int, *, rate: float = 0, first: int = 0, url: str | None = None
    ) -> Published:
        """Have devices publish, and wait until the broker has confirmed all."""
        options = ["publish", "--url", url or self.broker.url, "--rate", str(rate), "--first", str(first)]
        async with self.blaster(source, messages, *options) as blaster:
            return told(await blaster.says('"begun"', 120 + messages / 2_000))

    @asynccontextmanager
    async def blaster(self, source: Source, messages: int, *options: str) -> AsyncIterator[Running]:
        """The blaster as a process."""
        words = [*options, "--messages", str(messages), "--devices", str(source.devices)]
        words += ["--array", str(source.array), *(["--mixed"] if source.kinds != LAMPS else [])]
        command = processes.python("-m", "bench.blaster", *words)
        async with processes.running("blaster", command, self.folder) as blaster:
            yield blaster

    @asynccontextmanager
    async def ingest(self, city: City, *arguments: str, url: str | None = None) -> AsyncIterator[Running]:
        """`lamplighter ingest` as it is, ready; by the broker's Unix socket where it has one, unless `url` is given."""
        settings = settings_for(city, url or self.broker.socket_url or self.broker.url)
        command = processes.python("-m", "lamplighter", "ingest", *arguments)
        async with processes.running("lamplighter ingest", command, self.folder, settings) as ingest:
            await ingest.says('"event": "up"', READY_S)
            yield ingest

    def weigh(self, contender: Sequence[Running]) -> dict[str, Weight]:
        """Contender, broker and database."""
        return {
            "contender": sum((one.weigh() for one in contender), Weight(0.0, 0)),
            "broker": processes.weigh(self.broker.child.pid),
            "database": processes.weigh(self.database.child.pid),
        }


def settings_for(city: City, mqtt_url: str) -> dict[str, str]:
    """The environment of a service."""
    return {"LAMPLIGHTER_DATABASE_URL": city.url, "LAMPLIGHTER_MQTT_URL": mqtt_url, "LAMPLIGHTER_LOG_FORMAT": "json"}


def told(line: str) -> Published:
    """What the blaster's line says."""
    return Published(**json.loads(line))


@asynccontextmanager
async def field(home: Path, folder: Path) -> AsyncIterator[Field]:
    """Run broker and database in `home` until the block ends; `folder` takes what processes say."""
    one = Field(home, folder)
    try:
        await one.start()
        yield one
    finally:
        with suppress(asyncio.CancelledError):
            await asyncio.shield(one.stop())
