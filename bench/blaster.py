"""Devices at full speed, a process of its own that speaks just enough MQTT to cost the machine little.

`publish` sends readings to a broker at QoS 1 and ends when all are confirmed. `serve` takes the broker out of the way:
it plays one towards a single subscriber, and sends to it from SIGUSR1 on, within its receive maximum, until all are
acknowledged. Packets are made before the race begins, unless they are to bear the time of their sending or are too
many. Each prints one JSON line at the end.
"""

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

from bench.traffic import LAMPS, MIXED, Source
from bus import packets
from bus.address import Address, parse_address

BURST = 200
"""No fewer messages than that are sent at once at full speed."""
SEGMENT = 20_000
MADE_AHEAD_MAX = 400_000
"""More messages than that are made as they are sent; so are backfills."""
TICK_S = 0.002
LISTEN_S = 0.005
"""So often the publisher hears confirmations: it stands for many devices, which are not woken by those of others."""

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PING = 0x10, 0x30, 0x40, 0x80, 0xC0
_SESSION_EXPIRY, _RECEIVE_MAXIMUM = 0x11, 0x21


class Magazine:
    """Messages in order, in segments of a fixed number."""

    def __init__(self, source: Source, messages: int, first: int) -> None:
        self._source, self._messages, self._first = source, messages, first
        self._begun_ms = time.time_ns() // 1_000_000
        self._size = max(1, SEGMENT // source.array)
        self._at, self._segment = 0, self._make(0)
        ahead = messages <= MADE_AHEAD_MAX and source.array == 1
        self._all = [self._make(n) for n in range(-(-messages // self._size))] if ahead else None

    def take(self, begin: int, end: int) -> Iterator[memoryview]:
        """The bytes of messages `begin` to `end`."""
        while begin < end:
            index, within = divmod(begin, self._size)
            if index != self._at:
                self._at = index
                self._segment = self._all[index] if self._all is not None else self._make(index)
            raw, ends = self._segment
            count = min(end - begin, self._size - within)
            yield memoryview(raw)[ends[within] : ends[within + count]]
            begin += count

    def _make(self, index: int) -> tuple[bytes, list[int]]:
        begin = index * self._size
        moment_ms = self._begun_ms + index * (self._size // self._source.devices + 1)
        return self._source.packets(self._first + begin, min(self._size, self._messages - begin), moment_ms)


class Sender(asyncio.Protocol):
    """One connection that sends `messages` with at most `window` unconfirmed; `rate` 0 is as fast as it goes."""

    def __init__(self, source: Source, messages: int, window: int, rate: float = 0, first: int = 0) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun = self.cpu_s = 0.0
        self._source, self.messages, self._window, self._rate, self._first = source, messages, window, rate, first
        self._magazine = None if rate else Magazine(source, messages, first)
        self._sent = self._confirmed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"hung up after {self._confirmed} of {self.messages}"))

    def begin(self) -> None:
        """Send from now on."""
        self.begun, self._begun_s, self.cpu_s = time.time(), time.monotonic(), time.process_time()
        self._tick()

    def confirm(self, count: int) -> None:
        """So many more messages are acknowledged."""
        self._confirmed += count
        if self._confirmed >= self.messages:
            if not self.done.done():
                self.done.set_result(None)
        elif not self._rate:
            self._fill()

    def _tick(self) -> None:
        self._fill()
        if self._rate and self._sent < self.messages:
            asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _fill(self) -> None:
        allowed = min(self.messages, self._confirmed + self._window)
        if self._rate:
            allowed = min(allowed, int((time.monotonic() - self._begun_s) * self._rate))
        elif allowed - self._sent < BURST and allowed < self.messages:
            return
        if allowed <= self._sent:
            return
        if self._magazine is None:
            raw, _ = self._source.packets(self._first + self._sent, allowed - self._sent, time.time_ns() // 1_000_000)
            self._transport.write(raw)
        else:
            self._transport.writelines(self._magazine.take(self._sent, allowed))
        self._sent = allowed


class Publisher(Sender):
    """A device's side of a broker: all it ever hears are acknowledgements of four bytes."""

    address: Address
    _welcomed = False
    _spare = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        hello = packets.connect(
            4, f"blaster-{os.getpid()}", user=self.address.user, password=self.address.password, clean=True,
            keep_alive_s=3_600, receive_maximum=0, session_expiry_s=0,
        )  # fmt: skip
        self._transport.write(hello)

    def data_received(self, data: bytes) -> None:
        if not self._welcomed:
            assert data[:4] == b"\x20\x02\x00\x00", data
            self._welcomed, data = True, data[4:]
            self.begin()
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(LISTEN_S, self._listen)
        confirmed, self._spare = divmod(self._spare + len(data), 4)
        self.confirm(confirmed)

    def _listen(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()


class PlayedBroker(asyncio.Protocol):
    """What a client finds at the port: a broker that confirms what it is told, and hands the subscriber to `found`."""

    def __init__(self, found: Callable[["PlayedBroker"], None]) -> None:
        self._found, self._rest, self.sender = found, b"", cast(Sender | None, None)
        self.version: packets.Version = 4
        self.receive_maximum = 65_535

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.sender is not None:
            self.sender.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        acknowledged = _acknowledgements(data)
        at = 4 * acknowledged
        while at + 2 <= len(data):
            if data[at] == PUBACK:
                if at + 4 > len(data):
                    break
                acknowledged, at = acknowledged + 1, at + 4
                continue
            size, body = _length(data, at + 1)
            if body is None or body + size > len(data):
                break
            self._answer(data[at], data[body : body + size])
            at = body + size
        self._rest = data[at:]
        if acknowledged and self.sender is not None:
            self.sender.confirm(acknowledged)

    def _answer(self, header: int, body: bytes) -> None:
        kind, five = header & 0xF0, self.version == 5
        if kind == CONNECT:
            self.version, five = (5, True) if body[6] == 5 else (4, False)
            if five:
                self.receive_maximum = _receive_maximum(body[10:])
            self.transport.write(b"\x20\x03\0\0\0" if five else b"\x20\x02\0\0")
        elif kind == SUBSCRIBE:
            filters = _filters(body[2 + five :])  # in MQTT 5 behind an empty list of properties
            codes = b"\x01" * len(filters)
            self.transport.write(bytes([0x90, 2 + five + len(codes)]) + body[:2] + b"\0" * five + codes)
            if any(name.endswith(b"/telemetry") for name in filters):
                self._found(self)
        elif kind == PUBLISH and header & 0x06:
            name = int.from_bytes(body[:2], "big")
            self.transport.write(b"\x40\x02" + body[2 + name : 4 + name])
        elif kind == PING:
            self.transport.write(b"\xd0\x00")


def _acknowledgements(data: bytes) -> int:
    """How many acknowledgements of four bytes there are, if nothing else is there; else 0."""
    count = len(data) // 4
    whole = data[: 4 * count]
    return count if whole[::4] == b"\x40" * count and whole[1::4] == b"\x02" * count else 0


def _length(data: bytes, at: int) -> tuple[int, int | None]:
    """A packet's remaining length and where its body begins; `None` where more bytes are to come."""
    size = shift = 0
    for place in range(at, min(at + 4, len(data))):
        size |= (data[place] & 0x7F) << shift
        if not data[place] & 0x80:
            return size, place + 1
        shift += 7
    return 0, None


def _filters(body: bytes) -> list[bytes]:
    """The topic filters of a SUBSCRIBE."""
    names = []
    while body:
        end = 2 + int.from_bytes(body[:2], "big")
        names.append(body[2:end])
        body = body[end + 1 :]
    return names


def _receive_maximum(properties: bytes) -> int:
    size, at = _length(properties, 0)
    assert at is not None
    end = at + size
    while at < end:
        if properties[at] == _RECEIVE_MAXIMUM:
            return int.from_bytes(properties[at + 1 : at + 3], "big")
        if properties[at] != _SESSION_EXPIRY:
            break  # of no interest here, and nothing that our subscriber says
        at += 5
    return 65_535


async def publish(source: Source, options: argparse.Namespace) -> None:
    """Publish to a broker."""

    class Here(Publisher):
        address = parse_address(options.url)

    loop, address = asyncio.get_running_loop(), Here.address
    sender = Here(source, options.messages, options.window, options.rate, options.first)
    transport, _ = await loop.create_connection(lambda: sender, address.host, address.port)
    await sender.done
    report(sender)
    transport.write(packets.DISCONNECT)
    transport.close()


async def serve(source: Source, options: argparse.Namespace) -> None:
    """Play the broker."""
    loop = asyncio.get_running_loop()
    subscriber: asyncio.Future[PlayedBroker] = loop.create_future()
    server = await loop.create_server(lambda: PlayedBroker(subscriber.set_result), "127.0.0.1", 0)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    go = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, go.set)
    broker = await subscriber
    source = replace(source, version=broker.version)
    sender = Sender(source, options.messages, broker.receive_maximum, first=options.first)
    sender.connection_made(broker.transport)
    broker.sender = sender
    print("made", flush=True)
    await go.wait()
    sender.begin()
    await sender.done
    report(sender)
    broker.sender = None
    server.close()


def report(sender: Sender) -> None:
    """The JSON line: real times, and CPU a message while it was sending."""
    cpu_us = (time.process_time() - sender.cpu_s) * 1e6 / sender.messages
    print(json.dumps({"begun": sender.begun, "ended": time.time(), "cpu_us": cpu_us}), flush=True)


def main() -> None:
    """Read the options and go."""
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m bench.blaster", description=__doc__)
    parser.add_argument("what", choices=["publish", "serve"])
    parser.add_argument("--url", default="")
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--devices", type=int, required=True)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--array", type=int, default=1, help="readings of a message")
    parser.add_argument("--window", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first message")
    options = parser.parse_args()
    source = Source(options.devices, MIXED if options.mixed else LAMPS, array=options.array)
    uvloop.run((publish if options.what == "publish" else serve)(source, options))


if __name__ == "__main__":
    main()
