"""Kept uplinks, read anew by the models of today."""

import base64
import json

import pytest

from gateway.models import Models, Rule
from gateway.replaying import Retranslation
from telemetry import topics
from telemetry.registry import Registry

EUI = "a81758fffe0304aa"
TOPIC = f"application/7/device/{EUI}/event/up"
KEPT = json.dumps({
    "deviceInfo": {"devEui": EUI, "deviceProfileName": "street bays"},
    "time": "2026-09-21T13:33:20Z",
    "fPort": 1,
    "data": base64.b64encode(b"\x01").decode(),
}).encode()  # fmt: skip


async def test_an_uplink_becomes_the_observation_that_it_would_have_been_each_time_it_is_asked_for() -> None:
    mended = Retranslation(Models([Rule(profile="street bays", model="bosch/tps110")]), Registry())
    for _ in range(2):
        found = await mended.message(TOPIC, KEPT, 0)
        assert found is not None
        assert found[0] == topics.telemetry("parking_bay", EUI)
        assert json.loads(found[1])["ts"] == "2026-09-21T13:33:20Z"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPIC, KEPT),
        (TOPIC, b"{"),
        ("v3/a/devices/d/up", b"{}"),
        ("spBv1.0/g/NDATA/n", b""),
        ("city/v1/parking_bay/x/telemetry", b'{"occupied": true}'),
        ("", b""),
    ],
)
async def test_what_still_brings_none_stays_as_it_is(topic: str, payload: bytes) -> None:
    assert await Retranslation(Models(), Registry()).message(topic, payload, 0) is None
