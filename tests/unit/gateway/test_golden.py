"""Every codec against the vectors that were written from its data sheet."""

from typing import Any

import pytest

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec, Undecodable, Unencodable
from tests.unit.gateway.golden import GOLDEN, codecs, rows


def _named(row: Any) -> str:
    return row if isinstance(row, str) else f"{row.get('port')}:{row.get('hex', row.get('set'))}"


@pytest.mark.parametrize(("model", "row"), rows("uplink"), ids=_named)
def test_an_uplink_says_what_the_data_sheet_says(model: str, row: dict[str, Any]) -> None:
    codec, data = catalogue()[model], bytes.fromhex(row["hex"])
    if "refused" in row:
        with pytest.raises(Undecodable) as refusal:
            codec.decode(row["port"], data)
        assert row["refused"] in str(refusal.value)
    else:
        reading = codec.decode(row["port"], data)
        assert dict(reading.observation) == pytest.approx(row["observation"])
        assert {name: _rounded(value) for name, value in reading.extra.items()} == row["extra"]


@pytest.mark.parametrize(("model", "row"), rows("downlink"), ids=_named)
def test_a_downlink_is_encoded_and_read_back(model: str, row: dict[str, Any]) -> None:
    codec = catalogue()[model]
    assert codec.encode is not None
    if "refused" in row:
        with pytest.raises(Unencodable) as refusal:
            codec.encode(row["set"])
        assert row["refused"] in str(refusal.value)
    else:
        downlink = codec.encode(row["set"])
        assert (downlink.port, downlink.payload.hex()) == (row["port"], row["hex"])
        if codec.decode_downlink is not None:
            assert codec.decode_downlink(downlink.port, downlink.payload) == row.get("reads", row["set"])


@pytest.mark.parametrize(("model", "row"), rows("read"), ids=_named)
def test_bytes_that_are_no_downlink_are_refused(model: str, row: dict[str, Any]) -> None:
    codec = catalogue()[model]
    assert codec.decode_downlink is not None
    with pytest.raises(Undecodable) as refusal:
        codec.decode_downlink(row["port"], bytes.fromhex(row["hex"]))
    assert row["refused"] in str(refusal.value)


@pytest.mark.parametrize("codec", codecs(), ids=lambda codec: codec.models[0])
def test_the_vectors_of_a_codec_show_each_field_and_a_refusal(codec: Codec) -> None:
    mine = [row for model in codec.models for row in GOLDEN.get(model, ())]
    shown = {name for row in mine for name in row.get("observation", ())}
    assert shown == set(codec.fields)
    assert any("refused" in row for row in mine if "set" not in row)
    assert (codec.encode is None) == (not codec.downlinks)
    assert (codec.encode is None) == (not any("set" in row for row in mine))


def test_every_file_of_vectors_belongs_to_a_model() -> None:
    assert set(GOLDEN) <= set(catalogue())


def _rounded(value: Any) -> Any:
    """Without the last digits in which a quotient of binary fractions differs from the decimal."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return {name: _rounded(each) for name, each in value.items()} if isinstance(value, dict) else value
