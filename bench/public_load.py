"""Clients of the public API that cost little: connections that ask again at once, and listeners to the stream."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

HOST = "127.0.0.1"
PATH = "/public/v1/parking"
LOOK_S = 0.01
_END = b"\r\n\r\n"


@dataclass
class Load:
    """What connections together have had: answers, and the time each took, in seconds."""

    until_s: float
    waits_s: list[float] = field(default_factory=list)
    wrong: int = 0


class _Asking(asyncio.Protocol):
    """One connection. Every answer is as long as the first, which is read as HTTP; its first line is looked at."""

    def __init__(self, load: Load, request: bytes, status: bytes, over: asyncio.Future[None]) -> None:
        self._load, self._request, self._status, self._over = load, request, b"HTTP/1.1 " + status, over
        self._length = self._got = 0
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._begun_s = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._got and not data.startswith(self._status):
            self._load.wrong += 1
        self._got += len(data)
        if not self._length:
            self._first += data
            if _END in self._first:
                self._length = answer_bytes(self._first)
        if not self._length or self._got < self._length:
            return
        now_s = time.perf_counter()
        self._load.waits_s.append(now_s - self._begun_s)
        self._got = 0
        if now_s < self._load.until_s:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over.done():
            self._over.set_result(None)


def answer_bytes(start: bytes) -> int:
    """How long an answer is altogether, from its head."""
    head = start[: start.index(_END)].lower()
    told = [line.split(b":", 1)[1] for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + len(_END) + int(told[0] if told else 0)


def request(etag: str | None = None, path: str = PATH) -> bytes:
    """A request as a browser's cache makes it, in brief."""
    known = f"If-None-Match: {etag}\r\n" if etag else ""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n{known}\r\n".encode()


async def ask(port: int, connections: int, seconds: float, etag: str | None = None, path: str = PATH) -> Load:
    """Ask over so many connections for so long, each again as soon as it is answered."""
    loop = asyncio.get_running_loop()
    load = Load(time.perf_counter() + seconds)
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    status = b"304" if etag else b"200"
    for end in ends:
        await loop.create_connection(lambda end=end: _Asking(load, request(etag, path), status, end), HOST, port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    return load


class Listening(asyncio.Protocol):
    """A listener to the stream; `heard_s` is when `words` came."""

    def __init__(self) -> None:
        self.words: bytes | None = None
        self.heard_s: float | None = None
        self.open = False
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(f"GET {PATH}/stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self.open = True
        if self.words is not None and self.heard_s is None:
            self.tail += data
            if self.words in self.tail:
                self.heard_s = time.perf_counter()


async def listen(port: int, listeners: int) -> list[Listening]:
    """So many listeners, each of which has had its first zones."""
    loop = asyncio.get_running_loop()
    here = [Listening() for _ in range(listeners)]
    for each in here:
        await loop.create_connection(lambda each=each: each, HOST, port)  # type: ignore[misc]
    await until(lambda: all(each.open for each in here), 20.0)
    return here


async def until(holds: Callable[[], bool], most_s: float) -> None:
    """Wait until something holds, or for so long at most."""
    end_s = time.perf_counter() + most_s
    while not holds() and time.perf_counter() < end_s:  # noqa: ASYNC110  whatever holds rings no bell
        await asyncio.sleep(LOOK_S)
