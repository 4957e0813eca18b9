"""The parser takes a broker's stream apart however it arrives, and never fails but by name."""

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import packets
from bus.packets import Arrivals, ConnAck, Farewell, Malformed, Parser, Pong, SubAck, Version
from telemetry.limits import PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX

versions = st.sampled_from([4, 5])


@dataclass(frozen=True)
class Message:
    """A PUBLISH as a broker sends it; `packet_id` is None at QoS 0."""

    topic: bytes
    payload: bytes
    packet_id: bytes | None
    retained: bool = False
    redelivered: bool = False
    properties: bytes = b""

    @property
    def header(self) -> int:
        return 0x30 | self.retained | (0x02 if self.packet_id else 0) | (self.redelivered << 3)

    def encoded(self, version: Version) -> bytes:
        body = len(self.topic).to_bytes(2, "big") + self.topic + (self.packet_id or b"")
        if version == 5:
            body += packets.length(len(self.properties)) + self.properties
        body += self.payload
        return bytes([self.header]) + packets.length(len(body)) + body


messages = st.builds(
    Message,
    topic=st.binary(min_size=1, max_size=300),
    payload=st.one_of(st.binary(max_size=40), st.binary(min_size=100, max_size=20_000)),
    packet_id=st.none() | st.binary(min_size=2, max_size=2),
    retained=st.booleans(),
    redelivered=st.booleans(),
    properties=st.binary(max_size=300),
)
controls = st.sampled_from(
    [
        (Pong(), b"\xd0\x00", b"\xd0\x00"),
        (SubAck(b"\x01\x80"), b"\x90\x04\x00\x01\x01\x80", b"\x90\x05\x00\x01\x00\x01\x80"),
        (ConnAck(True, 0), b"\x20\x02\x01\x00", b"\x20\x03\x01\x00\x00"),
    ]
)


def fed(parser: Parser, pieces: list[bytes]) -> Arrivals:
    whole = Arrivals()
    for piece in pieces:
        arrivals = parser.feed(piece)
        for name in ("topics", "payloads", "headers", "packet_ids", "controls"):
            getattr(whole, name).extend(getattr(arrivals, name))
    return whole


