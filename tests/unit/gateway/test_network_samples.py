"""Every published sample of network servers' messages (data/network_servers, never copied) is understood or refused."""

import base64
import json
from typing import Any

from gateway.chirpstack import ChirpStack
from gateway.events import Condition, Event, Joined, Misspoken, Nothing, Presence, Request, Server, Told, Uplink
from gateway.sparkplug import Sparkplug
from gateway.the_things_stack import TheThingsStack
from telemetry.refusals import Reason
from tests.parts.recordings import shared

LEAVES = {
    "uplink_message": "up",
    "join_accept": "join",
    "downlink_ack": "down/ack",
    "downlink_failed": "down/failed",
    "downlinks": "down/push",
}
Said = Event | Misspoken


def samples(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shared(f"network_servers/{name}.json").read_text())
    return found


def said(server: Server, topic: str, payload: bytes) -> Said:
    try:
        return server.hear(topic, payload, 0).events[0]
    except Misspoken as refusal:
        return refusal


def of_chirpstack(sample: dict[str, Any]) -> Said:
    body = sample["json"]
    eui = (body.get("deviceInfo") or body)["devEui"]
    topic = sample["mqtt_topic"].replace("{applicationId}", "a1").replace("{devEui}", eui)
    return said(ChirpStack(), topic, json.dumps(body).encode())


def test_chirpstack_4() -> None:
    events = {sample["event"]: of_chirpstack(sample) for sample in samples("chirpstack_v4_events")}
    up, ack, sent, status = events["up"], events["ack"], events["txack"], events["status"]
    assert isinstance(up, Uplink)
    assert (up.counter, up.port, up.data, up.session) == (0, 1, b"\xaa", "00189440"), "no fCnt is 0"
    assert up.at_us == 1_658_136_855_775_023
    assert isinstance(events["join"], Joined)
    assert isinstance(status, Condition)
    assert status.battery_pct == 88.3
    assert isinstance(ack, Told)
    assert (ack.state, ack.ids) == ("acknowledged", ("1bbcab1d-6ec6-4136-b3f5-d63be1dc08de",))
    assert isinstance(sent, Told)
    assert sent.state == "sent", "a gateway's acceptance is no delivery"
    for name in ("log", "location", "integration"):
        assert isinstance(events[name], Nothing)
    assert isinstance(events["command/down"], Misspoken), "our own message is no event"


def test_chirpstack_3_uplinks_are_understood_too() -> None:
    for sample in samples("chirpstack_v3_nas_streetlight"):
        body = sample["json"]
        eui = base64.b64decode(body["payload"]["devEUI"]).hex()
        for shape in (body, body["payload"]):
            up = said(ChirpStack(), f"application/430/device/{eui}/event/up", json.dumps(shape).encode())
            assert isinstance(up, Uplink)
            assert up.data == base64.b64decode(body["payload"]["data"])
            assert up.counter == body["payload"]["fCnt"]
            assert up.at_us is not None


def test_messages_of_radio_gateways_are_no_uplinks() -> None:
    for sample in samples("chirpstack_gateway"):
        payload = json.dumps(sample["json"]).encode()
        assert isinstance(said(ChirpStack(), "eu868/gateway/0016c001f153a14c/event/up", payload), Misspoken)
        assert isinstance(said(ChirpStack(), "application/1/device/0102030405060708/event/up", payload), Misspoken)


def of_the_things_stack(sample: dict[str, Any]) -> Said:
    body = sample["json"] if isinstance(sample["json"], dict) else {}
    device = body.get("end_device_ids", {}).get("device_id", "dev1")
    payload = sample.get("raw_text") or json.dumps(sample["json"])
    topic = f"v3/app1@ttn/devices/{device}/{LEAVES.get(sample.get('kind', ''), 'up')}"
    return said(TheThingsStack(), topic, payload.encode())


def test_the_things_stack() -> None:
    expected = {
        "uplink_message": (Uplink,),
        "join_accept": (Joined,),
        "downlink_ack": (Nothing,),  # somebody else's: no correlation id of ours
        "downlink_failed": (Nothing,),
        "downlinks": (Nothing,),
    }
    for sample in samples("tts_v3"):
        found = of_the_things_stack(sample)
        if sample.get("invalid_as_published"):
            assert isinstance(found, Misspoken), sample["name"]
            assert found.reason is Reason.MALFORMED_JSON
            assert "no JSON" in str(found)
        else:
            assert isinstance(found, expected.get(sample.get("kind", ""), (Misspoken,))), sample["name"]


def test_the_year_1_is_no_time() -> None:
    (sample,) = [each for each in samples("tts_v3") if each["name"] == "formatter uplink"]
    up = of_the_things_stack(sample)
    assert isinstance(up, Uplink)
    assert up.at_us is None
    assert (up.counter, up.port, up.data) == (42, 42, b"\x01\x02\x03")


def test_simulated_uplinks_are_marked() -> None:
    (sample,) = [each for each in samples("tts_v3") if each["name"] == "<b>See example output</b>"]
    for body in sample["json"]:
        up = said(TheThingsStack(), "v3/app1/devices/dev1/up", json.dumps(body).encode())
        assert isinstance(up, Uplink)
        assert up.simulated


def test_sparkplug() -> None:
    server = Sparkplug()
    for sample in samples("sparkplug_b"):
        if not sample["payload_hex"]:
            continue
        topic = sample["topic"] or "spBv1.0/group/NDATA/node"
        kind = topic.split("/")[2]
        found = said(server, topic, bytes.fromhex(sample["payload_hex"]))
        if kind.endswith("CMD"):
            assert isinstance(found, Misspoken)
        else:
            assert isinstance(found, Nothing | Presence | Request)
