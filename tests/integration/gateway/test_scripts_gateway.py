"""A maker's own codec at work: an uplink becomes an observation with units converted."""

import base64
import datetime as dt

from storage import codecs
from storage.codecs import StoredCodec
from telemetry import topics
from telemetry.clock import SECOND_US, to_rfc3339
from tests.integration.gateway.conftest import DRAIN, LAMP, Gateway, Town, now

SOURCE = """
function Decoder(bytes, port) {
    if (bytes[0] === 66) while (true);
    return {level: {value: bytes[0] * 256 + bytes[1]}, port: port};
}"""
MAPPING = """kind = "drain_level"
[observation]
distance_m = { from = "level.value", unit = "mm" }
"""


async def keep(town: Town, gateway: Gateway) -> None:
    at = dt.datetime(2026, 9, 21, tzinfo=dt.UTC)
    codec = StoredCodec("acme/gauge", SOURCE, "0" * 64, "https://acme.example", "MIT", MAPPING, False, at, "operator")
    await gateway.stop()
    await codecs.put(town.conn, codec)
    await gateway.start()


async def test_an_uplink_read_by_the_makers_codec_is_stored_in_our_units(town: Town, gateway: Gateway) -> None:
    await keep(town, gateway)
    for payload in (b"\x04\xd2", b"\x42\x00", b"\x04\xd3"):
        topic, body = town.frame(DRAIN, payload)
        await town.say(topic, body | {"deviceInfo": {"devEui": DRAIN, "deviceProfileName": "acme/gauge"}})
    await town.ledger(received=3, stored=2, quarantined=1)
    assert await town.rows("SELECT distance_m, level_m FROM drain_level ORDER BY distance_m") == [
        (1.234, 3.0 - 1.234),
        (1.235, 3.0 - 1.235),
    ]
    assert await town.rows("SELECT reason, detail FROM quarantine") == [
        ("undecodable", "the codec takes longer than 100 ms")
    ]


LAMP_SOURCE = """
function decodeUplink(input) { return {data: {level: input.bytes[0]}}; }
function encodeDownlink(input) { return {fPort: 9, bytes: [input.data.level, input.data.min]}; }"""
LAMP_MAPPING = """kind = "streetlight"
[observation]
level_pct = "data.level"
[downlink]
setpoint_pct = "data.level"
lease_s = { to = "data.min", unit = "min", whole = true }
"""


async def test_a_command_is_written_by_the_makers_codec_and_acknowledged_by_the_device(
    town: Town, gateway: Gateway
) -> None:
    at = dt.datetime(2026, 9, 21, tzinfo=dt.UTC)
    codec = StoredCodec("acme/lamp", LAMP_SOURCE, "0" * 64, "", "MIT", LAMP_MAPPING, False, at, "operator")
    await gateway.stop()
    await codecs.put(town.conn, codec)
    await gateway.start()
    topic, body = town.frame(LAMP, b"\x64")
    await town.say(topic, body | {"deviceInfo": {"devEui": LAMP, "deviceProfileName": "acme/lamp"}})
    await town.ledger(received=1, stored=1)
    name, ends_us = "0192f0c4-0000-5000-8000-000000000009", now() + 600 * SECOND_US
    command = {"id": name, "set": {"setpoint_pct": 40}, "expires_at": to_rfc3339(ends_us), "ts": to_rfc3339(now())}
    await town.say(topics.command("streetlight", LAMP), command | {"reason": "override"})
    [down] = await town.said(f"application/7/device/{LAMP}/command/down")
    assert (down["fPort"], base64.b64decode(down["data"])) == (9, bytes([40, 10]))
    await town.say(*town.event(LAMP, "ack", queueItemId=name, acknowledged=True))
    [answer] = await town.said(topics.ack("streetlight", LAMP))
    assert (answer["id"], answer["ok"]) == (name, True)
