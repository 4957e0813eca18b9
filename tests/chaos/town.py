"""The parts of a town as production has them, each a process that may be killed: broker, database, ingest."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from lamplighter.embedded import children, ports
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import RunningBroker, embedded_broker
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from storage import registry
from storage.migrate import migrate
from storage.pool import connect
from tests.parts.wire import Wire

ROOT = Path(__file__).parents[2]
SHARE = "city"
STANDBY = "standby"
UP_S_MAX = 60.0

R = TypeVar("R", RunningBroker, RunningPostgres)


class Server(Generic[R]):
    """A server that is started again with what it kept."""

    running: R

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    def context(self) -> AbstractAsyncContextManager[R]:
        raise AssertionError("which server?")

    async def start(self) -> None:
        self.running = await self._stack.enter_async_context(self.context())

    async def stop(self) -> None:
        """In order."""
        await self._stack.aclose()

    async def kill(self) -> None:
        """Outright."""
        with suppress(ProcessLookupError):
            os.kill(self.running.child.pid, signal.SIGKILL)
        await self._stack.aclose()


class Broker(Server[RunningBroker]):
    """Our Mosquitto, on a port that it keeps."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home, self._port = data_folder(home), ports.free_port()

    def context(self) -> AbstractAsyncContextManager[RunningBroker]:
        return embedded_broker(self._home, port=self._port, software="mosquitto")

    def save(self) -> None:
        """Write the snapshot now, as it does by itself every 30 s."""
        os.kill(self.running.child.pid, signal.SIGUSR1)


