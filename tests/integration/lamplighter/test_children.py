"""Children: heard, watched, ended in order, and never left behind."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from lamplighter.embedded import accounts, children, ports, postgres
from lamplighter.embedded.children import ChildDied
from lamplighter.errors import Failure
from lamplighter.http_server import HttpServer, listen
from lamplighter.supervise import crew
from tests.parts.patience import eventually

HERE = Path("/")
PARENT = """
import asyncio, sys
from pathlib import Path
from lamplighter import logs, supervise
from lamplighter.embedded import children
from lamplighter.supervise import crew

logs.configure()
supervise.PATIENCE_S = 0.2

async def main():
    async with crew() as members:
        child = await children.start("sleeper", ["sleep", "600"], cwd=Path("/"), account={account})
        members.watch(child)
        print(child.pid, flush=True)
        await members.until_asked_to_stop()
        print("orderly", flush=True)
        {at_the_end}

asyncio.run(main())
"""


@contextmanager
def family(
    account: str = "None", at_the_end: str = "pass"
) -> Iterator[tuple[subprocess.Popen[str], IO[str], psutil.Process]]:
    """A supervising process, what it says, and its child."""
    script = PARENT.format(account=account, at_the_end=at_the_end)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        try:
            yield parent, parent.stdout, psutil.Process(int(parent.stdout.readline()))
        finally:
            parent.kill()


def wait_until_gone(process: psutil.Process, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.02)


def test_a_child_does_not_outlive_a_parent_that_is_killed() -> None:
    with family() as (parent, _, child):
        parent.kill()
        parent.wait()
        wait_until_gone(child)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs children as another account")
def test_neither_does_one_that_runs_as_another_account() -> None:
    """The kernel forgets the parent-death signal at a change of user, so it must be set after it."""
    account = "__import__('lamplighter.embedded.accounts').embedded.accounts.unprivileged_account()"
    with family(account) as (parent, _, child):
        assert child.username() == "nobody"
        parent.kill()
        parent.wait()
        wait_until_gone(child)


def test_a_signal_after_some_patience_ends_at_once_and_takes_the_child_along() -> None:
    with family(at_the_end="await asyncio.sleep(600)") as (parent, said, child):
        parent.send_signal(signal.SIGINT)
        assert said.readline() == "orderly\n"
        parent.send_signal(signal.SIGINT)
        time.sleep(0.3)
        parent.send_signal(signal.SIGINT)
        assert parent.wait(5) == 130
        wait_until_gone(child)


async def test_a_child_that_dies_takes_all_down_and_is_named_with_its_last_words() -> None:
    async def run() -> None:
        async with crew() as members:
            members.watch(await children.start("broker", ["sh", "-c", "echo no room; exit 3"], cwd=HERE))
            await members.until_asked_to_stop()

    with pytest.raises(ChildDied, match="The broker ended with code 3; its last words: no room"):
        await run()


async def test_the_words_quoted_say_why_it_ended_not_that_it_did() -> None:
    says = "echo 'FATAL:  No space left on device'; echo 'LOG:  database system is shut down'; exit 1"
    child = await children.start("database", ["sh", "-c", says], cwd=HERE)
    with pytest.raises(ChildDied, match=r"code 1; its last words: FATAL:  No space left on device$"):
        await child.must_live()


async def test_a_preparation_that_fails_once_it_is_cancelled_is_not_complained_of() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(5)
        raise Failure("initdb was ended")

    task = asyncio.create_task(postgres._to_its_end(work))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, may_end.set)
    await asyncio.wait({task})
    assert task.cancelled()
    del task
    gc.collect()
    assert not complaints


async def test_a_killed_child_is_named_with_the_signal() -> None:
    child = await children.start("database", ["sleep", "600"], cwd=HERE)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ChildDied, match="The database was killed by SIGKILL"):
        await child.must_live()


async def test_a_program_that_is_not_there_is_told_in_one_sentence() -> None:
    with pytest.raises(Failure, match="The broker cannot be started"):
        await children.start("broker", ["/no/such/program"], cwd=HERE)


async def test_endless_lines_neither_block_the_child_nor_fill_the_memory() -> None:
    talk = "import sys; sys.stdout.write('x' * 5_000_000); print(); print('done')"
    child = await children.start("talker", [sys.executable, "-c", talk], cwd=HERE)
    await asyncio.wait_for(child.process.wait(), 10)
    await child.stop(signal.SIGTERM, 1, signal.SIGKILL)
    assert child.last_lines[-1] == "done"
    assert max(map(len, child.last_lines)) <= children.LINE_LENGTH_MAX


async def test_a_child_that_ignores_the_signal_is_killed() -> None:
    child = await children.start("mule", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], cwd=HERE)

    async def up() -> None:
        assert child.last_lines

    await eventually(up)
    await child.stop(signal.SIGTERM, 0.2, signal.SIGKILL)
    assert not child.running


def test_a_folder_that_an_account_cannot_reach_is_not_opened_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SYSTEM_HOME", tmp_path / "system")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home.mkdir()
    nobody = accounts.Account("somebody", 12_345, 12_345)
    assert not accounts.may_enter(nobody, home)
    if os.geteuid() == 0:
        folder = accounts.server_folder(home, "database", nobody)
        assert folder.parent == tmp_path / "system"
        assert (home / "database").resolve() == folder
        assert accounts.server_folder(home, "database", nobody) == folder
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_cannot_be_written_is_told_with_the_mend() -> None:
    with pytest.raises(Failure, match=r"/proc/none cannot be written .* name another one with --data"):
        accounts.data_folder(Path("/proc/none"))


async def test_the_http_server_answers_and_ends_when_cancelled() -> None:
    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        assert scope["type"] == "lifespan"
        raise RuntimeError("no lifespan here")

    server = HttpServer(app, listen("127.0.0.1", 0))
    async with crew() as members:
        members.serve("api", server.serve())
        await server.until_started()
        _, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        writer.close()


def test_a_busy_http_port_is_told_with_the_mend() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(Failure, match="LAMPLIGHTER_HTTP_PORT"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_busy_default_port_moves_on_and_a_busy_explicit_one_is_an_error() -> None:
    with listen("127.0.0.1", 0) as taken:
        busy = taken.getsockname()[1]
        assert ports.choose_port(None, busy, "--http-port") > busy
        with pytest.raises(Failure, match=f"Port {busy} is busy: name another with --http-port"):
            ports.choose_port(busy, busy, "--http-port")
        assert ports.choose_port(0, busy, "--http-port") != busy
