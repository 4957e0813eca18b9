"""The compiled decoding of a batch says what `observation.read`, the definition, says of each observation alone."""

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import topics
from telemetry.clock import SECOND_US, to_datetime, to_us
from telemetry.columns import NO_SEQ
from telemetry.compiled import microseconds
from telemetry.decoding import Decoded, Decoder
from telemetry.kind import Kind, Property
from telemetry.kinds import KINDS
from telemetry.limits import FUTURE_S_MAX
from telemetry.observation import SEQ_OUT_OF_RANGE, count_observations, parse_object, read, split, unknown_fields
from telemetry.refusals import Reason, Refusal
from telemetry.registry import Asset, Installation, Registry
from telemetry.routes import STRANGE, Routes
from tests.parts.strategies import observations

NOW_US = 1_763_856_000_000_000
HEIGHT_M = 4.0
ASSETS = {name: number for number, name in enumerate(KINDS, start=1)}
REGISTRY = Registry.build(
    1,
    [],
    [
        Asset(number, name, name, "", None, None, None, KINDS[name].wire.attributes(**heights))
        for name, number in ASSETS.items()
        for heights in ({"sensor_height_m": HEIGHT_M} if name == "drain_level" else {},)
    ],
    [Installation(f"device-{name}", name, number) for name, number in ASSETS.items()],
)
Fate = tuple[Any, ...]
OFFSETS = ("Z", "+00:00", "-11:30", "+05:45", "+14:00", "")

numbers = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(-1e6, 1e6),
    st.sampled_from([0, -0.0, 3.0, 100, 100.00001, 1e300, 10**30, 10**400, -(10**400), 2**63, 2**63 - 1, 65_535.0]),
)
moments = st.one_of(
    st.integers(NOW_US // 1000 - 10**9, NOW_US // 1000 + 400_000),
    st.builds(lambda moment, offset: moment.isoformat() + offset, st.datetimes(), st.sampled_from(OFFSETS)),
    st.sampled_from(
        [
            "2025-11-22T20:15:00Z",
            "2025-11-22 20:15:00.123456789+05:30",
            "2025-11-22t20:15:00z",
            "2025-11-22T20:15:00",
            "2025-11-22T24:00:00Z",
            "2025-13-22T20:15:00Z",
            "1969-12-31T23:59:59Z",
            "0001-01-01T00:00:00+10:00",
            "9999-12-31T23:59:59-10:00",
            "",
            -1,
            0,
            1.763e12,
            1.5,
            253_402_300_799_999,
            253_402_300_800_000,
            True,
        ]
    ),
)
others = st.sampled_from([None, True, False, "1", "", [], {}, [1], {"a": 1}])
values = numbers | others


def texts(kind: Kind) -> st.SearchStrategy[bytes]:
    """JSON texts of objects that are nearly right: any value anywhere, names unknown or twice, odd spaces."""
    names = st.sampled_from([each.name for each in kind.properties])
    member = st.one_of(
        st.tuples(names, values),
        st.tuples(st.just("ts"), moments | values),
        st.tuples(st.just("seq"), st.integers(0, 10**6) | values),
        st.tuples(st.sampled_from(["colour", "ß", "level", "TS"]), values),
    )
    space = st.sampled_from(["", " ", "\n\t "])

    def text(members: list[tuple[str, Any]], gap: str) -> bytes:
        inside = f",{gap}".join(f"{json.dumps(name)}{gap}:{json.dumps(value)}" for name, value in members)
        return f"{{{gap}{inside}{gap}}}".encode()

    nearly = st.builds(text, st.lists(member, max_size=6), space)
    right = observations(kind).map(lambda fields: json.dumps(fields).encode())
    return nearly | right | right.flatmap(lambda good: st.integers(0, len(good)).map(lambda cut: good[:cut]))


def payloads(kind: Kind) -> st.SearchStrategy[bytes]:
    arrays = st.lists(texts(kind), max_size=4).map(lambda parts: b"[" + b",".join(parts) + b"]")
    return texts(kind) | arrays | st.binary(max_size=20)


uplinks = st.sampled_from(sorted(KINDS)).flatmap(lambda name: st.tuples(st.just(name), payloads(KINDS[name])))
batches = st.lists(uplinks, max_size=6)


def decode(batch: list[tuple[str, bytes]]) -> Decoded:
    names = [topics.telemetry(name, f"device-{name}").encode() for name, _ in batch]
    return Decoder(REGISTRY).decode(names, [payload for _, payload in batch], NOW_US)


def fates(decoded: Decoded) -> dict[tuple[int, int], Fate]:
    """What became of each observation, by the position of its uplink and in its array."""
    found: dict[tuple[int, int], Fate] = {}
    for name, columns in decoded.columns.items():
        for row in range(len(columns)):
            place = (int(columns.message[row]), int(columns.element[row]))
            assert place not in found
            fields = tuple(float(column[row]) for column in columns.fields.values())
            moment = None if columns.from_receipt[row] else int(columns.observed_us[row])
            found[place] = ("stored", name, int(columns.asset_id[row]), moment, int(columns.seq[row]), shown(fields))
    for refused in decoded.refused:
        place = (refused.message, refused.element)
        assert place not in found
        found[place] = ("refused", refused.refusal.reason, refused.payload)
    return found


def shown(fields: tuple[float, ...]) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in fields)


