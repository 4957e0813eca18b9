"""MQTT 3.1.1 and 5 packets, of each just what a subscriber needs; bytes in, bytes out, no I/O.

A `Parser` takes the stream in pieces of any size and returns all complete packets of a piece at once: the messages as
parallel lists, since one object a message would cost more than the parsing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Version = Literal[4, 5]
"""The protocol level on the wire: 4 is MQTT 3.1.1."""

RETAINED = 0x01
REDELIVERED = 0x08
"""Bits of a message's header."""

PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
_PUBACK = b"\x40\x02"
_KEEP_RETAINED_FROM_OLD_SUBSCRIPTIONS = 0x10
_LENGTH_BYTES_MAX = 4


class Malformed(Exception):
    """The broker's bytes are not MQTT as this subscriber asked for it; the message says where."""


@dataclass(frozen=True, slots=True)
class ConnAck:
    """The broker's answer to CONNECT. `code` 0 is yes; `keep_alive_s` is `None` where the broker leaves it to us."""

    session_present: bool
    code: int
    keep_alive_s: int | None = None


@dataclass(frozen=True, slots=True)
class SubAck:
    """The broker's answer to SUBSCRIBE; a code of 128 and above is a refusal, one a filter in their order."""

    packet_id: int
    codes: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The broker is alive."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """The broker ends the session (MQTT 5); `code` says why."""

    code: int


Control = ConnAck | SubAck | Pong | Farewell


@dataclass(slots=True)
class Arrivals:
    """The packets of one piece of the stream. All lists but `controls` have one entry a message, in order.

    A packet id is its two bytes as they stand on the wire, empty for a message of QoS 0.
    """

    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    packet_ids: list[bytes] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)


class Parser:
    """Takes a broker's bytes in pieces of any size."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = 0

    def feed(self, data: bytes) -> Arrivals:
        """The packets that are complete with this piece.

        Raises:
            Malformed: the stream cannot be understood any further.
        """
        if self._pieces:
            self._pieces.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return Arrivals()
            data = b"".join(self._pieces)
        arrivals = Arrivals()
        try:
            used, self._needed = _parse(data, self._version == 5, arrivals)
        except IndexError:
            raise Malformed("a packet ends before its header does") from None
        self._held = len(data) - used
        self._pieces = [data[used:]] if self._held else []
        return arrivals


def _parse(data: bytes, properties: bool, arrivals: Arrivals) -> tuple[int, int]:  # noqa: C901
    """Parse the complete packets; returns the bytes used, and how many an unfinished packet takes at least.

    This loop runs once a message and is written for speed: everything is inline, and one check at the end of a message
    covers all lengths inside it, since each of them only moves `at` forward.
    """
    add_topic, add_payload = arrivals.topics.append, arrivals.payloads.append
    add_header, add_packet_id = arrivals.headers.append, arrivals.packet_ids.append
    start, end = 0, len(data)
    while end - start >= 2:
        header, length, at = data[start], data[start + 1], start + 2
        if length & 0x80:
            if at < end and data[at] < 0x80:
                length = (length & 0x7F) | data[at] << 7
                at += 1
            else:
                length, at = _variable(data, start + 1)
                if at < 0:
                    return start, 0
        stop = at + length
        if stop > end:
            return start, stop - start
        if header & 0xF0 == 0x30:
            begin = at + 2
            at = begin + (data[at] << 8 | data[at + 1])
            topic = data[begin:at]
            quality = header & 0x06
            if quality == 0x02:
                packet_id = data[at : at + 2]
                at += 2
            elif quality:
                raise Malformed("a message of a quality that was not subscribed")
            else:
                packet_id = b""
            if properties:
                size = data[at]
                at += 1
                if size & 0x80:
                    size, at = _variable(data, at - 1)
                    if at < 0:
                        raise Malformed("a message's properties have no length")
                at += size
            if at > stop or not topic:
                raise Malformed("a message's topic or properties do not fit into it")
            add_topic(topic)
            add_payload(data[at:stop])
            add_header(header)
            add_packet_id(packet_id)
        else:
            arrivals.controls.append(_control(header, data[at:stop], properties))
        start = stop
    return start, 0


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and the place after it; the place is −1 if the data ends inside it."""
    value = 0
    for index, byte in enumerate(data[at : at + _LENGTH_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    if len(data) - at >= _LENGTH_BYTES_MAX:
        raise Malformed("a length has more than four bytes")
    return 0, -1


def _control(header: int, body: bytes, properties: bool) -> Control:
    """A packet that is no message."""
    if header == 0x20 and len(body) >= 2:
        keep_alive_s = _keep_alive(body[2:]) if properties and len(body) > 2 else None
        return ConnAck(bool(body[0] & 1), body[1], keep_alive_s)
    if header == 0x90 and len(body) >= 3:
        at = 2
        if properties:
            size, at = _variable(body, 2)
            at = at + size if at > 0 else len(body)
        return SubAck(body[0] << 8 | body[1], body[at:])
    if header == 0xD0 and not body:
        return Pong()
    if header == 0xE0 and properties:
        return Farewell(body[0] if body else 0)
    raise Malformed(f"a packet that no subscriber is sent, or that is cut short (header {header:#04x})")


_WIDTHS = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
_TEXTS = {0x12: 1, 0x15: 1, 0x16: 1, 0x1A: 1, 0x1C: 1, 0x1F: 1, 0x26: 2}
"""CONNACK's properties (MQTT 5, 3.2.2.3): bytes of a number, or how many texts."""


