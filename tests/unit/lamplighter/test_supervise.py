"""Several services as one: order, failure, signals."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest

from lamplighter.errors import Failure
from lamplighter.supervise import Interrupted, crew


async def serve(name: str, diary: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        diary.append(f"{name} ended")


@asynccontextmanager
async def opened(name: str, diary: list[str]) -> AsyncIterator[str]:
    try:
        yield name
    finally:
        diary.append(f"{name} closed")


async def test_everything_ends_in_reverse_order_services_first() -> None:
    diary: list[str] = []
    async with crew() as members:
        await members.enter(opened("database", diary))
        await members.enter(opened("pool", diary))
        members.serve("ingest", serve("ingest", diary))
        members.serve("api", serve("api", diary))
        await members.until_asked_to_stop(for_s=0)
    assert diary == ["api ended", "ingest ended", "pool closed", "database closed"]


async def test_one_service_can_end_before_the_others() -> None:
    diary: list[str] = []
    async with crew() as members:
        members.serve("simulator", serve("simulator", diary))
        members.serve("ingest", serve("ingest", diary))
        await members.until_asked_to_stop(for_s=0)
        await members.end("simulator")
        assert diary == ["simulator ended"]


async def test_a_service_that_raises_takes_all_down_and_is_named() -> None:
    diary: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no more disk")

    async def run() -> None:
        async with crew() as members:
            await members.enter(opened("database", diary))
            members.serve("api", serve("api", diary))
            members.serve("ingest", fail())
            await members.until_asked_to_stop()

    with pytest.raises(Failure, match="The service ingest failed: RuntimeError: no more disk"):
        await run()
    assert diary == ["api ended", "database closed"]


async def test_a_service_that_returns_has_failed_too() -> None:
    async def run() -> None:
        async with crew() as members:
            members.serve("rules", asyncio.sleep(0))
            await members.until_asked_to_stop()

    with pytest.raises(Failure, match="The service rules ended by itself"):
        await run()


async def test_an_error_during_start_up_closes_what_was_opened() -> None:
    diary: list[str] = []

    async def run() -> None:
        async with crew() as members:
            await members.enter(opened("database", diary))
            members.serve("ingest", serve("ingest", diary))
            await asyncio.sleep(0)
            raise Failure("The port is busy")

    with pytest.raises(Failure, match="port is busy"):
        await run()
    assert diary == ["ingest ended", "database closed"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_asks_for_an_orderly_end(number: signal.Signals) -> None:
    diary: list[str] = []
    async with crew() as members:
        members.serve("ingest", serve("ingest", diary))
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
        await members.until_asked_to_stop()
        diary.append("orderly")
    assert diary == ["orderly", "ingest ended"]


async def test_a_member_can_ask_for_the_end_too() -> None:
    async with crew() as members:
        members.ask_to_stop()
        await members.until_asked_to_stop()


async def test_a_signal_during_start_up_interrupts_it() -> None:
    diary: list[str] = []

    async def run() -> None:
        async with crew() as members:
            await members.enter(opened("database", diary))
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(10)

    with pytest.raises(Interrupted):
        await run()
    assert diary == ["database closed"]


async def test_a_service_that_will_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamplighter.supervise.END_GRACE_S", 0.05)
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    async with crew() as members:
        members.serve("stubborn", stubborn())
        await members.until_asked_to_stop(for_s=0.01)
    released.set()


async def test_more_signals_while_all_is_tidied_cut_nothing_short() -> None:
    """Three Ctrl-Cs in a row left the demo's folder behind: the second one ended at once."""
    diary: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        yield
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.01)
        diary.append("closed")

    @contextmanager
    def folder() -> Iterator[None]:
        yield
        os.kill(os.getpid(), signal.SIGINT)
        diary.append("removed")

    async with crew() as members:
        members.hold(folder())
        await members.enter(slow())
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
        await members.until_asked_to_stop()
    assert diary == ["closed", "removed"]
