"""Makers' codecs beside the native ones: which there are, what a batch asks them, and which rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.codecs.codec import Downlink, Reading, Undecodable, Unencodable
from gateway.events import Route, Source
from gateway.models import BadModels, Models
from gateway.scripts import shelf as shelves
from gateway.scripts.shelf import COSTLY_MAX, Shelf, said

GAUGE = """function decodeUplink({bytes, recvTime}) {
    if (bytes[0] === 66) while (true);
    return {data: {distance: bytes[0] * 100, at: recvTime && recvTime.toISOString()}};
}"""
MAPPING = 'kind = "drain_level"\n[observation]\ndistance_m = { from = "data.distance", unit = "mm" }\n'


@dataclass(frozen=True)
class Kept:
    model: str = "acme/gauge"
    source: str = GAUGE
    mapping: str | None = MAPPING
    reused: bool = False


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    shelf = Shelf()
    assert await shelf.fill([Kept()]) == []
    yield shelf
    await shelf.close()


async def asked(shelf: Shelf, *payloads: bytes) -> list[object]:
    answers = await shelf.ask({("acme/gauge", 1, each): None for each in payloads})
    return [each.observation if isinstance(each, Reading) else str(each) for each in answers.values()]


async def test_a_kept_codec_reads_like_a_native_one_while_its_answers_are_at_hand(shelf: Shelf) -> None:
    codec = shelf.codec("acme/gauge")
    assert codec is not None
    assert (codec.kind, codec.fields) == ("drain_level", ("distance_m",))
    with shelf.holding(await shelf.ask({("acme/gauge", 1, b"\x0f"): None})):
        assert codec.decode(1, b"\x0f").observation == {"distance_m": 1.5}
        with pytest.raises(Undecodable, match="was not asked"):
            codec.decode(1, b"\x10")
    with pytest.raises(Undecodable, match="was not asked"):
        codec.decode(1, b"\x0f")


async def test_a_kept_codec_without_a_mapping_makes_no_observation_and_knows_when_it_was_received(shelf: Shelf) -> None:
    await shelf.fill([Kept(mapping=None)])
    (answer,) = (await shelf.ask({("acme/gauge", 1, b"\x0f"): 1_790_000_000_000})).values()
    assert isinstance(answer, Reading)
    assert answer.observation == {}
    assert answer.extra == {"output": {"data": {"distance": 1500, "at": "2026-09-21T14:13:20.000Z"}}}


async def test_a_codec_that_has_not_changed_keeps_its_process_and_another_goes(shelf: Shelf) -> None:
    before = shelf.codec("acme/gauge")
    await shelf.fill([Kept(), Kept("acme/other")])
    assert shelf.codec("acme/gauge") is before
    await shelf.fill([Kept(source=GAUGE + "// new")])
    assert shelf.codec("acme/gauge") is not before
    assert shelf.codec("acme/other") is None
    assert not shelf.keeps(before)


async def test_a_codec_that_is_replaced_while_it_is_asked_is_asked_anew(shelf: Shelf) -> None:
    asking = asyncio.create_task(asked(shelf, b"\x0f"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await shelf.fill([Kept(source=GAUGE.replace("100", "200"))])
    assert await asking == [{"distance_m": 3.0}]


async def test_a_mapping_that_is_wrong_by_now_leaves_the_others(shelf: Shelf) -> None:
    (complaint,) = await shelf.fill([Kept(mapping='kind = "weather"'), Kept("acme/other")])
    assert complaint.startswith("The mapping of acme/gauge cannot be used: Line 1: kind is 'weather'")
    assert shelf.codec("acme/gauge") is None
    assert shelf.codec("acme/other") is not None


async def test_a_codec_that_costs_too_much_again_and_again_rests(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "REST_S", 0.2)
    for number in range(COSTLY_MAX):
        assert await asked(shelf, bytes([66, number])) == ["the codec takes longer than 100 ms"]
    (words,) = await asked(shelf, b"\x0f")
    assert "rests for" in str(words)
    await asyncio.sleep(0.25)
    assert await asked(shelf, b"\x0f") == [{"distance_m": 1.5}]


async def test_costs_with_good_answers_between_are_no_reason_to_rest(shelf: Shelf) -> None:
    for number in range(COSTLY_MAX + 1):
        await asked(shelf, bytes([66, number]))
        assert await asked(shelf, b"\x0f") == [{"distance_m": 1.5}]


def source(tag: str) -> Source:
    return Source(names=("a",), route=Route("7", "a"), eui="a", tag=tag)


async def test_a_kept_codec_goes_before_ours_of_the_same_name(tmp_path: Path) -> None:
    models = Models()
    native = models.of(source("bosch/tps110"))
    await models.shelf.fill([Kept("bosch/tps110")])
    assert models.of(source("bosch/tps110")) is models.shelf.codec("bosch/tps110")
    await models.shelf.close()
    assert models.of(source("bosch/tps110")) is native


async def test_a_rule_names_a_kept_codec(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('[[device]]\neui = "a"\ncodec = "acme/gauge"\n')
    models = Models.read(file)
    assert models.of(source("")) is None
    await models.shelf.fill([Kept()])
    assert models.of(source("")) is models.shelf.codec("acme/gauge")
    await models.shelf.close()
    file.write_text('[[device]]\neui = "a"\ncodec = "acme/gauge"\nmodel = "bosch/tps110"\n')
    with pytest.raises(BadModels, match="not exactly one of"):
        Models.read(file)


LAMP = """function decodeUplink() { return {data: {}}; }
function encodeDownlink(input) {
    if (input.data.level === 66) while (true);
    return input.data.level > 100 ? {errors: ["too bright"]} : {fPort: 9, bytes: [input.data.level, input.data.min]};
}"""
LAMP_MAPPING = """kind = "streetlight"
[observation]
level_pct = "data.level"
[downlink]
setpoint_pct = "data.level"
lease_s = { to = "data.min", unit = "min", whole = true }
"""


async def test_a_kept_codec_writes_downlinks_like_a_native_one(shelf: Shelf) -> None:
    await shelf.fill([Kept("acme/lamp", LAMP, LAMP_MAPPING), Kept()])
    codec, wanted = shelf.codec("acme/lamp"), {"setpoint_pct": 40, "lease_s": 3600}
    assert codec is not None
    assert codec.encode is not None
    assert codec.downlinks == ("setpoint_pct", "lease_s")
    frames = await shelf.ask_wanted([("acme/lamp", said(wanted)), ("acme/gauge", said(wanted))])
    with shelf.holding(frames=frames):
        assert codec.encode(wanted) == Downlink(9, bytes([40, 60]))
        with pytest.raises(Unencodable, match="was not asked"):
            codec.encode({"setpoint_pct": 41})
    assert not shelf.writes("acme/gauge"), "its mapping has no downlink"
    [bright, hanging] = (
        await shelf.ask_wanted([("acme/lamp", said({"setpoint_pct": each})) for each in (101, 66)])
    ).values()
    assert str(bright) == "the codec says: too bright"
    assert str(hanging) == "the codec takes longer than 100 ms"


async def test_a_kept_codec_without_a_downlink_leaves_those_to_ours_of_the_same_name() -> None:
    models = Models()
    await models.shelf.fill([Kept("nas/ul20xx-1.1")])
    writer = models.writer("nas/ul20xx-1.1")
    assert writer is not None
    assert writer is not models.shelf.codec("nas/ul20xx-1.1")
    assert writer.encode is not None
    await models.shelf.close()