@given(st.data(), versions, st.lists(messages | controls, max_size=12))
def test_any_split_of_the_stream_gives_the_same_packets(data: st.DataObject, version: Version, sent: list) -> None:
    sent = 2 * sent  # the second time the layouts of messages are known
    stream = b"".join(
        each.encoded(version) if isinstance(each, Message) else each[1 if version == 4 else 2] for each in sent
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = fed(Parser(version), pieces)
    expected = [each for each in sent if isinstance(each, Message)]
    assert found.topics == [each.topic for each in expected]
    assert found.payloads == [each.payload for each in expected]
    assert list(found.headers) == [each.header for each in expected]
    assert found.packet_ids == [each.packet_id or b"" for each in expected]
    assert found.controls == [each[0] for each in sent if not isinstance(each, Message)]


def test_a_stream_in_single_bytes_gives_the_same_packets() -> None:
    sent = [Message(b"city/v1/streetlight/L1/telemetry", b"x" * size, b"\x00\x07") for size in (0, 90, 200, 17_000)]
    stream = b"".join(each.encoded(5) for each in sent)
    found = fed(Parser(5), [stream[i : i + 1] for i in range(len(stream))])
    assert found.payloads == [each.payload for each in sent]


@pytest.mark.parametrize("layouts", [1, packets.LAYOUTS_MAX])
def test_messages_that_begin_alike_may_differ_in_their_properties(
    layouts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "LAYOUTS_MAX", layouts)
    plain = Message(b"city/v1/streetlight/L1/telemetry", b"0123456789", b"\x00\x07")
    shorter = Message(plain.topic, b"01234", b"\x00\x08", properties=b"\x02abcd")
    longer = Message(plain.topic, b"0123456789abcdef", b"\x00\x09")
    sent = [plain, longer, plain, shorter, shorter, plain, longer]
    assert len(plain.encoded(5)) == len(shorter.encoded(5))
    found = fed(Parser(5), [b"".join(each.encoded(5) for each in sent)])
    assert found.payloads == [each.payload for each in sent]
    assert found.packet_ids == [each.packet_id for each in sent]


@given(versions, st.lists(st.binary(max_size=60), max_size=6))
def test_garbage_raises_only_the_named_error(version: Version, pieces: list[bytes]) -> None:
    with suppress(Malformed):
        fed(Parser(version), pieces)


@given(versions, messages, st.data())
def test_a_damaged_message_raises_only_the_named_error(version: Version, sent: Message, data: st.DataObject) -> None:
    stream = bytearray(sent.encoded(version))
    place = data.draw(st.integers(0, min(len(stream), 20) - 1))
    stream[place] = data.draw(st.integers(0, 255))
    with suppress(Malformed):
        fed(Parser(version), [bytes(stream), Message(b"t", b"p", None).encoded(version)])


@pytest.mark.parametrize(
    ("version", "stream"),
    [
        (4, b"\x30\x02\x00\x05"),
        (4, b"\x30\x01\x00"),
        (4, b"\x34\x07\x00\x01t\x00\x01hi"),
        (4, b"\x32\x04\x00\x01t\x00"),
        (4, b"\x30\x04\x00\x00hi"),
        (4, b"\x30\xff\xff\xff\xff\x01"),
        (5, b"\x30\x04\x00\x01t\x09"),
        (5, b"\x30\x07\x00\x01t\xff\xff\xff\xff"),
        (4, b"\x82\x02\x00\x01"),
        (4, b"\x20\x00"),
        (4, b"\xe0\x00"),
        (5, b"\x20\x05\x00\x00\x02\x77\x00"),
        (5, b"\x20\x04\x00\x00\x09\x13"),
    ],
    ids=[
        "topic longer than the packet",
        "no room for the topic's length",
        "QoS 2",
        "packet id cut short",
        "no topic",
        "length of five bytes",
        "properties longer than the packet",
        "properties' length of five bytes",
        "a client's packet",
        "CONNACK without a code",
        "farewell in 3.1.1",
        "CONNACK with an unknown property",
        "CONNACK's properties cut short",
    ],
)
def test_what_is_no_mqtt_is_refused_with_a_reason(version: Version, stream: bytes) -> None:
    with pytest.raises(Malformed, match=r"."):
        fed(Parser(version), [stream])


def test_a_farewell_says_why() -> None:
    assert Parser(5).feed(b"\xe0\x02\x8e\x00").controls == [Farewell(0x8E)]


def test_the_brokers_keep_alive_is_read_from_among_other_properties() -> None:
    properties = b"\x21\x00\x14" + b"\x12\x00\x02id" + b"\x26\x00\x01a\x00\x01b" + b"\x13\x00\x3c" + b"\x2a\x01"
    body = b"\x00\x00" + bytes([len(properties)]) + properties
    assert Parser(5).feed(b"\x20" + bytes([len(body)]) + body).controls == [ConnAck(False, 0, 60)]


def test_a_refusal_in_the_older_form_is_understood_by_the_newer_version() -> None:
    assert Parser(5).feed(b"\x20\x02\x00\x01").controls == [ConnAck(False, 1)]


def test_acknowledgements_are_one_string_of_bytes() -> None:
    assert packets.acknowledge([b"\x00\x01", b"\xab\xcd"]) == b"\x40\x02\x00\x01\x40\x02\xab\xcd"


@given(st.integers(0, 268_435_455))
def test_lengths_read_back(value: int) -> None:
    encoded = packets.length(value)
    assert len(encoded) <= 4
    assert sum((byte & 0x7F) << (7 * i) for i, byte in enumerate(encoded)) == value


@given(st.lists(st.integers(0, 3 * PACKET_BYTES_MAX), max_size=4), versions)
@settings(max_examples=10)
def test_a_message_beyond_the_bound_arrives_cut_and_its_neighbours_whole(cuts: list[int], version: Version) -> None:
    huge = Message(b"city/v1/streetlight/L1/telemetry", b"0123456789" * (PACKET_BYTES_MAX // 5), b"\x00\x07")
    small = Message(b"t", b"p", b"\x00\x08")
    stream = small.encoded(version) + huge.encoded(version) + small.encoded(version)
    cuts = sorted(min(each, len(stream)) for each in cuts)
    found = fed(Parser(version), [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)])
    assert found.payloads[::2] == [b"p", b"p"]
    assert PAYLOAD_BYTES_MAX < len(found.payloads[1]) < PACKET_BYTES_MAX
    assert huge.payload.startswith(found.payloads[1])
    assert found.packet_ids == [b"\x00\x08", b"\x00\x07", b"\x00\x08"]


def test_properties_beyond_the_bound_do_not_make_the_stream_unreadable() -> None:
    """One message of a device, which the broker sent again after each loss, stopped the inbox for ever."""
    huge = Message(b"t", b"", b"\x00\x07", properties=b"\x26\x00\x01k\xff\xff" + b"v" * PACKET_BYTES_MAX)
    found = fed(Parser(5), [huge.encoded(5) + Message(b"t", b"p", b"\x00\x08").encoded(5)])
    assert found.packet_ids == [b"\x00\x07", b"\x00\x08"]
    assert PAYLOAD_BYTES_MAX < len(found.payloads[0]) < PACKET_BYTES_MAX
