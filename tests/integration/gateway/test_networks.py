"""Uplinks from a network server's broker to the database, and commands to devices and their answers back."""

import asyncio
import json
import time
from typing import Any

import pytest

from bus.inbox import Batch
from telemetry import topics
from telemetry.clock import SECOND_US, to_rfc3339
from tests.integration.gateway.conftest import BAY, DRAIN, LAMP, Gateway, Town, now
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually

STATUS = bytes.fromhex("018EB28266200047071A000201DEFE210000")
COMMAND_ID = "0192f0c4-0000-5000-8000-000000000001"


async def test_a_bays_uplink_is_stored_within_two_seconds(town: Town, gateway: Gateway) -> None:
    begun_s = time.monotonic()
    await town.up(BAY, b"\x01")
    await town.ledger(received=1, stored=1)
    assert time.monotonic() - begun_s < 2
    assert await town.rows("SELECT occupied, time_from_receipt FROM parking_bay") == [(True, False)]


async def test_what_cannot_be_read_is_one_received_and_one_quarantined(town: Town, gateway: Gateway) -> None:
    topic, body = town.frame(DRAIN, b"\x01")
    await town.say(topic, body)
    await town.say(topic, body)
    await town.up(BAY, b"\x07")
    await town.say(f"application/7/device/{BAY}/event/up", b"{nonsense")
    await town.say("application/7/device/0000000000000009/event/up", body | {"deviceInfo": {"devEui": "0" * 15 + "9"}})
    await town.ledger(received=5, quarantined=4, duplicate=1)
    reasons = sorted(row[0] for row in await town.rows("SELECT reason FROM quarantine"))
    assert reasons == ["malformed_json", "undecodable", "undecodable", "unknown_device"]


async def test_frames_sent_twice_simulated_or_of_no_reading_are_no_observations(town: Town, gateway: Gateway) -> None:
    topic, body = town.frame(BAY, b"\x01")
    await town.say(topic, body)
    await town.say(topic, body | {"deduplicationId": "another radio gateway"})
    simulated = {"uplink_message": {"f_port": 1, "frm_payload": "AQ=="}, "simulated": True}
    await town.say("v3/app@ttn/devices/x/up", simulated)
    await town.up(BAY, b"\x00")
    await town.ledger(received=2, stored=2)
    assert gateway.figures.totals["chirpstack", "duplicate"] == 1
    assert gateway.figures.totals["the_things_stack", "simulated"] == 1


async def test_an_uplink_of_the_things_stack_is_stored(town: Town, gateway: Gateway) -> None:
    message = {
        "received_at": to_rfc3339(now()),
        "session_key_id": "AXA=",
        "f_port": 1,
        "f_cnt": 4,
        "frm_payload": "AQ==",
        "version_ids": {"brand_id": "bosch", "model_id": "tps110"},
    }
    said = {"end_device_ids": {"device_id": "bay", "dev_eui": BAY.upper()}, "uplink_message": message}
    await town.say("v3/app@ttn/devices/bay/up", said)
    await town.ledger(received=1, stored=1)


async def test_ended_between_publishing_and_acknowledging_an_uplink_comes_again_as_a_duplicate(
    town: Town, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "ack", lambda batch: None)
        await town.up(BAY, b"\x01")
        await town.ledger(received=1, stored=1)
        await gateway.stop()
    await gateway.start()
    await town.ledger(received=2, stored=1, duplicate=1)


async def test_what_comes_while_the_gateway_is_away_is_stored_later(town: Town, gateway: Gateway) -> None:
    await gateway.stop()
    for number in range(20):
        await town.up(BAY, bytes([number % 2]))
    await gateway.start()
    await town.ledger(received=20, stored=20)


def command() -> dict[str, Any]:
    at_us = now()
    return {
        "id": COMMAND_ID,
        "ts": to_rfc3339(at_us),
        "set": {"setpoint_pct": 40},
        "expires_at": to_rfc3339(at_us + 3_600 * SECOND_US),
        "reason": "program",
    }