def _keep_alive(body: bytes) -> int | None:
    """The keep-alive that the broker demands in CONNACK's properties, in seconds; `None` if it does not."""
    size, at = _variable(body, 0)
    if at < 0 or at + size > len(body):
        raise Malformed("CONNACK's properties do not fit into it")
    stop, keep_alive_s = at + size, None
    while at < stop:
        name = body[at]
        at += 1
        if name in _WIDTHS:
            if name == 0x13:
                keep_alive_s = body[at] << 8 | body[at + 1]
            at += _WIDTHS[name]
        elif name in _TEXTS:
            for _ in range(_TEXTS[name]):
                at += 2 + (body[at] << 8 | body[at + 1])
        else:
            raise Malformed(f"CONNACK has no property {name:#04x}")
    return keep_alive_s


def connect(
    version: Version,
    client_id: str,
    *,
    user: str | None,
    password: str | None,
    clean: bool,
    keep_alive_s: int,
    receive_maximum: int,
    session_expiry_s: int,
) -> bytes:
    """CONNECT without a Will. Receive maximum and session expiry are said in MQTT 5 only; 3.1.1 knows neither."""
    flags = (0x02 if clean else 0) | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = _text("MQTT") + bytes([version, flags]) + keep_alive_s.to_bytes(2, "big")
    if version == 5:
        properties = b"\x21" + receive_maximum.to_bytes(2, "big")
        if not clean:
            properties += b"\x11" + session_expiry_s.to_bytes(4, "big")
        body += length(len(properties)) + properties
    body += _text(client_id)
    if user is not None:
        body += _text(user)
    if password is not None:
        body += _text(password)
    return b"\x10" + length(len(body)) + body


def subscribe(version: Version, packet_id: int, filters: Sequence[str]) -> bytes:
    """SUBSCRIBE at QoS 1. In MQTT 5 a subscription that stands already brings no retained messages again."""
    options = bytes([1 | (_KEEP_RETAINED_FROM_OLD_SUBSCRIPTIONS if version == 5 else 0)])
    body = packet_id.to_bytes(2, "big") + (b"\x00" if version == 5 else b"")
    body += b"".join(_text(each) + options for each in filters)
    return b"\x82" + length(len(body)) + body


def acknowledge(packet_ids: Sequence[bytes]) -> bytes:
    """PUBACK for each message; `packet_ids` holds no empty one."""
    return b"".join([_PUBACK + packet_id for packet_id in packet_ids])


def length(value: int) -> bytes:
    """A variable byte integer."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw
