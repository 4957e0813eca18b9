"""A stretch of network of our own on the loopback: it stalls, slows down, tears, falls silent, strikes at a commit."""

import asyncio
import ctypes
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from tests.parts.listener import Listener

READ_BYTES = 65_536
_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux."""
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""One BPF instruction: return 0, that is, keep nothing of the packet; not even an acknowledgement goes back."""

_SYNC, _READY = b"S\0\0\0\x04", b"Z\0\0\0\x05I"
"""PostgreSQL's Sync, with which a round trip of ingest's ends, and its answer that no transaction is open."""
_LAST_BOUND, _BEFORE_NAME = b"\0round_trip_", 5
"""How Bind names a round trip's statement, and how many of its bytes are before that."""


class Wire(Listener):
    """Passes bytes on between who connects to `url` and the server behind it.

    `delay_s` is added to every piece that goes to the server. `at_commit` is called once, while PostgreSQL's client
    commits the ledger: "before" the server hears of it, or "after" it is durable and before the client hears of it; the
    connection then ends.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._links: set[_Link] = set()
        self._silent: list[asyncio.StreamWriter] = []
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.connections = 0
        self.delay_s = 0.0
        self.away = False
        self.commit_side: Literal["before", "after"] = "after"
        self.at_commit: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        """The server's URL, by way of this wire."""
        login = self._parts.netloc.rsplit("@", 1)[0]
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self.flow()
        self.cut()
        for writer in self._silent:
            writer.transport.abort()

    def stall(self) -> None:
        """Pass nothing on, and keep the connections."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass on again."""
        self._flowing.set()

    def cut(self) -> None:
        """Tear all connections; both ends notice at once."""
        for link in list(self._links):
            link.tear()

    def shut(self) -> None:
        """Be as if the server were down: tear all connections, and let nobody in until `open`."""
        self.away = True
        self.cut()

    def open(self) -> None:
        """Let clients in again."""
        self.away = False

    def fall_silent(self) -> None:
        """Lose all connections without a word to either end: what they send is not even acknowledged by the network."""
        for link in list(self._links):
            self._silent += link.fall_silent()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.away:
                raise ConnectionRefusedError
            assert self._parts.hostname
            server_reader, server_writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        except OSError:
            _tear(writer)
            return
        link = _Link(writer, server_writer)
        self._links.add(link)
        self.connections += 1
        try:
            await asyncio.gather(self._forth(link, reader), self._back(link, server_reader))
        finally:
            self._links.discard(link)
            if not link.silent:
                link.tear()

    async def _forth(self, link: "_Link", reader: asyncio.StreamReader) -> None:
        """From the client to the server."""
        with suppress(OSError):
            while data := await reader.read(READ_BYTES):
                await self._flowing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if link.silent:
                    return
                link.writes_ledger |= b"INSERT INTO ledger" in data
                in_round_trip = b"round_trip_" in data and data.endswith(_SYNC)
                if self.at_commit and link.writes_ledger and (b"COMMIT" in data or in_round_trip):
                    if self.commit_side == "before":
                        if in_round_trip:
                            link.server.write(data[: data.rindex(_LAST_BOUND) - _BEFORE_NAME])
                            await link.server.drain()
                        self._strike(link)
                        return
                    link.commits = True
                link.server.write(data)
                await link.server.drain()
        link.hang_up()

    async def _back(self, link: "_Link", reader: asyncio.StreamReader) -> None:
        """From the server to the client."""
        with suppress(OSError):
            while data := await reader.read(READ_BYTES):
                await self._flowing.wait()
                if link.silent:
                    return
                if link.commits and (b"COMMIT\0" in data or data.endswith(_READY)):
                    self._strike(link)
                    return
                link.client.write(data)
                await link.client.drain()
        link.hang_up()

    def _strike(self, link: "_Link") -> None:
        strike, self.at_commit = self.at_commit, None
        if strike is not None:
            strike()
        link.tear()


class _Link:
    """One connection of a client, and ours to the server for it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server
        self.silent = self.writes_ledger = self.commits = False

    def hang_up(self) -> None:
        """One end has hung up in order: so does the other."""
        if not self.silent:
            self.client.close()
            self.server.close()

    def tear(self) -> None:
        _tear(self.client)
        _tear(self.server)

    def fall_silent(self) -> list[asyncio.StreamWriter]:
        """Hear and say nothing from now on; returns what is to be kept open."""
        self.silent = True
        for writer in (self.client, self.server):
            code = ctypes.create_string_buffer(_DROP_ALL, len(_DROP_ALL))
            program = struct.pack("HL", 1, ctypes.addressof(code))
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        return [self.client, self.server]


def _tear(writer: asyncio.StreamWriter) -> None:
    """Reset a connection."""
    if not writer.transport.is_closing():
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