async def test_a_lamps_command_goes_down_and_its_acknowledgement_comes_back(town: Town, gateway: Gateway) -> None:
    await town.up(LAMP, STATUS, 23)
    await town.ledger(received=1, stored=1)
    await gateway.stop()
    await gateway.start()  # where its downlinks go is remembered by the broker
    await town.say(topics.command("streetlight", LAMP), command())
    (down,) = await town.said(f"application/7/device/{LAMP}/command/down")
    assert (down["id"], down["confirmed"], down["fPort"]) == (COMMAND_ID, True, 60)
    await town.say(*town.event(LAMP, "txack", queueItemId=COMMAND_ID))
    await asyncio.sleep(0.1)
    assert not town.heard[topics.ack("streetlight", LAMP)], "a radio gateway's acceptance is no delivery"
    await town.say(*town.event(LAMP, "ack", queueItemId=COMMAND_ID, acknowledged=True))
    (answer,) = await town.said(topics.ack("streetlight", LAMP))
    assert answer == {"id": COMMAND_ID, "ok": True, "applied": {"setpoint_pct": 40.0}, "error": None}


async def test_a_device_that_no_network_serves_is_left_to_hear_for_itself(town: Town, gateway: Gateway) -> None:
    await town.say(topics.command("streetlight", "native-lamp"), command())
    await town.up(BAY, b"\x01")
    await town.ledger(received=1, stored=1)
    assert not town.heard


async def test_a_killed_broker_is_waited_for(town: Town, gateway: Gateway, own_broker: BrokerPart) -> None:
    await town.up(BAY, b"\x01")
    await town.ledger(received=1, stored=1)
    await asyncio.to_thread(own_broker.restart)
    await town.up(BAY, b"\x00")
    await town.ledger(stored=2)
    assert json.dumps(gateway.figures.totals["chirpstack", "published"]) == "2"


def sparkplug(seq: int, *metrics: bytes) -> bytes:
    """A payload of this moment with metrics as they stand on the wire."""
    at_ms, moment = now() // 1_000, bytearray(b"\x08")
    while at_ms > 0x7F:
        moment.append(at_ms & 0x7F | 0x80)
        at_ms >>= 7
    moment.append(at_ms)
    return (
        bytes(moment) + b"".join(b"\x12" + bytes([len(metric)]) + metric for metric in metrics) + b"\x18" + bytes([seq])
    )


async def test_an_edge_nodes_level_is_stored_and_its_death_told(town: Town, gateway: Gateway) -> None:
    name, level = b"\x0a\x0cInputs/Level\x10\x07\x20\x03", b"\x50\xb0\x09"  # alias 7, Int32; 1200
    await town.say("spBv1.0/Drains/NBIRTH/pump 3", sparkplug(0))
    await town.say("spBv1.0/Drains/DBIRTH/pump 3/level", sparkplug(1, name + level))
    await asyncio.sleep(0.01)
    await town.say("spBv1.0/Drains/DDATA/pump 3/level", sparkplug(2, b"\x10\x07" + level))
    await town.ledger(received=2, stored=2)
    assert {row[0] for row in await town.rows("SELECT level_m FROM drain_level")} == {1.2}
    await town.say("spBv1.0/Drains/NDEATH/pump 3", sparkplug(0))

    async def gone() -> None:
        assert await town.rows("SELECT online FROM device WHERE device = 'PS3'") == [(False,)]

    await eventually(gone)
    await town.say("spBv1.0/Drains/DDATA/pump 3/level", sparkplug(9, b"\x10\x07" + level))
    (asked,) = await town.said("spBv1.0/Drains/NCMD/pump 3")
    assert asked is not None, "its aliases are forgotten, so a new birth is asked for"
    await town.ledger(received=3, quarantined=1)


async def test_a_radio_gateway_that_goes_away_takes_its_devices_with_it(town: Town, gateway: Gateway) -> None:
    """Statistics in Protocol Buffers, the connection's word in JSON; the bay was heard by this gateway alone."""
    roof = "0016c001f153a14c"
    topic, body = town.frame(BAY, b"\x01")
    await town.say(topic, body | {"rxInfo": [{"gatewayId": roof, "rssi": -80}]})
    await town.say(f"eu868/gateway/{roof}/event/stats", b"\x08\x01")
    await town.said(topics.radio_gateway(roof))
    await town.say(f"eu868/gateway/{roof}/state/conn", {"gatewayId": roof, "state": "OFFLINE"})
    [online, out] = await town.said(topics.radio_gateway(roof), 2)
    assert (online["online"], out["online"], out["devices"]) == (True, False, [BAY.upper()])
    assert out["network"] == "chirpstack"
