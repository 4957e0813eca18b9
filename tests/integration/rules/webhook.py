"""Somebody who wants to be told by HTTP."""

import asyncio
import time
from typing import Any

import msgspec

from tests.parts.listener import Listener


class Webhook(Listener):
    """Takes JSON that is posted; `told` is each body with the real monotonic time of its arrival."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, Any], float]] = []

    @property
    def url(self) -> str:
        """As apprise wants it."""
        return f"json://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        self.told.append((msgspec.json.decode(body), time.monotonic()))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
