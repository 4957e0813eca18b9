"""What systemd is told of a service that it started with `Type=notify`: that it is up, and that it still lives.

Source: sd_notify(3). Started otherwise, nothing is told.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress


def tell(word: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send one word, such as `READY=1`, if somebody listens."""
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.send(word.encode())


@asynccontextmanager
async def watched(environment: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Say that we are up, and within the block, twice as often as the watchdog wants it, that the event loop turns."""
    tell("READY=1", environment)
    interval_us = int(environment.get("WATCHDOG_USEC") or 0)
    beating = asyncio.create_task(_beat(interval_us / 2_000_000, environment)) if interval_us else None
    try:
        yield
    finally:
        if beating:
            beating.cancel()
        tell("STOPPING=1", environment)


async def _beat(every_s: float, environment: Mapping[str, str]) -> None:
    while True:
        tell("WATCHDOG=1", environment)
        await asyncio.sleep(every_s)
