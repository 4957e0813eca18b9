"""Brokers that are not configured by us: as delivered, or with settings of the test's choice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from lamplighter.embedded import handshake, ports
from lamplighter.embedded.broker import mosquitto_program
from tests.conftest import NO_MOSQUITTO
from tests.parts.patience import eventually

StartMosquitto = Callable[..., Awaitable[str]]


@pytest.fixture
async def start_mosquitto(tmp_path: Path) -> AsyncIterator[StartMosquitto]:
    """Starts a Mosquitto that is open to anybody, with lines of configuration; gives its URL."""
    async with AsyncExitStack() as stack:

        async def start(*lines: str) -> str:
            return await stack.enter_async_context(_mosquitto(tmp_path, lines))

        yield start


@asynccontextmanager
async def _mosquitto(folder: Path, lines: tuple[str, ...]) -> AsyncIterator[str]:
    program = mosquitto_program()
    if program is None:
        pytest.skip(NO_MOSQUITTO)
    port = ports.free_port()
    file = folder / f"mosquitto-{port}.conf"
    file.write_text("\n".join([f"listener {port} 127.0.0.1", "allow_anonymous true", "sys_interval 1", *lines, ""]))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, "-c", str(file), stdout=quiet, stderr=quiet)
    url = f"mqtt://127.0.0.1:{port}"
    try:
        await eventually(lambda: handshake.shake_hands(url), OSError)
        yield url
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def mosquitto_as_delivered(start_mosquitto: StartMosquitto) -> str:
    """A Mosquitto with its own defaults: open to anybody, and forgetful."""
    return await start_mosquitto()