def expected(kind: Kind, payload: bytes) -> list[Fate]:
    """The fates of one uplink by the definition, an observation at a time."""
    parts = split(payload)
    if isinstance(parts, Refusal):
        return [("refused", parts.reason, payload)]
    return [expected_of_one(kind, text) for text in parts]


def expected_of_one(kind: Kind, text: bytes) -> Fate:
    raw = parse_object(text)
    observation = raw if isinstance(raw, Refusal) else read(kind, raw)
    if isinstance(observation, Refusal):
        return ("refused", observation.reason, text)
    given = {each.name: getattr(observation, each.name) for each in kind.properties}
    if "distance_m" in given and given["level_m"] is None and given["distance_m"] is not None:
        given["level_m"] = HEIGHT_M - given["distance_m"]
    moment = observation.ts if observation.ts is None else moment_us(observation.ts)
    reason = objection(kind, given, moment, observation.seq)
    if reason is not None:
        return ("refused", reason, text)
    fields = tuple(None if value is None else float(value) for value in given.values())
    seq = NO_SEQ if observation.seq is None else observation.seq
    return ("stored", kind.name, ASSETS[kind.name], moment, seq, fields)


def moment_us(moment: Any) -> int:
    return moment * 1000 if isinstance(moment, int) else to_us(moment)


def objection(kind: Kind, given: dict[str, Any], moment: int | None, seq: int | None) -> Reason | None:
    if moment is not None and moment < 0:
        return Reason.BAD_TIMESTAMP
    if moment is not None and moment > NOW_US + FUTURE_S_MAX * SECOND_US:
        return Reason.FUTURE_TIMESTAMP
    if seq == SEQ_OUT_OF_RANGE or any(outside(each, given[each.name]) for each in kind.properties):
        return Reason.OUT_OF_RANGE
    return None


def outside(each: Property, value: Any) -> bool:
    return value is not None and not (each.measure.low <= value <= each.measure.high and math.isfinite(float(value)))


@given(batches)
def test_a_batch_is_decoded_as_the_definition_reads_each_observation(batch: list[tuple[str, bytes]]) -> None:
    decoded = decode(batch)
    found = fates(decoded)
    for index, (name, payload) in enumerate(batch):
        mine = [found[place] for place in sorted(found) if place[0] == index]
        assert mine == expected(KINDS[name], payload)
    assert decoded.unknown_fields == sum(unknown(name, payload) for name, payload in batch)


def unknown(name: str, payload: bytes) -> int:
    parts = split(payload)
    raws = [] if isinstance(parts, Refusal) else [parse_object(text) for text in parts]
    return sum(unknown_fields(KINDS[name], raw) for raw in raws if isinstance(raw, dict))


