"""Whatever a network server's broker sends, its module says what it is or refuses it with a sentence."""

import contextlib
import json
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from gateway import notes, sparkplug_wire
from gateway.chirpstack import ChirpStack
from gateway.events import Misspoken, Server
from gateway.figures import FATES
from gateway.models import Models
from gateway.sparkplug import Sparkplug
from gateway.the_things_stack import TheThingsStack
from gateway.uplink import Translator

EUI = "a81758fffe0304aa"
CHIRPSTACK = [f"application/7/device/{EUI}/event/{event}" for event in ("up", "join", "status", "ack", "txack", "log")]
STACK = [f"v3/app@ttn/devices/d/{leaf}" for leaf in ("up", "join", "down/queued", "down/ack", "down/failed")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
UP = {
    "deviceInfo": {"devEui": EUI, "deviceProfileName": "bosch/tps110", "tags": {"a": "b"}},
    "time": "2026-09-21T13:33:20Z",
    "fCnt": 1,
    "fPort": 1,
    "data": "AQ==",
    "margin": 1,
    "batteryLevel": 2.5,
    "queueItemId": "x",
    "acknowledged": True,
    "code": "EXPIRED",
    "context": {"queue_item_id": "x"},
}
SAID = {
    "end_device_ids": {"device_id": "d", "dev_eui": EUI},
    "uplink_message": {"f_port": 1, "f_cnt": 1, "frm_payload": "AQ==", "received_at": "2026-09-21T13:33:20Z"},
    "join_accept": {},
    "downlink_queued": {"correlation_ids": ["lamplighter:x"]},
    "downlink_ack": {"correlation_ids": ["lamplighter:x"]},
    "downlink_failed": {"downlink": {"correlation_ids": ["lamplighter:x"]}, "error": {"name": "x"}},
}


def bent(body: dict[str, Any], names: list[str], value: Any) -> bytes:
    """The body with the member that these names lead to, as far as there is one, in another form."""
    copy = json.loads(json.dumps(body))
    at = copy
    for name in names[:-1]:
        at = at[name] if isinstance(at.get(name), dict) else at
    at[names[-1]] = value
    return json.dumps(copy).encode()


def tried(server: Server, topic: str, payload: bytes) -> None:
    translator = Translator("network", Models(), {})
    with contextlib.suppress(Misspoken):
        for event in server.hear(topic, payload, 1).events:
            for message in translator.take(event, 1).messages:
                msgspec.json.decode(message.payload)


def places(body: dict[str, Any]) -> st.SearchStrategy[list[str]]:
    paths = [[name] for name in body]
    paths += [[name, inner] for name, value in body.items() if isinstance(value, dict) for inner in value]
    return st.sampled_from(paths)


@hypothesis.given(st.sampled_from(CHIRPSTACK), places(UP), JSON)
def test_chirpstack(topic: str, names: list[str], value: Any) -> None:
    tried(ChirpStack(), topic, bent(UP, names, value))


@hypothesis.given(st.sampled_from(STACK), places(SAID), JSON)
def test_the_things_stack(topic: str, names: list[str], value: Any) -> None:
    tried(TheThingsStack(), topic, bent(SAID, names, value))


@hypothesis.given(
    st.sampled_from(CHIRPSTACK + STACK), st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode())
)
def test_any_bytes(topic: str, payload: bytes) -> None:
    tried(ChirpStack() if topic in CHIRPSTACK else TheThingsStack(), topic, payload)


@hypothesis.given(st.text(max_size=60))
def test_any_topic(topic: str) -> None:
    for server in (ChirpStack(), TheThingsStack(), Sparkplug()):
        tried(server, topic, b"{}")


@hypothesis.given(st.binary(max_size=80), st.sampled_from(["NBIRTH/n", "NDATA/n", "DDATA/n/d", "NDEATH/n"]))
def test_sparkplug(payload: bytes, what: str) -> None:
    tried(Sparkplug(), f"spBv1.0/g/{what}", payload)


@pytest.mark.parametrize("size", range(30))
def test_a_cut_sparkplug_payload_is_refused_or_read_as_far_as_it_goes(size: int) -> None:
    whole = sparkplug_wire.command("Node Control/Rebirth", 1_486_144_502_122)
    with contextlib.suppress(Misspoken):
        assert not sparkplug_wire.read(whole[:size]).metrics


def test_our_own_command_reads_as_it_was_written() -> None:
    (metric,) = sparkplug_wire.read(sparkplug_wire.command("Node Control/Rebirth", 1_486_144_502_122)).metrics
    assert (metric.name, metric.value, metric.timestamp_ms) == ("Node Control/Rebirth", True, 1_486_144_502_122)


@hypothesis.given(st.text(max_size=40), st.binary(max_size=40))
def test_a_note_that_is_none_is_passed_over(topic: str, payload: bytes) -> None:
    assert notes.read(topic, payload) is None
    assert notes.read("city/v1/platform/gateway/d/note", payload) is None or payload


def test_every_fate_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
    assert not [fate for fate in FATES if f"`{fate}`" not in page]
