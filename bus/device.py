"""A device's line to the broker, or a gateway's for many devices: publishes in order without waiting, hears commands.

MQTT 3.1.1 with clean sessions. What is to be sent again after a torn connection is the caller's matter, for it is the
device that remembers; the line only tells when it stands, when it is lost, and what the broker has taken.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, cast

import structlog

from bus import packets
from bus.address import Address, parse_address
from bus.backoff import STEADY_S, Backoff
from bus.session import Will

KEEP_ALIVE_S = 30
HANDSHAKE_S = 10.0
IN_FLIGHT_MAX = 1_000
"""Publishes that wait for the broker's word; at the bound the line has no room, and the caller waits."""
PACKET_IDS = 65_535
TORN = "torn on purpose"

_SUBSCRIPTION = PACKET_IDS
"""The packet id of the one SUBSCRIBE; publishes use the ids below."""
_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90

_log = structlog.get_logger(__name__)

OnMessage = Callable[[str, bytes, bool], None]
"""Takes (topic, payload, retained)."""


class Line:
    """A connection that comes back by itself: `async with` it, then `send` while it is up.

    Args:
        url: the broker; its user and password hold where `user` is not given.
        client_id: unique at the broker.
        user: (name, password) of this device.
        will: published by the broker if the line tears.
        filters: topics to hear, at QoS 1.
        on_message: gets what `filters` bring.
        on_up: called when the line stands; true if it tore before, so that messages may be lost.
        on_down: called when it is lost; what was in flight is forgotten.
        on_taken: called with the token of each message that the broker has taken.
        in_flight_max: bound of what waits for the broker's word.
        tls: how an `mqtts` broker is verified; `None` by the system's certificate store.

    Raises:
        BadAddress: the URL is none.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        user: tuple[str, str] | None = None,
        will: Will | None = None,
        filters: Sequence[str] = (),
        on_message: OnMessage | None = None,
        on_up: Callable[[bool], None] | None = None,
        on_down: Callable[[], None] | None = None,
        on_taken: Callable[[object], None] | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not 0 < in_flight_max < PACKET_IDS:
            raise ValueError("in_flight_max does not fit MQTT's packet ids")
        self._address = parse_address(url, tls)
        self._user = user or _login(self._address)
        self._client_id, self._will, self.filters = client_id, will, tuple(filters)
        self.on_message, self._on_up, self._on_down, self._on_taken = on_message, on_up, on_down, on_taken
        self._in_flight_max = in_flight_max
        self._in_flight: dict[int, object] = {}
        self._packet_id = 0
        self._wire: _Wire | None = None
        self._changed = asyncio.Event()
        self._torn = False
        self._task: asyncio.Task[None] | None = None
        self.connections = 0
        """How often the line has stood up."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay_connected(), name=f"line {self._client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def up(self) -> bool:
        """Whether the line stands."""
        return self._wire is not None

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not answered yet."""
        return len(self._in_flight)

    @property
    def has_room(self) -> bool:
        """Whether the line stands and may take another message."""
        return self._wire is not None and len(self._in_flight) < self._in_flight_max and not self._wire.choked

    async def room(self) -> None:
        """Wait until the line has room."""
        while not self.has_room:
            self._changed.clear()
            await self._changed.wait()

    async def settled(self) -> None:
        """Wait until the broker has taken everything, or the line is down."""
        while self._in_flight and self._wire is not None:
            self._changed.clear()
            await self._changed.wait()

    def send(self, topic: str, payload: bytes, *, retain: bool = False, token: object = None) -> None:
        """Publish at QoS 1, in the order of the calls; `token` comes back through `on_taken`.

        Raises:
            RuntimeError: the line has no room; ask `has_room` or wait for `room`.
        """
        if not self.has_room or self._wire is None:
            raise RuntimeError("the line has no room")
        packet_id = self._packet_id
        while True:
            packet_id = packet_id % (PACKET_IDS - 1) + 1
            if packet_id not in self._in_flight:
                break
        self._packet_id = packet_id
        self._in_flight[packet_id] = token
        name = topic.encode()
        size = packets.length(len(name) + len(payload) + 4)
        head = b"\x33" if retain else b"\x32"
        self._wire.write(
            b"".join((head, size, len(name).to_bytes(2, "big"), name, packet_id.to_bytes(2, "big"), payload))
        )

    def tear(self) -> None:
        """Drop the connection without farewell, as a power cut does: the broker publishes the Will."""
        if self._wire is not None:
            self._wire.abort(TORN)

    async def close(self) -> None:
        """Say farewell and stay away; no Will is published."""
        task, self._task = self._task, None
        if self._wire is not None:
            self._wire.leave()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def taken(self, packet_id: int) -> None:
        """The broker has the message with this packet id."""
        token = self._in_flight.pop(packet_id, None)
        self._changed.set()
        if token is not None and self._on_taken is not None:
            self._on_taken(token)

    def unchoked(self) -> None:
        """The socket takes bytes again."""
        self._changed.set()

    async def _stay_connected(self) -> None:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            opened_s: float | None = None
            try:
                wire = await self._connect()
                opened_s = loop.time()
                self._stand(wire)
                reason = await wire.closed
            except (OSError, TimeoutError, packets.Malformed) as error:
                reason = str(error) or "no answer in time"
            finally:
                self._fall()
            if opened_s is not None and loop.time() - opened_s >= STEADY_S:
                backoff.succeeded()
            if reason != TORN:
                _log.warning("line lost", client=self._client_id, broker=str(self._address), reason=reason)
            await asyncio.sleep(backoff.next_s())

    async def _connect(self) -> "_Wire":
        address, wire = self._address, None
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                _, wire = await asyncio.get_running_loop().create_connection(
                    lambda: _Wire(self), address.host, address.port, ssl=address.tls
                )
                wire.write(_connect(self._client_id, self._user, self._will))
                await wire.opened
        except BaseException:
            if wire is not None:
                wire.abort("the handshake failed")
            raise
        return wire

    def _stand(self, wire: "_Wire") -> None:
        self._wire = wire
        self.connections += 1
        self._changed.set()
        if self._on_up is not None:
            self._on_up(self._torn)
        self._torn = True

    def _fall(self) -> None:
        stood, self._wire = self._wire is not None, None
        self._in_flight.clear()
        self._changed.set()
        if stood and self._on_down is not None:
            self._on_down()


class _Wire(asyncio.Protocol):
    """The bytes of one connection. `opened` ends with the handshake, `closed` with the reason in words."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        self.choked = False
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._rest = b""
        self._reason = "the broker hung up"
        self._unanswered = 0
        self._ping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to write to."""
        self._transport = cast(asyncio.Transport, transport)

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self.choked = True

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self.choked = False
        self._line.unchoked()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait."""
        if self._ping is not None:
            self._ping.cancel()
        reason = str(exc) if exc is not None else self._reason
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(reason))
            self.opened.exception()  # the handshake may have been given up: then nobody asks
        if not self.closed.done():
            self.closed.set_result(reason)

    def write(self, packet: bytes) -> None:
        """Send with all else that this turn of the loop sends."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(packet)

    def leave(self) -> None:
        """Farewell."""
        if self._transport is not None and not self._transport.is_closing():
            self._reason = "we left"
            self._outgoing.append(packets.DISCONNECT)
            self._flush()
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Give the connection up at once."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take the packets of one read."""
        self._unanswered = 0
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        try:
            while end - at >= 2:
                size, body = _length(data, at + 1)
                if body < 0 or body + size > end:
                    break
                self._take(data[at], data[body : body + size])
                at = body + size
        except (packets.Malformed, IndexError, UnicodeDecodeError) as error:
            self.abort(f"the broker's bytes are no MQTT: {error}")
            return
        self._rest = data[at:]

    def _take(self, head: int, body: bytes) -> None:
        kind = head & 0xF0
        if kind == _PUBACK:
            self._line.taken(body[0] << 8 | body[1])
        elif kind == _PUBLISH:
            self._hear(head, body)
        elif kind == _CONNACK:
            self._greeted(body[1])
        elif kind == _SUBACK:
            self._subscribed(body[2:])

    def _greeted(self, code: int) -> None:
        if code:
            self._fail(f"the broker refuses the connection (code {code:#04x})")
            return
        self._next_ping()
        if self._line.filters:
            self.write(packets.subscribe(4, _SUBSCRIPTION, self._line.filters))
        elif not self.opened.done():
            self.opened.set_result(None)

    def _subscribed(self, codes: bytes) -> None:
        if any(code >= 0x80 for code in codes):
            self._fail("the broker refuses the subscription")
        elif not self.opened.done():
            self.opened.set_result(None)

    def _fail(self, reason: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(reason))
        self.abort(reason)

    def _hear(self, head: int, body: bytes) -> None:
        stop = 2 + (body[0] << 8 | body[1])
        topic, start = body[2:stop].decode(), stop
        if head & 0x06:
            start += 2
            self.write(packets.acknowledge([body[stop:start]]))
        if self._line.on_message is not None:
            self._line.on_message(topic, body[start:], bool(head & packets.RETAINED))

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(outgoing))

    def _next_ping(self) -> None:
        if self._unanswered >= 2:
            self.abort("the broker fell silent")
            return
        if self._ping is not None:
            self._unanswered += 1
            self.write(packets.PING)
        self._ping = self._loop.call_later(KEEP_ALIVE_S / 2, self._next_ping)


def _login(address: Address) -> tuple[str, str] | None:
    return None if address.user is None else (address.user, address.password or "")


def _connect(client_id: str, user: tuple[str, str] | None, will: Will | None) -> bytes:
    """CONNECT of MQTT 3.1.1 (section 3.1) with a clean session and perhaps a Will at QoS 1."""
    flags = 0x02 | (0xC0 if user else 0)
    tail = [client_id.encode()]
    if will is not None:
        flags |= 0x0C | (0x20 if will.retain else 0)
        tail += [will.topic.encode(), will.payload]
    if user is not None:
        tail += [user[0].encode(), user[1].encode()]
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + KEEP_ALIVE_S.to_bytes(2, "big")
    body += b"".join(len(part).to_bytes(2, "big") + part for part in tail)
    return b"\x10" + packets.length(len(body)) + body


def _length(data: bytes, at: int) -> tuple[int, int]:
    """(length, place after it) of a packet; the place is −1 where the data ends before."""
    value = shift = 0
    for place in range(at, min(at + 4, len(data))):
        value |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:
            return value, place + 1
        shift += 7
    if len(data) - at >= 4:
        raise packets.Malformed("a length has more than four bytes")
    return 0, -1