class Database(Server[RunningPostgres]):
    """Our PostgreSQL, on a port that it keeps, with its usual care for what it has committed."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        super().__init__()
        self._home, self._port, self._settings = home, ports.free_port(), dict(settings)

    def context(self) -> AbstractAsyncContextManager[RunningPostgres]:
        return embedded_postgres(self._home, port=self._port, settings=self._settings)

    async def start(self) -> None:
        """Whatever state it was left in; a server that was killed leaves children behind for a moment."""
        for attempt in range(20):
            try:
                await super().start()
                return
            except Exception:
                await self._stack.aclose()
                if attempt == 19:
                    raise
                await asyncio.sleep(0.5)

    @property
    def alive(self) -> bool:
        return self.running.child.running


class Service:
    """A service of ours as a process of its own; `memory_mib` is the most that any run of it has held."""

    def __init__(self, arguments: Sequence[str], settings: Mapping[str, str]) -> None:
        self.name = arguments[0]
        self._arguments, self._settings = arguments, settings
        self._child: children.Child | None = None
        self.memory_mib = 0.0

    @property
    def pid(self) -> int | None:
        """`None` where it does not run."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self, wait: bool = True) -> None:
        """`wait` until it is up: from then on the broker keeps everything for it."""
        command = [sys.executable, "-m", "lamplighter", *self._arguments]
        self._child = await children.start(self.name, command, cwd=ROOT, environment=environment(self._settings))
        async with asyncio.timeout(UP_S_MAX):
            while wait and not any('"event": "up"' in line for line in self._child.last_lines):
                assert self._child.running, list(self._child.last_lines)
                await asyncio.sleep(0.02)

    def strike(self) -> None:
        """kill -9, this very instant."""
        assert self._child is not None
        self.measure()
        with suppress(ProcessLookupError):
            os.kill(self._child.pid, signal.SIGKILL)

    def freeze(self, frozen: bool) -> None:
        assert self._child is not None
        os.kill(self._child.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    async def gone(self) -> None:
        """Wait for the end after a strike."""
        assert self._child is not None
        await self._child.stop(signal.SIGKILL, 5, signal.SIGKILL)

    async def stop(self) -> None:
        """In order, as systemd does."""
        if self._child is not None:
            self.measure()
            await self._child.stop(signal.SIGTERM, 20, signal.SIGKILL)

    @property
    def last_lines(self) -> list[str]:
        """The end of its log."""
        return [] if self._child is None else list(self._child.last_lines)

    def measure(self) -> None:
        """Take note of the most that it has held resident (Linux)."""
        assert self._child is not None
        with suppress(OSError):
            for line in Path(f"/proc/{self._child.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.memory_mib = max(self.memory_mib, int(line.split()[1]) / 1024)


class Ingest(Service):
    """`lamplighter ingest`, alone or as a member of a share."""

    def __init__(self, mqtt_url: str, database_url: str, member: int | None) -> None:
        seat = [] if member is None else ["--share", SHARE, "--member", str(member)]
        urls = {"LAMPLIGHTER_MQTT_URL": mqtt_url, "LAMPLIGHTER_DATABASE_URL": database_url}
        super().__init__(["ingest", *seat], urls)


class Town:
    """Broker, database and as many members of ingest; `wires` lie between ingest and the other two, if wanted."""

    def __init__(self, broker: Broker, database: Database, home: Path) -> None:
        self.broker, self.database, self.home = broker, database, home
        self.standby: Database | None = None
        self.broker_wire: Wire | None = None
        self.database_wire: Wire | None = None
        self.ingests: list[Ingest] = []

    @property
    def mqtt_url(self) -> str:
        return self.broker.running.url

    @property
    def database_url(self) -> str:
        return self.database.running.url

    async def promote(self) -> None:
        """The standby takes the place of a primary that is gone."""
        assert self.standby
        async with await connect(self.standby.running.url) as conn:
            await conn.execute("SELECT pg_promote()")
        self.database = self.standby

    async def run(self, *arguments: str) -> str:
        """A command of ours against this town, by the straight way; what it printed."""
        urls = {"LAMPLIGHTER_MQTT_URL": self.mqtt_url, "LAMPLIGHTER_DATABASE_URL": self.database_url}
        process = await self.open(*arguments, urls=urls)
        printed, complaint = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, f"lamplighter {' '.join(arguments)}: {complaint.decode()[-1000:]}"
        return printed.decode()

    async def open(self, *arguments: str, urls: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lamplighter",
            *arguments,
            cwd=ROOT,
            env=environment(urls),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def environment(urls: Mapping[str, str]) -> dict[str, str]:
    """Of a process of ours: nothing of the caller's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAMPLIGHTER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "LAMPLIGHTER_LOG_FORMAT": "json", **urls}


async def make_template(home: Path, registry_csv: str) -> None:
    """A database as `lamplighter migrate` and `registry import` leave it, to be copied for each repetition."""
    async with embedded_postgres(data_folder(home)) as server:
        await migrate(server.url)
        async with await connect(server.url) as conn:
            await registry.import_csv(conn, registry_csv, 0)


@asynccontextmanager
async def town(
    home: Path,
    template: Path,
    *,
    members: int,
    wired: bool,
    replicated: bool,
    settings: Mapping[str, str],
    disk_mib: int | None,
    saved: bool,
) -> AsyncIterator[Town]:
    """A town with its files in `home`, up and listening; the database's on a disk of its own where `disk_mib` is given.

    `replicated`: a commit waits for a standby to have it on disk.
    `saved`: the broker's snapshot knows of ingest's session. Nothing of it is left at the end.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_copy(template, home / "db", disk_mib))
        if replicated:
            settings = {**settings, "synchronous_standby_names": STANDBY}
        broker, database = Broker(home / "mqtt"), Database(folder, settings)
        for server in (broker, database):
            await server.start()
            stack.push_async_callback(server.stop)
        place = Town(broker, database, home)
        mqtt_url, database_url = place.mqtt_url, place.database_url
        if replicated:
            folder = stack.enter_context(_copy(template, home / "standby", None))
            (folder / "database" / "cluster" / "standby.signal").touch()
            place.standby = Database(folder, {"primary_conninfo": f"{database_url}?application_name={STANDBY}"})
            await place.standby.start()
            stack.push_async_callback(place.standby.stop)
            database_url = either(database_url, place.standby.running.url)
        if wired:
            place.broker_wire = await stack.enter_async_context(Wire(mqtt_url))
            place.database_wire = await stack.enter_async_context(Wire(database_url))
            mqtt_url, database_url = place.broker_wire.url, place.database_wire.url
        for member in range(1, members + 1):
            place.ingests.append(Ingest(mqtt_url, database_url, member if members > 1 else None))
            stack.push_async_callback(place.ingests[-1].stop)
        await asyncio.gather(*(each.start() for each in place.ingests))
        if saved:
            broker.save()
            await asyncio.sleep(0.2)
        yield place


def either(primary: str, standby: str) -> str:
    """The URL of whichever of the two may be written to, as `deploy/cluster` names its servers."""
    login, _, rest = primary.rpartition("@")
    host, name = rest.split("/")
    return f"{login}@{host},{standby.rpartition('@')[2].split('/')[0]}/{name}?target_session_attrs=read-write"


@contextmanager
def _copy(template: Path, folder: Path, mib: int | None) -> Iterator[Path]:
    """A copy of a folder, on a small disk of its own if `mib` is given."""
    with disk(folder, mib):
        subprocess.run(["cp", "-a", f"{template}/.", folder], check=True)
        yield folder


def may_mount() -> bool:
    """Whether a small disk can be had."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "chaos", folder]
        tried = subprocess.run(mount, capture_output=True, check=False)
        if tried.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return tried.returncode == 0 and os.geteuid() == 0


@contextmanager
def disk(folder: Path, mib: int | None) -> Iterator[None]:
    """A new folder, on a small disk of its own if `mib` is given; only who may mount can have one."""
    folder.mkdir(mode=0o711)
    if mib is not None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=711", "chaos", folder], check=True)
    try:
        yield
    finally:
        if mib is not None:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)
