"""MQTT 3.1.1 and 5 packets, of each just what our own connections need; bytes in, bytes out, no I/O.

A `Parser` takes the stream in pieces of any size and returns all complete packets of a piece at once: the messages as
parallel lists, since one object a message would cost more than the parsing.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from telemetry.limits import PACKET_BYTES_MAX

Version = Literal[4, 5]
"""The protocol level on the wire: 4 is MQTT 3.1.1."""

RETAINED = 0x01
REDELIVERED = 0x08
"""Bits of a message's header."""

PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
_PUBACK = b"\x40\x02"
_MESSAGE, _COMMON = 0x30, 0x32
_CONTROLS = frozenset({0x20, 0x40, 0x90, 0xB0, 0xD0, 0xE0})
"""Headers of what else a broker may send us: CONNACK, PUBACK, SUBACK, UNSUBACK, PINGRESP, DISCONNECT."""
_KEEP_RETAINED_FROM_OLD_SUBSCRIPTIONS = 0x10
_LENGTH_BYTES_MAX = 4
_HEAD_BYTES = 5
"""A message's header, length in one or two bytes, and the length of its topic lie within."""
LAYOUTS_MAX = 8_192
"""So many layouts of messages are remembered, in some 4 MiB; then they are learned anew."""
_CUT_BYTES = PACKET_BYTES_MAX - 1 - _LENGTH_BYTES_MAX
"""What is kept of a longer message, after its header and length."""


class Malformed(Exception):
    """The broker's bytes are not MQTT as we asked for it; the message says where."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, at QoS 1, if the session ends without a farewell."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class ConnAck:
    """The broker's answer to CONNECT. `code` 0 is yes; `keep_alive_s` is `None` where the broker leaves it to us."""

    session_present: bool
    code: int
    keep_alive_s: int | None = None


@dataclass(frozen=True, slots=True)
class SubAck:
    """The broker's answer to SUBSCRIBE; a code of 128 and above is a refusal, one a filter in their order."""

    codes: bytes


