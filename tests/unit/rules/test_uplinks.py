"""From messages to what a step takes."""

import msgspec

from rules.uplinks import read
from telemetry import topics
from telemetry.clock import SECOND_US, to_rfc3339
from telemetry.decoding import Decoder
from telemetry.kinds.drain_level import DrainLevelAttributes
from telemetry.kinds.streetlight import StreetLightAttributes
from telemetry.registry import Asset, Installation, Registry
from tests.parts.cities import NOON_US

ASSETS = [
    Asset(1, "lamp", "streetlight", "", None, None, None, StreetLightAttributes(), "L"),
    Asset(2, "drain", "drain_level", "", None, None, None, DrainLevelAttributes(), "D"),
]
DECODER = Decoder(
    Registry.build(1, [], ASSETS, [Installation("L", "streetlight", 1), Installation("D", "drain_level", 2)])
)


def message(topic: str, **body: object) -> tuple[bytes, bytes]:
    return topic.encode(), msgspec.json.encode(body)


def level(seconds: int, **fields: object) -> tuple[bytes, bytes]:
    return message(topics.telemetry("streetlight", "L"), ts=to_rfc3339(NOON_US + seconds * SECOND_US), **fields)


def test_observations_and_answers_keep_their_places() -> None:
    messages = [
        level(1, level_pct=10),
        message(topics.ack("streetlight", "L"), id="c", ok=True, applied={"setpoint_pct": 10}, error=None),
        level(2, level_pct=20),
        message(topics.telemetry("drain_level", "D"), ts=to_rfc3339(NOON_US), level_m=0.5),
    ]
    found = read(DECODER, *map(list, zip(*messages, strict=True)), NOON_US)  # type: ignore[arg-type]
    assert found.columns["streetlight"].message.tolist() == [0, 2]
    assert found.columns["drain_level"].message.tolist() == [3]
    assert [(ack.message, ack.device, ack.id, ack.ok) for ack in found.acks] == [(1, "L", "c", True)]
    assert found.observed_us == NOON_US + SECOND_US
    assert (found.observations, found.refused, found.misspoken) == (3, 0, 0)


def test_what_cannot_be_understood_is_counted_and_left() -> None:
    names = [topics.ack("streetlight", "L").encode()] * 3 + [topics.telemetry("streetlight", "stranger").encode()]
    found = read(DECODER, names, [b"", b'{"id": 7, "ok": true}', b"\xff", b'{"level_pct": 1}'], NOON_US)
    assert (found.acks, found.misspoken, found.refused, found.observed_us) == ([], 3, 1, None)


def test_no_messages_are_fine() -> None:
    assert read(DECODER, [], [], NOON_US).columns == {}