@given(
    st.lists(st.sampled_from(sorted(KINDS)).flatmap(lambda name: st.tuples(st.just(name), observations(KINDS[name]))))
)
def test_what_a_device_says_well_is_kept_to_the_last_bit(said: list[tuple[str, dict[str, Any]]]) -> None:
    decoded = decode([(name, json.dumps(fields).encode()) for name, fields in said])
    assert not decoded.refused
    for name, columns in decoded.columns.items():
        for row, message in enumerate(columns.message.tolist()):
            fields = said[message][1]
            for each in KINDS[name].properties:
                if fields.get(each.name) is not None:
                    assert columns.fields[each.name][row] == fields[each.name]


def test_observations_without_time_get_their_uplinks_receipt_and_stay_distinct() -> None:
    names = [topics.telemetry("streetlight", "device-streetlight").encode()] * 4
    received_us = np.array([100, 100, 100, 5_000_000], dtype=np.int64)
    decoded = Decoder(REGISTRY).decode(names, [b'{"level_pct": 1}'] * 4, received_us)
    observed = decoded.columns["streetlight"].observed_us
    assert len(set(observed.tolist())) == 4
    assert (observed - received_us < 10).all()
    assert (np.diff(observed) > 0).all()


@pytest.mark.parametrize("zeros", [20, 308, 400, 5_000])
@pytest.mark.parametrize("name", ["level_pct", "motion", "seq"])
def test_a_number_of_any_length_is_out_of_range_and_no_more(name: str, zeros: int) -> None:
    payload = f'{{"level_pct": 1, "{name}": 1{"0" * zeros}}}'.encode()
    neighbour = ("streetlight", b'{"level_pct": 2, "lamp_fault": true}')
    decoded = decode([("streetlight", payload), neighbour])
    assert [refused.refusal.reason for refused in decoded.refused] == [Reason.OUT_OF_RANGE]
    assert decoded.columns["streetlight"].fields["lamp_fault"].tolist() == [1.0]


AWKWARD = (
    b"1e999",
    b"-1e999",
    b"9" * 400,
    b"9" * 5_000,
    b"NaN",
    b"Infinity",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b'"\\ud800"',
    b"\x00",
    b"\xef\xbb\xbf",
    b"[" * 3_000,
    b'{"a":' * 3_000,
    b" broken",
    b'"',
    b"}",
    b"]",
    b"{",
    b",",
)
"""What a parser stumbles over, alone or inside of what was valid."""


def marred(payload: bytes) -> st.SearchStrategy[bytes]:
    """The payload with pieces of it replaced by what is awkward, and perhaps without its end."""
    cuts = st.tuples(st.integers(0, len(payload)), st.integers(0, 6), st.sampled_from(AWKWARD))

    def mar(changes: list[tuple[int, int, bytes]], end: int) -> bytes:
        text = payload
        for start, length, piece in changes:
            text = text[:start] + piece + text[start + length :]
        return text[: len(text) - end]

    return st.builds(mar, st.lists(cuts, min_size=1, max_size=3), st.sampled_from([0, 0, 0, 1, 5]))


valued = st.sampled_from(AWKWARD).flatmap(
    lambda piece: st.sampled_from(
        [
            b'{"level_pct": %b}',
            b'{"level_pct": 1, "x": %b}',
            b'{"ts": %b}',
            b'[{"ts": "%b", "x": 1e999}]',
            b"%b",
            b"[%b]",
        ]
    ).map(lambda form: form % piece)
)
anything = st.one_of(
    st.binary(max_size=40),
    valued,
    valued.flatmap(marred),
    st.sampled_from(sorted(KINDS)).flatmap(lambda name: payloads(KINDS[name])).flatmap(marred),
)


@given(st.lists(st.tuples(st.sampled_from([*sorted(KINDS), "tram"]), anything), max_size=4))
def test_whatever_a_device_sends_has_its_fates_and_stops_nobody(batch: list[tuple[str, bytes]]) -> None:
    decoded = decode(batch)
    assert decoded.failure is None
    assert len(fates(decoded)) == sum(count_observations(payload) for _, payload in batch)


def test_many_refused_elements_are_taken_from_their_arrays_once(monkeypatch: pytest.MonkeyPatch) -> None:
    splits: list[bytes] = []

    def counted(payload: bytes) -> list[bytes] | Refusal:
        splits.append(payload)
        return split(payload)

    monkeypatch.setattr("telemetry.decoding.split", counted)
    payload = json.dumps([{"level_pct": 900 + number} for number in range(500)]).encode()
    decoded = decode([("streetlight", payload)] * 3)
    assert [json.loads(refused.payload)["level_pct"] for refused in decoded.refused] == list(range(900, 1400)) * 3
    assert len(splits) == 3


