"""A decoded batch, and how poison and culprits are taken out of it."""

import pytest

from bus import inbox, packets
from ingest.batch import Batch, Gatherer
from ingest.parcel import Packing, Parcel, condemn, only, pack, units
from ingest.presence import words_of
from storage.quarantining import TOPIC_LENGTH_MAX, storable
from telemetry.decoding import Decoder
from telemetry.kinds import KINDS
from telemetry.limits import PAYLOAD_BYTES_MAX, QUARANTINE_BYTES_MAX
from telemetry.refusals import Reason
from telemetry.registry import Asset, Installation, Registry

LAMP = b"city/v1/streetlight/L1/telemetry"
STATUS = b"city/v1/streetlight/L1/status"
REGISTRY = Registry.build(
    1,
    [],
    [Asset(7, "lamp", "streetlight", "", None, None, None, KINDS["streetlight"].wire.attributes())],
    [Installation("L1", "streetlight", 7)],
)


def read_of(*messages: tuple[bytes, bytes]) -> inbox.Batch:
    arrivals = packets.Arrivals(
        [topic for topic, _ in messages],
        [payload for _, payload in messages],
        bytearray([0x32]) * len(messages),
        [b""] * len(messages),
    )
    return inbox.Batch([inbox.Read(arrivals, 1_000_000, 0.0, None)])


def batch_of(*messages: tuple[bytes, bytes]) -> Batch:
    gatherer = Gatherer()
    gatherer.add(read_of(*messages))
    return gatherer.close()


def levels(parcel: Parcel) -> list[float]:
    return parcel.rows["streetlight"].columns.fields["level_pct"].tolist() if parcel.rows else []


def refusals(parcel: Parcel) -> list[tuple[tuple[int, int], Reason, bytes]]:
    return sorted((each.unit, each.reason, each.payload) for each in parcel.refused)


def test_rows_and_refusals_keep_their_place_in_the_batch() -> None:
    parcel = pack(batch_of((LAMP, b'{"level_pct": 1}'), (LAMP, b'[{"level_pct": 2}, {}]')), Decoder(REGISTRY))
    assert levels(parcel) == [1.0, 2.0]
    assert refusals(parcel) == [((1, 1), Reason.MISSING_FIELD, b"{}")]
    assert sorted(units(parcel)) == [(0, 0), (1, 0), (1, 1)]
    assert parcel.received == 3


def test_decoded_piece_by_piece_it_is_the_same_batch() -> None:
    messages = [
        (LAMP, b'{"level_pct": 1}'),
        (LAMP, b'[{"level_pct": 2}, {}]'),
        (STATUS, b'{"online": true}'),
        (LAMP, b"nonsense"),
        (LAMP, b'{"level_pct": 3}'),
    ]
    gatherer, packing = Gatherer(), Packing(lambda: Decoder(REGISTRY))
    for message in messages:
        gatherer.add(read_of(message))
        packing.decode(gatherer.batch)
        gatherer.cut()
    batch = gatherer.close()
    pieces, whole = packing.close(batch), pack(batch_of(*messages), Decoder(REGISTRY))
    assert levels(pieces) == levels(whole)
    assert refusals(pieces) == refusals(whole)
    assert sorted(units(pieces)) == sorted(units(whole))
    assert (pieces.received, len(pieces.words)) == (whole.received, 1)
    moments = pieces.rows["streetlight"].columns.observed_us
    assert len(set(moments.tolist())) == 3, "none had a time of its own"
    assert packing.waiting(gatherer.batch) == 0, "the next batch begins anew"


class Choking(Decoder):
    """A decoder with a mistake that nobody foresaw."""

    def _decode(self, topic_names, payloads, received):  # type: ignore[no-untyped-def]
        if any(b"poison" in payload for payload in payloads):
            raise ZeroDivisionError("nobody foresaw this")
        return super()._decode(topic_names, payloads, received)


def test_poison_does_not_stop_its_neighbours() -> None:
    batch = batch_of(
        (LAMP, b'{"level_pct": 1}'),
        (LAMP, b'[{"poison": 1}, {"level_pct": 2}]'),
        (LAMP, b"nonsense"),
        (LAMP, b'{"level_pct": 3}'),
    )
    parcel = pack(batch, Choking(REGISTRY))
    assert levels(parcel) == [1.0, 3.0]
    assert len(set(parcel.rows["streetlight"].columns.observed_us.tolist())) == 2, "none had a time of its own"
    assert parcel.rows["streetlight"].columns.message.tolist() == [0, 3]
    assert refusals(parcel) == [
        ((1, 0), Reason.UNDECODABLE, b'{"poison": 1}'),
        ((1, 1), Reason.UNDECODABLE, b'{"level_pct": 2}'),
        ((2, 0), Reason.MALFORMED_JSON, b"nonsense"),
    ]
    assert len(units(parcel)) == parcel.received


def test_a_culprit_is_condemned_alone() -> None:
    batch = batch_of((LAMP, b'[{"level_pct": 1}, {"level_pct": 2}]'), (LAMP, b'{"level_pct": 3}'))
    parcel = condemn(pack(batch, Decoder(REGISTRY)), batch, {(0, 1): "no twos"})
    assert levels(parcel) == [1.0, 3.0]
    assert refusals(parcel) == [((0, 1), Reason.OUT_OF_RANGE, b'{"level_pct": 2}')]
    assert "no twos" in parcel.refused[0].detail
    assert parcel.received == 3


def test_a_part_has_what_was_chosen_and_no_account() -> None:
    parcel = pack(batch_of((LAMP, b'[{"level_pct": 1}, {}]'), (LAMP, b'{"level_pct": 3}')), Decoder(REGISTRY))
    part = only(parcel, [(0, 1), (1, 0)])
    assert (levels(part), [each.unit for each in part.refused], part.received) == ([3.0], [(0, 1)], 0)


def test_what_is_too_large_is_cut_but_its_digest_is_of_the_whole() -> None:
    huge = b'{"a": "' + b"x" * PAYLOAD_BYTES_MAX + b'"}'
    (one, other) = pack(batch_of((LAMP, huge), (LAMP, huge + b" ")), Decoder(REGISTRY)).refused
    assert len(one.payload) == len(other.payload) == QUARANTINE_BYTES_MAX
    assert one.digest != other.digest


def test_endless_topics_stay_apart_and_fit_into_an_index() -> None:
    names = [b"city/v1/" + b"k" * 60_000 + end + b"/L1/telemetry" for end in (b"a", b"b")]
    (one, other) = pack(batch_of(*[(name, b"{}") for name in names]), Decoder(REGISTRY)).refused
    assert one.topic != other.topic
    assert len(one.topic) < TOPIC_LENGTH_MAX + 100


def test_endless_names_of_devices_fit_into_an_index() -> None:
    (one, other) = pack(
        batch_of(
            *[
                (b"city/v1/streetlight/" + name + b"/telemetry", b'{"level_pct": 1}')
                for name in (b"d" * 60_000, b"\xff\0")
            ]
        ),
        Decoder(REGISTRY),
    ).refused
    assert (one.reason, one.device, other.reason) == (Reason.UNKNOWN_DEVICE, "d" * 64 + "…", Reason.UNKNOWN_DEVICE)
    assert other.device == "\ufffd\\0"
    assert len(one.topic) < TOPIC_LENGTH_MAX + 100
    assert len(one.detail) < 200


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "grün", ""])
def test_any_text_can_be_stored(text: str) -> None:
    assert "\x00" not in storable(text)
    storable(text).encode()


def test_the_last_word_of_a_device_counts() -> None:
    batch = batch_of(
        (STATUS, b'{"online": true, "firmware": "1"}'),
        (STATUS, b'{"online": "yes"}'),
        (STATUS, b""),
        (b"city/v1/parking_bay/L1/status", b'{"online": false}'),
    )
    (word,), misspoken = words_of(batch.statuses)
    assert (word.device, word.online, word.firmware, misspoken) == ("L1", False, None, 1)
    assert batch.received == 0
