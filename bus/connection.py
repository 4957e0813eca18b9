"""One connection of a subscriber: CONNECT, SUBSCRIBE, messages as they come, keep-alive, until it is lost."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from bus import packets
from bus.address import Address

COALESCE_S = 0.005
"""After a read the next one waits this long, so that it brings many messages: that costs less than many small reads."""
HANDSHAKE_S = 10.0
"""A broker that has not taken the subscription by then is given up."""
RECEIVE_BUFFER_BYTES = 1 << 20

_SUBSCRIPTION = 1
_REFUSED_CODE = 0x80
_OTHER_VERSION = frozenset({0x01, 0x84})


class Lost(Exception):
    """The connection ended, or never stood; the message says why."""


class VersionRefused(Lost):
    """The broker does not speak this version of MQTT, or hung up on it without a word."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscriber asks for with every connection."""

    client_id: str
    filters: tuple[str, ...]
    receive_maximum: int
    clean: bool
    keep_alive_s: int
    session_expiry_s: int


class Connection(asyncio.Protocol):
    """Speaks one version of MQTT with one broker. `opened` ends with the handshake: did the broker know our session?

    Messages go to `deliver`, all those of a read in one call. `closed` ends with the reason, in words.
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
        self._loop, self._version, self._address, self._terms = loop, version, address, terms
        self._deliver = deliver
        self._parser = packets.Parser(version)
        self._transport: asyncio.Transport | None = None
        self._session_present = False
        self._welcome = False
        self._reason = "the broker hung up"
        self._held = self._coalescing = False
        self._unanswered = 0
        self._next_ping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast(asyncio.Transport, transport)
        plain = transport.get_extra_info("socket")
        if plain is not None:
            with suppress(OSError):
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        terms = self._terms
        self._transport.write(
            packets.connect(
                self._version,
                terms.client_id,
                user=self._address.user,
                password=self._address.password,
                clean=terms.clean,
                keep_alive_s=terms.keep_alive_s,
                receive_maximum=terms.receive_maximum,
                session_expiry_s=terms.session_expiry_s,
            )
        )

    def data_received(self, data: bytes) -> None:
        """Hand over the messages of one read."""
        self._unanswered = 0
        try:
            arrivals = self._parser.feed(data)
            for control in arrivals.controls:
                self._obey(control)
        except packets.Malformed as error:
            self.abort(f"the broker's bytes are no MQTT: {error}")
            return
        if arrivals.payloads and not self._closing:
            self._coalescing = True
            self._pace()
            self._loop.call_later(COALESCE_S, self._end_of_coalescing)
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

    def acknowledge(self, packet_ids: Sequence[bytes]) -> None:
        """Tell the broker in one write that these messages have their fate; does nothing on a lost connection."""
        if packet_ids and not self._closing and self._transport is not None:
            self._transport.write(packets.acknowledge(packet_ids))

    def hold(self, held: bool) -> None:
        """Read no further while held: the broker then waits."""
        self._held = held
        self._pace()

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
            case packets.Farewell(code):
                self.abort(f"the broker ended the session (reason {code:#04x})")
            case packets.Pong():
                pass

    def _greeted(self, answer: packets.ConnAck) -> None:
        if answer.code and not self.opened.done():
            words = f"the broker refuses the connection (code {answer.code:#04x})"
            lost = VersionRefused if answer.code in _OTHER_VERSION and self._version == 5 else Lost
            self.opened.set_exception(lost(words))
        if answer.code or self._transport is None:
            self.abort("the broker refuses the connection")
            return
        self._welcome = True
        self._session_present = answer.session_present
        self._transport.write(packets.subscribe(self._version, _SUBSCRIPTION, self._terms.filters))
        keep_alive_s = self._terms.keep_alive_s if answer.keep_alive_s is None else answer.keep_alive_s
        if keep_alive_s:
            self._next_ping = self._loop.call_later(keep_alive_s / 2, self._ping, keep_alive_s / 2)

    def _subscribed(self, answer: packets.SubAck) -> None:
        refused = [name for name, code in zip(self._terms.filters, answer.codes, strict=False) if code >= _REFUSED_CODE]
        if refused or len(answer.codes) != len(self._terms.filters):
            words = f"the broker refuses the subscription {', '.join(refused)}"
            if not self.opened.done():
                self.opened.set_exception(Lost(words))
            self.abort(words)
        elif not self.opened.done():
            self.opened.set_result(self._session_present)

    def _ping(self, interval_s: float) -> None:
        if self._held:
            self._unanswered = 0
        if self._unanswered >= 2:
            self.abort("the broker fell silent")
        elif self._transport is not None and not self._closing:
            self._unanswered += 1
            self._transport.write(packets.PING)
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
) -> Connection:
    """A connection whose subscription stands.

    Raises:
        VersionRefused: another version may succeed.
        Lost: the broker cannot be reached, or says no.
    """
    connection: Connection | None = None
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(version, address, terms, deliver), address.host, address.port, ssl=address.tls
            )
            await connection.opened
            return connection
    except TimeoutError:
        reason = f"no answer within {HANDSHAKE_S:.0f} s"
    except OSError as error:
        reason = str(error)
    except BaseException:
        if connection is not None:
            connection.abort("the handshake failed")
        raise
    if connection is not None:
        connection.abort(reason)
    raise Lost(reason)
