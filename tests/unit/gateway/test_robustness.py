"""Whatever bytes and ports come: a reading or a refusal from every codec of the catalogue, and nothing else."""

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.answers import answered, encoded, read_back
from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec
from telemetry.kinds import KINDS
from tests.unit.gateway.golden import codecs, rows, uplinks_of
from tests.unit.gateway.promises import keep, kinds_of

PORTS = st.none() | st.integers(1, 20) | st.integers(-1, 256)
ODD: list[Any] = [
    *[None, True, -1, 0, 1, 3, 100, 1 << 40, 0.5, 1e300, math.nan, math.inf, "", "on", "x" * 300],
    *[[], [1], [None] * 300, {}, {"": None}, {"data": {"data": {}}}, [{"address": []}]],
]
"""Values that nobody should send, for any setting."""
every_codec = pytest.mark.parametrize("codec", codecs(), ids=lambda codec: codec.models[0])
quick = settings(max_examples=60, deadline=None, database=None)


@quick
@given(port=PORTS, data=st.binary(max_size=300))
def test_any_bytes_on_any_port(port: int | None, data: bytes) -> None:
    for codec in codecs():
        keep(codec, port, data)
        answer = read_back(codec, port, data)
        assert "refused" in answer or "input" in answer


@every_codec
def test_any_bytes_of_the_lengths_and_on_the_ports_of_its_vectors(codec: Codec) -> None:
    chance = random.Random(1)
    for port, sample in uplinks_of(codec):
        for _ in range(8):
            keep(codec, port, chance.randbytes(len(sample)))
            keep(codec, port, sample + chance.randbytes(chance.randrange(1, 12)))


@every_codec
def test_every_cut_and_every_flipped_bit_of_its_vectors(codec: Codec) -> None:
    for port, sample in uplinks_of(codec):
        for length in range(len(sample)):
            keep(codec, port, sample[:length])
        for bit in range(8 * len(sample)):
            flipped = bytearray(sample)
            flipped[bit // 8] ^= 1 << bit % 8
            keep(codec, port, bytes(flipped))


@pytest.mark.parametrize("codec", [each for each in codecs() if each.encode], ids=lambda codec: codec.models[0])
def test_any_settings_are_encoded_or_refused(codec: Codec) -> None:
    golden = [row["set"] for model, row in rows("downlink") if model in codec.models]
    wanted: list[dict[str, Any]] = [{}, *({name: odd} for name in (*codec.downlinks, "data", "") for odd in ODD)]
    wanted += [{**each, name: odd} for each in golden for name in each for odd in ODD]
    wanted += [{other: each[other] for other in each if other != name} for each in golden for name in each]
    for each in wanted:
        answer = encoded(codec, each)
        if "refused" in answer:
            assert answer["refused"] == "unencodable"
        else:
            port, payload = answer["port"], answer["bytes_hex"]
            assert isinstance(port, int)
            assert 1 <= port <= 223
            assert isinstance(payload, str)
            assert len(payload) <= 2 * 242


@quick
@given(line=st.binary() | st.dictionaries(st.sampled_from(["model", "kind", "fport", "bytes_hex", "input"]), st.text()))
def test_any_line_of_a_batch(line: bytes | dict[str, str]) -> None:
    assert "refused" in answered(line if isinstance(line, bytes) else json.dumps(line).encode())


@every_codec
def test_a_codec_describes_itself(codec: Codec) -> None:
    assert codec.words
    assert codec.kind is None or codec.kind in KINDS
    assert set(codec.fields) <= {each.name for kind in kinds_of(codec) for each in KINDS[kind].properties}
    for model in codec.models:
        assert model == model.lower()
        assert model.count("/") == 1
        assert catalogue()[model] is codec
