"""What somebody has retained at the broker."""

import asyncio
from contextlib import suppress

from bus.session import Watcher

PATIENCE_S = 1.0
"""It is retained, so it comes at once or not at all."""


async def heard(url: str, topic: str) -> bytes | None:
    """The payload at this topic of the broker at `url`, `None` if there is none in time."""
    said: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def hear(_topic: str, payload: bytes, _retained: bool) -> None:
        with suppress(asyncio.InvalidStateError):
            said.set_result(payload)

    async with Watcher(url, "", [topic], hear):
        with suppress(TimeoutError):
            return await asyncio.wait_for(said, PATIENCE_S)
    return None