@dataclass(frozen=True, slots=True)
class UnsubAck:
    """The broker's answer to UNSUBSCRIBE: it sends what it has queued, and nothing new."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The broker is alive."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """The broker ends the session (MQTT 5); `code` says why."""

    code: int


Control = ConnAck | SubAck | UnsubAck | Pong | Farewell


@dataclass(slots=True)
class Arrivals:
    """The packets of one piece of the stream, in order; the first four have one entry a message.

    A header is a message's first byte. A packet id is its two bytes as they stand on the wire, empty for a message of
    QoS 0. `taken` are the packet ids of what we published and the broker now has. `size` is in bytes of the stream.
    """

    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    headers: bytearray = field(default_factory=bytearray)
    packet_ids: list[bytes] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    size: int = 0


_Layout = tuple[int, Callable[[bytes, int], tuple[bytes, bytes, int | bytes, bytes]]]
"""How many bytes a message has, and what takes it apart: topic, packet id, length of its properties, payload."""


class Parser:
    """Takes a broker's bytes in pieces of any size.

    A message longer than `PACKET_BYTES_MAX` arrives cut to it: its rest is read and dropped, so that memory is bounded
    and the message still has its fate, `too_large`. Telling the broker of a Maximum Packet Size (MQTT 5, 3.1.2.11.4)
    would bound memory too, but a broker drops what is larger and tells nobody; and closing the session would bring the
    same message again, for ever.
    """

    def __init__(self, version: Version) -> None:
        self._version = version
        self._layouts: dict[bytes, _Layout] = {}
        self._pieces: list[bytes] = []
        self._held = self._needed = self._beyond = 0

    def feed(self, data: bytes) -> Arrivals:
        """The packets that are complete with this piece.

        Raises:
            Malformed: the stream cannot be understood any further.
        """
        arrivals = Arrivals()
        if self._beyond:
            data, self._beyond = data[self._beyond :], max(0, self._beyond - len(data))
            if self._beyond:
                return arrivals
        if self._pieces:
            self._pieces.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return arrivals
            data = b"".join(self._pieces)
        try:
            self._take(data, arrivals)
        except IndexError:
            raise Malformed("a packet ends before its header does") from None
        return arrivals

    def _take(self, data: bytes, arrivals: Arrivals) -> None:
        used, total = self._parse(data, arrivals)
        while total > PACKET_BYTES_MAX and len(data) - used >= PACKET_BYTES_MAX:
            end = used + total
            data, self._beyond = _cut(data[used:], self._version == 5) + data[end:], max(0, end - len(data))
            used, total = (0, 0) if self._beyond else self._parse(data, arrivals)
        self._held, self._needed = len(data) - used, min(total, PACKET_BYTES_MAX)
        self._pieces = [data[used:]] if self._held else []

    def _parse(self, data: bytes, arrivals: Arrivals) -> tuple[int, int]:
        """Parse the complete packets; returns the bytes used, and how many the unfinished one has, 0 where unknown.

        This loop runs once a message and is written for speed: what a common message begins with says its layout, with
        which one call takes it apart. A layout is learned when it is first met.
        """
        add_topic, add_payload = arrivals.topics.append, arrivals.payloads.append
        add_header, add_packet_id = arrivals.headers.append, arrivals.packet_ids.append
        layout_of, start, end = self._layouts.get, 0, len(data)
        while start < end:
            layout = layout_of(data[start : start + _HEAD_BYTES])
            if layout is not None:
                size, take_apart = layout
                if start + size > end:
                    return start, size
                topic, packet_id, properties, payload = take_apart(data, start)
                if not properties:
                    add_topic(topic)
                    add_payload(payload)
                    add_header(_COMMON)
                    add_packet_id(packet_id)
                    start += size
                    continue
            stop, total = self._parse_any(data, start, arrivals)
            if stop == start:
                return start, total
            start = stop
        return start, 0

    def _parse_any(self, data: bytes, start: int, arrivals: Arrivals) -> tuple[int, int]:
        """Parse the packet of whatever kind at `start`; returns where it ends and its size.

        One that is unfinished ends where it begins, and so does a message over `PACKET_BYTES_MAX`.
        """
        header = data[start]
        size, body = _variable(data, start + 1)
        stop = body + size
        if body < 0:
            return start, _unfinished(header, 0)
        if stop > len(data) or stop - start > PACKET_BYTES_MAX:
            return start, _unfinished(header, stop - start)
        if header & 0xF0 != _MESSAGE:
            _control(header, data[body:stop], self._version == 5, arrivals)
            return stop, stop - start
        begin = body + 2
        at = begin + (data[body] << 8 | data[body + 1])
        _message(header, data, begin, at, stop, self._version == 5, arrivals)
        head = data[start : start + _HEAD_BYTES]
        if header == _COMMON and begin - start <= _HEAD_BYTES and head not in self._layouts:
            self._learn(head, begin - start, at - begin, stop - start)
        return stop, stop - start

    def _learn(self, head: bytes, begin: int, topic: int, total: int) -> None:
        """A message of `total` bytes with this head has a topic of so many from `begin` on."""
        no_properties = "B" if self._version == 5 else "0s"
        payload = total - begin - topic - struct.calcsize(f">2s{no_properties}")
        if len(self._layouts) >= LAYOUTS_MAX:
            self._layouts.clear()
        self._layouts[head] = total, struct.Struct(f">{begin}x{topic}s2s{no_properties}{payload}s").unpack_from


def _cut(packet: bytes, properties: bool) -> bytes:
    """A complete message from the beginning of a longer one; properties that go beyond it become payload."""
    _, at = _variable(packet, 1)
    body = packet[at : at + _CUT_BYTES]
    before = 2 + (body[0] << 8 | body[1]) + (packet[0] & 0x02)
    size, after = _variable(body, before) if properties else (0, before)
    if after + size > len(body):
        body = body[:before] + b"\x00" + body[after:]
    return packet[:1] + length(len(body)) + body


def _message(header: int, data: bytes, begin: int, at: int, stop: int, properties: bool, arrivals: Arrivals) -> None:
    """Take any message, whose topic is from `begin` to `at` and which ends at `stop`.

    One check at the end covers all lengths inside it, since each of them only moves `at` forward.
    """
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
        size, at = _variable(data, at)
        if at < 0:
            raise Malformed("a message's properties have no length")
        at += size
    if at > stop or not topic:
        raise Malformed("a message's topic or properties do not fit into it")
    arrivals.topics.append(topic)
    arrivals.payloads.append(data[at:stop])
    arrivals.headers.append(header)
    arrivals.packet_ids.append(packet_id)


def _unfinished(header: int, total: int) -> int:
    """The size of a packet that is not complete yet, if such a packet is worth waiting for."""
    if header & 0xF0 == _MESSAGE:
        return total
    if header not in _CONTROLS:
        raise Malformed(f"a packet that we are never sent (header {header:#04x})")
    if total > PACKET_BYTES_MAX:
        raise Malformed(f"a packet of {total} bytes that is no message")
    return total


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


def _control(header: int, body: bytes, properties: bool, arrivals: Arrivals) -> None:
    """Take a packet that is no message."""
    if header == 0x40 and len(body) >= 2:
        arrivals.taken.append(body[0] << 8 | body[1])
    elif header == 0x20 and len(body) >= 2:
        keep_alive_s = _keep_alive(body[2:]) if properties and len(body) > 2 else None
        arrivals.controls.append(ConnAck(bool(body[0] & 1), body[1], keep_alive_s))
    elif header == 0x90 and len(body) >= 3:
        at = 2
        if properties:
            size, at = _variable(body, 2)
            at = at + size if at > 0 else len(body)
        arrivals.controls.append(SubAck(body[at:]))
    elif header == 0xB0 and len(body) >= 2:
        arrivals.controls.append(UnsubAck())
    elif header == 0xD0 and not body:
        arrivals.controls.append(Pong())
    elif header == 0xE0 and properties:
        arrivals.controls.append(Farewell(body[0] if body else 0))
    else:
        raise Malformed(f"a packet that we are never sent, or that is cut short (header {header:#04x})")


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
    will: Will | None = None,
) -> bytes:
    """CONNECT. Receive maximum and session expiry are said in MQTT 5 only; 3.1.1 knows neither."""
    flags = (0x02 if clean else 0) | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    if will is not None:
        flags |= 0x0C | (0x20 if will.retain else 0)
    body = _text("MQTT") + bytes([version, flags]) + keep_alive_s.to_bytes(2, "big")
    if version == 5:
        properties = b"\x21" + receive_maximum.to_bytes(2, "big")
        if not clean:
            properties += b"\x11" + session_expiry_s.to_bytes(4, "big")
        body += length(len(properties)) + properties
    body += _text(client_id)
    if will is not None:
        body += (b"\x00" if version == 5 else b"") + _text(will.topic) + _binary(will.payload)
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


def unsubscribe(version: Version, packet_id: int, filters: Sequence[str]) -> bytes:
    """UNSUBSCRIBE."""
    body = packet_id.to_bytes(2, "big") + (b"\x00" if version == 5 else b"")
    body += b"".join(map(_text, filters))
    return b"\xa2" + length(len(body)) + body


def publish(topic: bytes, packet_id: int, payload: bytes, retain: bool) -> bytes:
    """PUBLISH of MQTT 3.1.1 at QoS 1, or with a `packet_id` of 0 at QoS 0."""
    number = packet_id.to_bytes(2, "big") if packet_id else b""
    size = length(len(topic) + 2 + len(number) + len(payload))
    head = bytes((0x30 | bool(packet_id) << 1 | retain,))
    return b"".join((head, size, len(topic).to_bytes(2, "big"), topic, number, payload))


def acknowledge(packet_ids: Sequence[bytes]) -> bytes:
    """PUBACK for each message; `packet_ids` holds at least one, and no empty one."""
    return _PUBACK + _PUBACK.join(packet_ids)


def length(value: int) -> bytes:
    """A variable byte integer."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _text(value: str) -> bytes:
    return _binary(value.encode())


def _binary(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw
