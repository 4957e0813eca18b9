"""Each payload of contract §1 and the reason that refuses it, through the decoder that ingest and rules share."""

import json

import pytest

from telemetry import topics
from telemetry.clock import HOUR_US
from telemetry.decoding import Decoded, Decoder
from telemetry.kinds.drain_level import DrainLevelAttributes
from telemetry.kinds.parking_bay import ParkingBayAttributes
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.observation import count_observations
from telemetry.registry import ALWAYS_US, EVER_US, Asset, Installation, Registry

NOW_US = 1_763_856_000_000_000
NOW_MS = NOW_US // 1000
SWAPPED_US = NOW_US - HOUR_US


def asset(number: int, kind: str, attributes: object) -> Asset:
    return Asset(number, f"asset-{number}", kind, "", None, None, None, attributes)  # type: ignore[arg-type]


REGISTRY = Registry.build(
    1,
    [],
    [
        asset(1, "streetlight", StreetLightAttributes()),
        asset(2, "drain_level", DrainLevelAttributes(sensor_height_m=3.0)),
        asset(3, "drain_level", DrainLevelAttributes()),
        asset(4, "parking_bay", ParkingBayAttributes()),
        asset(5, "streetlight", StreetLightAttributes()),
    ],
    [
        Installation("lamp", "streetlight", 1),
        Installation("drain", "drain_level", 2),
        Installation("bare", "drain_level", 3),
        Installation("bay", "parking_bay", 4),
        Installation("moved", "streetlight", 5, EVER_US, SWAPPED_US),
        Installation("moved", "streetlight", 1, SWAPPED_US, ALWAYS_US),
    ],
    devices=["spare"],
)


def decode(kind: str, device: str, payload: bytes) -> Decoded:
    return Decoder(REGISTRY).decode([topics.telemetry(kind, device).encode()], [payload], NOW_US)


@pytest.mark.parametrize(
    ("kind", "device", "payload", "reason"),
    [
        ("streetlight", "lamp", b'{"level_pct": 1, "x": "' + b"y" * 300_000 + b'"}', "too_large"),
        ("tram", "lamp", b'{"level_pct": 1}', "unknown_kind"),
        ("tram", "lamp", b"not json", "unknown_kind"),
        ("streetlight", "lamp", b"not json", "malformed_json"),
        ("streetlight", "lamp", b"", "malformed_json"),
        ("streetlight", "lamp", b'{"level_pct": NaN}', "malformed_json"),
        ("streetlight", "lamp", b'{"level_pct": 1} {"level_pct": 2}', "malformed_json"),
        ("streetlight", "lamp", b"[" * 100_000, "malformed_json"),
        # what follows a number too great for a double is looked at as well
        ("streetlight", "lamp", b'{"level_pct": 1e999, broken', "malformed_json"),
        ("streetlight", "lamp", b"1e999 x", "malformed_json"),
        ("streetlight", "lamp", b'{"level_pct": 1e999, "x": "\xff"}', "malformed_json"),
        ("streetlight", "lamp", b'{"level_pct": 1e999, "x": ' + b"[" * 100_000, "malformed_json"),
        ("streetlight", "lamp", b'{"level_pct": 1e999, "lux": NaN}', "malformed_json"),
        ("streetlight", "lamp", b"1e999", "not_an_object"),
        ("streetlight", "lamp", b'{"level_pct": 1e999, "ts": "\\ud800"}', "bad_timestamp"),
        ("streetlight", "lamp", json.dumps([{"level_pct": 1}] * 501).encode(), "too_many"),
        ("streetlight", "lamp", b"7", "not_an_object"),
        ("streetlight", "lamp", b'[{"level_pct": 1}, 7]', "not_an_object"),
        ("streetlight", "nobody", b'{"level_pct": 1}', "unknown_device"),
        ("streetlight", "nobody", b"[]", "unknown_device"),
        ("streetlight", "d" * 65, b'{"level_pct": 1}', "unknown_device"),
        ("streetlight", "a b", b'{"level_pct": 1}', "unknown_device"),
        ("streetlight", "", b'{"level_pct": 1}', "unknown_device"),
        ("tram", "d" * 65, b'{"level_pct": 1}', "unknown_kind"),
        ("streetlight", "spare", b'{"level_pct": 1}', "kind_mismatch"),
        ("drain_level", "lamp", b'{"level_m": 1}', "kind_mismatch"),
        ("streetlight", "lamp", b"[]", "missing_field"),
        ("streetlight", "lamp", b'{"power_w": 3}', "missing_field"),
        ("streetlight", "lamp", b'{"level_pct": null}', "missing_field"),
        ("drain_level", "bare", b'{"distance_m": 1.5}', "missing_field"),
        ("streetlight", "lamp", b'{"level_pct": "70"}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": true}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": 1, "motion": 2.5}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": 1, "seq": "7"}', "wrong_type"),
        ("parking_bay", "bay", b'{"occupied": 1}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": "2026-11-22T20:15:00"}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": "yesterday"}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": "2016-12-31T23:59:60Z"}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": true}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": 1.5}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": 99999999999999999999}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 1, "ts": %d}' % (NOW_MS + 300_001), "future_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 101}', "out_of_range"),
        ("streetlight", "lamp", b'{"level_pct": 1e999}', "out_of_range"),
        ("streetlight", "lamp", b'{"level_pct": 1, "seq": -1}', "out_of_range"),
        ("drain_level", "drain", b'{"distance_m": 29}', "out_of_range"),
        # the first of the contract's order wins where several match
        ("streetlight", "lamp", b'{"power_w": "x", "ts": "y"}', "missing_field"),
        ("drain_level", "bare", b'{"distance_m": "x", "ts": "y"}', "missing_field"),
        ("drain_level", "drain", b'{"distance_m": "x", "ts": "y"}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": "x", "ts": "y"}', "wrong_type"),
        ("streetlight", "lamp", b'{"level_pct": 999, "ts": "y"}', "bad_timestamp"),
        ("streetlight", "lamp", b'{"level_pct": 999, "ts": %d}' % (NOW_MS + 400_000), "future_timestamp"),
    ],
)
def test_refused_with_the_first_reason_of_the_order(kind: str, device: str, payload: bytes, reason: str) -> None:
    decoded = decode(kind, device, payload)
    assert [refused.refusal.reason for refused in decoded.refused] == [reason]
    assert all(len(columns) == 0 for columns in decoded.columns.values())


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (b" ", "the payload is empty"),
        (b"[", "the JSON ends before it is whole"),
        (b'{"level_pct": 1', "the JSON ends before it is whole"),
        (json.dumps([{"level_pct": 1}] * 501).encode(), "501 observations, at most 500"),
        (b'{"level_pct": 1, "ts": true}', "ts is a boolean, not RFC 3339 or integer milliseconds"),
        (b'{"level_pct": 1, "ts": 1.5}', "ts 1.5 is not integer milliseconds since 1970"),
        (b'{"level_pct": 1, "ts": -1}', "ts lies before 1970"),
        (b'{"level_pct": 1, "ts": "1969-12-31T23:59:59Z"}', "ts lies before 1970"),
        (b'{"level_pct": 1, "ts": 99999999999999999999}', "ts lies after the year 9999"),
        (b'{"level_pct": 1, "ts": 1e400}', "ts lies after the year 9999"),
        (b'{"level_pct": 1e400}', "level_pct is too large a number: outside 0 to 100 %"),
        (b'{"level_pct": 1, "temp_c": -1e400}', "temp_c is too large a number: outside -50 to 150 °C"),
        (b'{"level_pct": "\xff"}', "the payload is not UTF-8"),
        (b'[{"level_pct": 1}, {"x": "\xff"}]', "the payload is not UTF-8"),
    ],
)
def test_the_detail_speaks_of_what_was_sent_and_in_no_program_s_words(payload: bytes, detail: str) -> None:
    """It was "ts True is not integer", "Input data was truncated" for nothing, "501 observations" without a bound."""
    assert [refused.refusal.detail for refused in decode("streetlight", "lamp", payload).refused] == [detail]


@pytest.mark.parametrize(("device", "detail"), [("", "the topic names no device"), ("nobody", "device nobody is not")])
def test_who_is_unknown_is_named(device: str, detail: str) -> None:
    (refused,) = decode("streetlight", device, b'{"level_pct": 1}').refused
    assert refused.refusal.reason == "unknown_device"
    assert refused.refusal.detail.startswith(detail)


@pytest.mark.parametrize(
    ("payload", "observed_us"),
    [
        (b'{"level_pct": 70}', NOW_US),
        (b'{"level_pct": 70, "ts": null}', NOW_US),
        (b'{"level_pct": 70, "ts": 1000}', 1_000_000),
        (b'{"level_pct": 70, "ts": 1000.0}', 1_000_000),
        (b'{"level_pct": 70, "ts": %d}' % (NOW_MS + 300_000), NOW_US + 300_000_000),
        (b'{"level_pct": 70, "ts": "1970-01-01T01:00:01.000001+01:00"}', 1_000_001),
        (b'{"level_pct": 70, "ts": "1970-01-01T01:00:01+0100"}', 1_000_000),
        (b' {"level_pct": 70}\n', NOW_US),
    ],
)
def test_observation_is_placed_in_time(payload: bytes, observed_us: int) -> None:
    columns = decode("streetlight", "lamp", payload).columns["streetlight"]
    assert columns.observed_us.tolist() == [observed_us]
    assert columns.fields["level_pct"].tolist() == [70.0]


def test_an_integral_number_is_an_integer() -> None:
    columns = decode("streetlight", "lamp", b'{"level_pct": 1, "motion": 3.0, "seq": 4.0}').columns["streetlight"]
    assert (columns.fields["motion"][0], columns.seq[0]) == (3.0, 4)


def test_unknown_fields_are_ignored_and_counted() -> None:
    decoded = decode("streetlight", "lamp", b'{"level_pct": 1, "colour": "warm", "mood": 3}')
    assert (len(decoded.columns["streetlight"]), decoded.unknown_fields) == (1, 2)


def test_each_element_of_an_array_has_its_own_fate() -> None:
    decoded = decode("streetlight", "lamp", b'[{"level_pct": 1, "ts": 1}, {"level_pct": 900, "ts": 2}, {"lux": 3}]')
    assert decoded.columns["streetlight"].element.tolist() == [0]
    assert {refused.element: refused.refusal.reason for refused in decoded.refused} == {
        1: "out_of_range",
        2: "missing_field",
    }
    assert {refused.payload for refused in decoded.refused} == {b'{"level_pct": 900, "ts": 2}', b'{"lux": 3}'}


def test_level_follows_from_distance_and_the_registered_sensor_height() -> None:
    columns = decode("drain_level", "drain", b'{"distance_m": 1.25}').columns["drain_level"]
    assert (columns.fields["level_m"][0], columns.fields["distance_m"][0]) == (1.75, 1.25)


def test_a_given_level_wins_over_the_distance() -> None:
    columns = decode("drain_level", "drain", b'{"distance_m": 1.25, "level_m": 0.5}').columns["drain_level"]
    assert (columns.fields["level_m"][0], columns.fields["distance_m"][0]) == (0.5, 1.25)


def test_the_asset_is_the_one_served_at_the_time_of_the_observation() -> None:
    before = decode("streetlight", "moved", b'{"level_pct": 1, "ts": %d}' % (SWAPPED_US // 1000 - 1))
    after = decode("streetlight", "moved", b'{"level_pct": 1, "ts": %d}' % (SWAPPED_US // 1000))
    assert before.columns["streetlight"].asset_id.tolist() == [5]
    assert after.columns["streetlight"].asset_id.tolist() == [1]


@pytest.mark.parametrize("body", [b'"level_pct": 1', b'"level_pct": "x"', b'"rssi": 1', b'"temp_c": 9e9'])
def test_before_it_served_anything_a_device_says_nothing_right_or_wrong(body: bytes) -> None:
    registry = Registry.build(
        1, [], list(REGISTRY.assets.values()), [Installation("late", "streetlight", 1, SWAPPED_US, ALWAYS_US)]
    )
    topic = topics.telemetry("streetlight", "late").encode()
    payload = b'{"ts": %d, %b}' % (SWAPPED_US // 1000 - 1, body)
    decoded = Decoder(registry).decode([topic], [payload], NOW_US)
    assert [refused.refusal.reason for refused in decoded.refused] == ["kind_mismatch"]


def test_observations_without_time_in_one_batch_stay_distinct() -> None:
    topic = topics.telemetry("streetlight", "lamp").encode()
    decoded = Decoder(REGISTRY).decode([topic, topic], [b'{"level_pct": 1}', b'{"level_pct": 2}'], NOW_US)
    assert decoded.columns["streetlight"].observed_us.tolist() == [NOW_US, NOW_US + 1]
    assert decoded.columns["streetlight"].from_receipt.all()


def test_one_device_cannot_put_words_into_another_ones_mouth() -> None:
    """Joined decoding would let two half payloads swallow the message between them."""
    lamp = topics.telemetry("streetlight", "lamp").encode()
    victim = topics.telemetry("streetlight", "moved").encode()
    decoded = Decoder(REGISTRY).decode(
        [lamp, victim, lamp, lamp],
        [b'{"level_pct":1},{"level_pct":2}', b'{"level_pct":50}', b'{"level_pct":3,"x":[1', b"2]}"],
        NOW_US,
    )
    assert decoded.columns["streetlight"].fields["level_pct"].tolist() == [50.0]
    assert [refused.message for refused in decoded.refused] == [0, 2, 3]


@pytest.mark.parametrize(
    ("payload", "count"),
    [(b"{}", 1), (b"[{},{}]", 2), (b"[]", 1), (b"[1]", 1), (b"[{}", 1), (b"", 1), (b"[" + b"{}," * 500 + b"{}]", 1)],
)
def test_received_counts_elements_and_what_cannot_be_split_as_one(payload: bytes, count: int) -> None:
    assert count_observations(payload) == count
