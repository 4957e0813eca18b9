"""A maker's own codec at work: an uplink becomes an observation with units converted."""

import datetime as dt

from storage import codecs
from storage.codecs import StoredCodec
from tests.integration.gateway.conftest import DRAIN, Gateway, Town

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
