"""A broker as it is delivered, without our configuration."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter.embedded import handshake, ports
from lamplighter.embedded.broker import mosquitto_program
from tests.conftest import NO_MOSQUITTO
from tests.parts.patience import eventually


@pytest.fixture
async def mosquitto_as_delivered(tmp_path: Path) -> AsyncIterator[str]:
    """A Mosquitto with its own defaults: open to anybody, and forgetful."""
    program = mosquitto_program()
    if program is None:
        pytest.skip(NO_MOSQUITTO)
    port = ports.free_port()
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, "-p", str(port), stdout=quiet, stderr=quiet)
    url = f"mqtt://127.0.0.1:{port}"
    await eventually(lambda: handshake.shake_hands(url), OSError)
    yield url
    process.terminate()
    await process.wait()
