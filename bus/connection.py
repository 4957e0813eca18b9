"""One connection with a broker: CONNECT, SUBSCRIBE, packets as they come, keep-alive, until it is lost."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from bus import packets, reasons
from bus.address import Address
from bus.reconnecting import Lost, Untrusted

KEEP_ALIVE_S = 30
HANDSHAKE_S = 10.0
"""A broker that has not taken the subscription by then is given up, unless it is busy sending what it kept for us."""
RECEIVE_BUFFER_BYTES = 1 << 20
LARGE_READ_BYTES = 1 << 15
LARGE_READ_REST_S = 0.001
"""A read that brought so much is followed by the next so soon, when others had their turn."""

_SUBSCRIPTION = 65_535
"""The packet id of the one SUBSCRIBE; publishes use the ids below."""
_REFUSED_CODE = 0x80
_OTHER_VERSION = frozenset({0x01, 0x84})


class VersionRefused(Lost):
    """The broker does not speak this version of MQTT, or hung up on it without a word."""


class Refused(Lost):
    """The broker answered, and its answer was no: `code` is CONNACK's."""

    def __init__(self, code: int) -> None:
        super().__init__(reasons.words(code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for with every connection.

    `user` (name, password) stands in for that of the address. Who is `retiring` ends its subscriptions instead, and is
    sent what the broker has queued. After a read the next one waits `coalesce_s`, so that it brings many messages: that
    costs less than many small reads.
    """

    client_id: str
    filters: tuple[str, ...] = ()
    user: tuple[str, str] | None = None
    will: packets.Will | None = None
    retiring: bool = False
    clean: bool = True
    receive_maximum: int = 0xFFFF
    keep_alive_s: int = KEEP_ALIVE_S
    session_expiry_s: int = 0
    coalesce_s: float = 0


class Connection(asyncio.Protocol):
    """Speaks one version of MQTT with one broker. `opened` ends with the handshake: did the broker know our session?

    Messages, and what the broker has taken, go to `deliver`, all of a read in one call. `closed` ends with the reason,
    in words.
    """

    def __init__(
        self,
        version: packets.Version,
        address: Address,
        terms: Terms,
        deliver: Callable[["Connection", packets.Arrivals], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[bool] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()
        self.choked = False
        """Whether the socket takes no more for now; `on_unchoked` is called when it does again."""
        self.on_unchoked: Callable[[], None] = lambda: None
        self.unacknowledged = 0
        """Messages of QoS 1 that have come and have no acknowledgement yet."""
        self.pongs = 0
        """Pings that the broker has answered."""
        self._loop, self._version, self._address, self._terms = loop, version, address, terms
        self._deliver = deliver
        self._parser = packets.Parser(version)
        self._transport: asyncio.Transport | None = None
        self._session_present = False
        self._welcome = False
        self._reason = "the broker hung up"
        self._held = self._coalescing = self._headway = False
        self._unanswered = self._size = self._pings = 0
        self._next_ping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast(asyncio.Transport, transport)
        plain = transport.get_extra_info("socket")
        if plain is not None:
            with suppress(OSError):
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        terms = self._terms
        user, password = terms.user or (self._address.user_of(terms.client_id), self._address.password)
        self._transport.write(
            packets.connect(
                self._version,
                terms.client_id,
                user=user,
                password=password,
                clean=terms.clean,
                keep_alive_s=terms.keep_alive_s,
                receive_maximum=terms.receive_maximum,
                session_expiry_s=terms.session_expiry_s,
                will=terms.will,
            )
        )

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self.choked = True

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self.choked = False
        self.on_unchoked()

    def data_received(self, data: bytes) -> None:
        """Hand over the messages of one read."""
        self._size += len(data)
        try:
            arrivals = self._parser.feed(data)
            for control in arrivals.controls:
                self._obey(control)
        except packets.Malformed as error:
            self.abort(f"the broker's bytes are no MQTT: {error}")
            return
        # An answer to a ping that lies inside a packet that never ends is no sign of life.
        if arrivals.payloads or arrivals.controls or len(data) > len(packets.PING):
            self._unanswered = 0
        if self._closing:
            return
        if arrivals.payloads:
            arrivals.size, self._size = self._size, 0
            self._headway = True
            self.unacknowledged += len(arrivals.packet_ids) - arrivals.packet_ids.count(b"")
            if self._terms.coalesce_s:
                self._coalescing = True
                self._pace()
                rest_s = LARGE_READ_REST_S if len(data) >= LARGE_READ_BYTES else self._terms.coalesce_s
                self._loop.call_later(rest_s, self._end_of_coalescing)
            self._deliver(self, arrivals)
        elif arrivals.taken:
            self._deliver(self, arrivals)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait for the handshake or the end."""
        if self._next_ping is not None:
            self._next_ping.cancel()
        reason = str(exc) if exc is not None else self._reason
        if not self.opened.done():
            mute = self._version == 5 and not self._welcome
            self.opened.set_exception(VersionRefused(reason) if mute else Lost(reason))
            self.opened.exception()  # the handshake may have been given up: then nobody asks
        if not self.closed.done():
            self.closed.set_result(reason)

    def write(self, packet: bytes) -> None:
        """Send a packet; does nothing on a lost connection."""
        if not self._closing and self._transport is not None:
            self._transport.write(packet)

    def acknowledge(self, packet_ids: Sequence[bytes]) -> None:
        """Tell the broker in one write that these messages have their fate; does nothing on a lost connection."""
        self.unacknowledged -= len(packet_ids)
        if packet_ids:
            self.write(packets.acknowledge(packet_ids))

    def hold(self, held: bool) -> None:
        """Read no further while held: the broker then waits."""
        if held != self._held:
            self._held = held
            self._pace()

    def ping(self) -> int:
        """Ask for a sign of life; when `pongs` is as many as this, the broker has dealt with all that we wrote."""
        self._pings += 1
        self.write(packets.PING)
        return self._pings

    def made_headway(self) -> bool:
        """Whether messages have come since this was last asked, or would have come if we read on."""
        headway, self._headway = self._headway or self._held, False
        return headway

    def leave(self) -> None:
        """End the connection and keep the session."""
        if self._transport is not None and not self._closing:
            self._reason = "we left"
            self._transport.write(packets.DISCONNECT)
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Give the connection up at once."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    @property
    def _closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _obey(self, control: packets.Control) -> None:
        match control:
            case packets.ConnAck():
                self._greeted(control)
            case packets.SubAck():
                self._subscribed(control)
            case packets.UnsubAck():
                if not self.opened.done():
                    self.opened.set_result(self._session_present)
            case packets.Farewell(code):
                self.abort(f"the broker ended the session: {reasons.words(code)}")
            case packets.Pong():
                self.pongs += 1

    def _greeted(self, answer: packets.ConnAck) -> None:
        if answer.code or self._transport is None:
            refused = Refused(answer.code)
            other = answer.code in _OTHER_VERSION and self._version == 5
            self._fail(VersionRefused(str(refused)) if other else refused)
            return
        self._welcome = True
        self._session_present = answer.session_present
        if self._terms.filters:
            ask = packets.unsubscribe if self._terms.retiring else packets.subscribe
            self._transport.write(ask(self._version, _SUBSCRIPTION, self._terms.filters))
        elif not self.opened.done():
            self.opened.set_result(self._session_present)
        keep_alive_s = min(answer.keep_alive_s or self._terms.keep_alive_s, self._terms.keep_alive_s)
        if keep_alive_s and self._next_ping is None:
            self._next_ping = self._loop.call_later(keep_alive_s / 2, self._ping, keep_alive_s / 2)

    def _subscribed(self, answer: packets.SubAck) -> None:
        refused = [name for name, code in zip(self._terms.filters, answer.codes, strict=False) if code >= _REFUSED_CODE]
        if refused or len(answer.codes) != len(self._terms.filters):
            self._fail(Lost(f"the broker refuses the subscription {', '.join(refused)}"))
        elif not self.opened.done():
            self.opened.set_result(self._session_present)

    def _fail(self, lost: Lost) -> None:
        if not self.opened.done():
            self.opened.set_exception(lost)
        self.abort(str(lost))

    def _ping(self, interval_s: float) -> None:
        if self._held:
            self._unanswered = 0
        if self._unanswered >= 2:
            self.abort("the broker fell silent")
        elif self._transport is not None and not self._closing:
            self._unanswered += 1
            self.ping()
            self._next_ping = self._loop.call_later(interval_s, self._ping, interval_s)

    def _end_of_coalescing(self) -> None:
        self._coalescing = False
        self._pace()

    def _pace(self) -> None:
        if self._transport is None or self._closing:
            return
        if self._held or self._coalescing:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


async def connect(
    version: packets.Version,
    address: Address,
    terms: Terms,
    deliver: Callable[[Connection, packets.Arrivals], None],
    timeout_s: float = HANDSHAKE_S,
) -> Connection:
    """A connection whose subscription stands.

    The broker's word on the subscription may come behind thousands of messages that it kept; these are delivered.

    Raises:
        VersionRefused: another version may succeed.
        Refused: the broker says no.
        Lost: the broker cannot be reached, or the connection broke.
        Untrusted: that is because of its certificate.
    """
    connection: Connection | None = None
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    try:
        async with asyncio.timeout_at(deadline):
            connection = await address.open(lambda: Connection(version, address, terms, deliver))
        while not (await asyncio.wait({connection.opened}, timeout=deadline - loop.time()))[0]:
            if not connection.made_headway():
                raise TimeoutError
            deadline = loop.time() + timeout_s
        await connection.opened
        return connection
    except TimeoutError:
        reason = f"no answer within {timeout_s:.0f} s"
    except Lost:
        raise
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(error.verify_message) from error
    except OSError as error:
        reason = error.strerror or str(error)
    except BaseException:
        if connection is not None:
            connection.abort("the handshake failed")
        raise
    if connection is not None:
        connection.abort(reason)
    raise Lost(reason)