def test_one_that_is_not_plain_costs_its_neighbours_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[bytes] = []

    def counted(text: bytes) -> dict[str, Any] | Refusal:
        looked_at.append(text)
        return parse_object(text)

    monkeypatch.setattr("telemetry.decoding.parse_object", counted)
    plain = ("streetlight", b'{"level_pct": 2}')
    odd = [b'{"level_pct": 1, "rssi": -71}', b'{"level_pct": 1, ', b'{"level_pct": "1"}']
    array = ("streetlight", b"[" + b",".join([b'{"level_pct": 3}'] * 9) + b"]")
    batch = [plain, ("streetlight", odd[0]), plain, array, ("streetlight", odd[1]), ("streetlight", odd[2]), plain]
    decoded = decode(batch)
    assert looked_at == odd
    columns = decoded.columns["streetlight"]
    assert columns.fields["level_pct"].tolist() == [2, 1, 2, *[3] * 9, 2]
    assert columns.message.tolist() == [0, 1, 2, *[3] * 9, 6]
    assert columns.element.tolist() == [0, 0, 0, *range(9), 0]
    assert [refused.message for refused in decoded.refused] == [4, 5]


def routes_of(lamps: list[str]) -> Routes:
    """Each lamp serves the asset whose id is its place."""
    known = KINDS["streetlight"].wire.attributes()
    assets = [Asset(number, lamp, "streetlight", "", None, None, None, known) for number, lamp in enumerate(lamps)]
    served = [Installation(each.asset, each.kind, each.asset_id) for each in assets]
    return Routes(Registry.build(1, [], assets, served))


def told(routes: Routes, names: list[bytes]) -> list[int | None]:
    kinds, assets = routes.find(names)
    return [None if kind == STRANGE else int(asset) for kind, asset in zip(kinds, assets, strict=True)]


def test_topics_that_share_a_slot_keep_their_assets() -> None:
    routes = routes_of([f"lamp-{number}" for number in range(300)])
    lamps = [topics.telemetry("streetlight", f"lamp-{number}").encode() for number in range(300)]
    stranger = topics.telemetry("streetlight", "stranger").encode()
    for step in (1, -1, 3):
        asked = [*lamps, stranger][::step]
        assert told(routes, asked) == [*range(300), None][::step]


class Alike(bytes):
    """Bytes whose hash somebody has chosen."""

    def __hash__(self) -> int:
        return 7


def test_topics_of_the_same_hash_are_not_taken_for_each_other() -> None:
    """The hash alone was compared: who knew its key could write another's readings."""
    routes = routes_of(["lamp", "other"])
    lamp, other = (Alike(topics.telemetry("streetlight", name).encode()) for name in ("lamp", "other"))
    forged = Alike(b"city/v1/any-kind/forger/telemetry")
    for _ in range(2):
        assert told(routes, [lamp, forged, other, lamp, forged, other]) == [0, None, 1, 0, None, 1]


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
times = st.builds(
    lambda seconds, us, zone: to_datetime(seconds * SECOND_US + us).astimezone(zone),
    st.integers(-1_000, 2**32 + 1_000) | st.integers(-62_000_000_000, 253_000_000_000),
    st.sampled_from([0, 0, 1, 999_999]) | st.integers(0, 999_999),
    zones,
)


EDGES = [dt.datetime.fromisoformat(edge) for edge in ("0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00")]


@given(st.lists(times | st.sampled_from(EDGES) | st.integers(0, 253_402_300_799_999) | st.none(), max_size=40))
def test_times_of_a_batch_are_exact_to_the_microsecond(given: list[dt.datetime | int | None]) -> None:
    for chosen in (given, [each for each in given if isinstance(each, dt.datetime)]):
        moments_us, absent = microseconds(chosen)
        assert absent.tolist() == [each is None for each in chosen]
        assert moments_us.tolist() == [0 if each is None else moment_us(each) for each in chosen]
