"""A whole town as production has it, each part a process that may be killed, and what strikes it."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from firmware_sim.city import write_csv
from lamplighter.clock import real_now
from lamplighter.embedded import ports
from lamplighter.embedded.accounts import data_folder
from storage import city as stored_city
from storage import registry
from storage.migrate import migrate
from storage.pool import connect
from telemetry.clock import SECOND_US, CityClock, to_rfc3339
from tests.chaos.strikes import fill
from tests.chaos.town import Broker, Database, Service, disk
from tests.soak.memory import family
from tests.soak.plan import START_US, Plan

SERVICES = ("ingest", "upkeep", "rules", "api")
LEAD_S = 20.0
"""The city's clock starts so much ahead, in real seconds: by then all services are up."""
DISK_MIB = 900
POSTGRES = {"max_wal_size": "192MB", "min_wal_size": "64MB"}


class Town:
    """Broker, database and services; `clock` is the city's, `mounted` whether the database's disk can be filled."""

    def __init__(self, plan: Plan, home: Path, mounted: bool) -> None:
        self._plan, self._home, self.mounted = plan, home, mounted
        self.broker, self.database = Broker(home / "mqtt"), Database(home / "db", POSTGRES)
        self.services: dict[str, Service] = {}
        self.clock = CityClock()
        self.http = f"http://127.0.0.1:{ports.free_port()}"

    async def furnish(self) -> None:
        """The schema, the registry and at last the clock; afterwards the services may start."""
        url = self.database.running.url
        city = self._plan.city
        await migrate(url, timezone=city.timezone)
        async with await connect(url) as conn:
            await registry.import_csv(conn, write_csv(city.rows()), START_US)
            self.clock = CityClock(START_US, real_now() + int(LEAD_S * SECOND_US), self._plan.speed)
            await stored_city.set_clock(conn, self.clock)
        settings = {
            "LAMPLIGHTER_DATABASE_URL": url,
            "LAMPLIGHTER_MQTT_URL": self.broker.running.url,
            "LAMPLIGHTER_CLOCK_START": to_rfc3339(START_US),
            "LAMPLIGHTER_CLOCK_SPEED": str(self._plan.speed),
            "LAMPLIGHTER_CITY_LAT": str(city.lat),
            "LAMPLIGHTER_CITY_LON": str(city.lon),
            "LAMPLIGHTER_TIMEZONE": city.timezone,
            "LAMPLIGHTER_HTTP_PORT": self.http.rpartition(":")[2],
            "LAMPLIGHTER_RULES_JOURNAL_DIR": str(self._home / "journal"),
        }
        self.services = {name: Service([name], settings) for name in SERVICES}

    def pids(self) -> dict[str, list[int]]:
        """The processes of each part, a server with its children."""
        found = {name: [each.pid] for name, each in self.services.items() if each.pid is not None}
        for name, server in (("broker", self.broker), ("database", self.database)):
            child = server.running.child
            found[name] = family(child.pid) if child.running else []
        return found

    async def strike(self, what: str, chance: random.Random) -> None:
        """Let it happen, and be over."""
        part, _, how = what.partition("_")
        strikes: dict[str, Callable[[], Awaitable[None]]] = {
            "killed": lambda: self._kill(part, chance.uniform(0, 1)),
            "restarted": lambda: self._restart(part, chance.uniform(0, 1)),
            "frozen": lambda: self._freeze(self.services[part], chance.uniform(3, 8)),
            "full": lambda: self._fill_disk(chance.uniform(3, 6)),
        }
        await strikes[how]()

    async def _kill(self, part: str, away_s: float) -> None:
        """kill -9, and a moment later it is started again."""
        if part in self.services:
            service = self.services[part]
            service.strike()
            await service.gone()
            await asyncio.sleep(away_s)
            await service.start()
        else:
            server = self._server(part)
            await server.kill()
            await asyncio.sleep(away_s)
            await server.start()

    async def _restart(self, part: str, away_s: float) -> None:
        server = self._server(part)
        await server.stop()
        await asyncio.sleep(away_s)
        await server.start()

    def _server(self, part: str) -> Broker | Database:
        return self.broker if part == "broker" else self.database

    async def _freeze(self, service: Service, seconds: float) -> None:
        """A slow consumer: it takes nothing for a while."""
        service.freeze(True)
        await asyncio.sleep(seconds)
        service.freeze(False)

    async def _fill_disk(self, seconds: float) -> None:
        """To the last byte; the server may die of it, and is started again once there is room."""
        if not self.mounted:
            return
        ballast = self._home / "db" / "ballast"
        try:
            await asyncio.to_thread(fill, ballast)
            await asyncio.sleep(seconds)
        finally:
            ballast.unlink()
        if not self.database.alive:
            await self.database.stop()
            await self.database.start()


@asynccontextmanager
async def town(plan: Plan, home: Path, mounted: bool) -> AsyncIterator[Town]:
    """A town that is up and listening, with its files in `home`; nothing of it is left at the end."""
    for folder in (home.parent, data_folder(home)):
        folder.chmod(0o711)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.enter_context(disk(home / "db", DISK_MIB if mounted else None))
        place = Town(plan, home, mounted)
        for server in (place.broker, place.database):
            await server.start()
            stack.push_async_callback(server.stop)
        await place.furnish()
        for service in place.services.values():
            stack.push_async_callback(service.stop)
        await asyncio.gather(*(service.start() for service in place.services.values()))
        place.broker.save()  # its snapshot knows the sessions of the services
        yield place
