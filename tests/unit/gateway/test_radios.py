"""Which radio gateways are out, and which devices nobody can hear meanwhile."""

import json

import pytest

from gateway.chirpstack import ChirpStack
from gateway.events import Message, Misspoken, Radio
from gateway.radios import AGAIN_S, STATISTICS_MIN, UPLINKS_LOOKED_AT, Radios
from telemetry import radio, topics
from telemetry.clock import HOUR_US, MINUTE_US, SECOND_US, to_rfc3339
from telemetry.radio import RadioWord

START_US = 1_790_000_000_000_000
GW, OTHER = "0016c001f153a14c", "0016c001f153a14d"
PROTOBUF_ONLINE = bytes.fromhex("10011a10") + GW.encode()


def said(messages: list[Message]) -> dict[str, RadioWord]:
    found = {}
    for each in messages:
        name, word = topics.parse_radio_gateway(each.topic), radio.decode(each.payload)
        assert name is not None
        assert word is not None
        assert each.retain
        found[name] = word
    return found


class Air:
    """Two radio gateways with statistics every 30 s, as long as they are on."""

    def __init__(self) -> None:
        self.radios = Radios()
        self.now_us = START_US
        self.words: dict[str, RadioWord] = {}

    def run(self, seconds: float, *on: str) -> None:
        for _ in range(round(seconds / 30)):
            self.now_us += 30 * SECOND_US
            for gateway in on:
                self.radios.told("chirpstack", gateway, None, self.now_us)
            self.words |= said(list(self.radios.words(self.now_us)))

    def up(self, device: str, *gateways: str) -> None:
        self.radios.brought("chirpstack", device, gateways, self.now_us)


@pytest.fixture
def air() -> Air:
    air = Air()
    air.run(30 * (STATISTICS_MIN + 1), GW, OTHER)
    air.up("lamp-1", GW)
    air.up("lamp-2", GW)
    air.up("lamp-3", GW, OTHER)
    return air


def test_three_missed_statistics_are_an_outage_with_the_devices_that_only_it_hears(air: Air) -> None:
    out_us = air.now_us
    air.run(90, OTHER)
    assert air.words[GW].online
    air.run(30, OTHER)
    assert (air.words[GW].online, air.words[GW].devices) == (False, ["lamp-1", "lamp-2"])
    assert air.words[GW].since == to_rfc3339(out_us)
    assert air.words[OTHER].online


def test_a_device_that_two_hear_is_dark_when_both_are_out(air: Air) -> None:
    air.run(120, OTHER)
    air.run(150)
    assert air.words[OTHER].devices == ["lamp-3"]
    assert air.words[GW].devices == ["lamp-1", "lamp-2"]


def test_it_is_back_with_its_next_word(air: Air) -> None:
    air.run(120, OTHER)
    air.run(30, GW, OTHER)
    assert (air.words[GW].online, air.words[GW].devices) == (True, [])


def test_a_device_that_another_hears_meanwhile_is_dark_no_more(air: Air) -> None:
    air.run(120, OTHER)
    air.up("lamp-1", OTHER)
    air.run(AGAIN_S + 30, OTHER)
    assert air.words[GW].devices == ["lamp-2"]


def test_who_brought_nothing_of_a_device_lately_does_not_hear_it(air: Air) -> None:
    for _ in range(UPLINKS_LOOKED_AT):
        air.up("lamp-3", GW)
    air.run(120, OTHER)
    assert air.words[GW].devices == ["lamp-1", "lamp-2", "lamp-3"]


def test_the_network_servers_word_counts_at_once(air: Air) -> None:
    air.radios.told("chirpstack", GW, False, air.now_us)
    [word] = said(list(air.radios.words(air.now_us))).values()
    assert not word.online


def test_a_gateway_that_was_never_heard_is_not_missed(air: Air) -> None:
    air.radios.told("chirpstack", "00000000000000aa", False, air.now_us)
    assert list(air.radios.words(air.now_us)) == []


def test_while_we_cannot_hear_the_network_server_nobody_is_out(air: Air) -> None:
    for _ in range(20):
        air.radios.deaf("chirpstack", air.now_us)
        air.run(30)
    assert air.words[GW].online


def test_after_our_own_restart_who_was_out_is_so_still(air: Air) -> None:
    air.run(120, OTHER)
    again = Radios()
    for name, word in air.words.items():
        again.recall(name, word, air.now_us)
    assert list(again.words(air.now_us + MINUTE_US)) == []
    again.told("chirpstack", GW, None, air.now_us + MINUTE_US)
    assert said(list(again.words(air.now_us + MINUTE_US)))[GW].online


def bursts(radios: Radios, hours: int, devices: list[str]) -> int:
    """Uplinks by one gateway of The Things Stack every five minutes, all at once; returns when the last came."""
    now_us = START_US
    for _ in range(hours * 12):
        now_us += 5 * MINUTE_US
        for device in devices:
            radios.brought("tts", device, ["ttn-roof"], now_us)
    return now_us


def test_without_statistics_twice_the_usual_pause_is_an_outage() -> None:
    radios = Radios()
    last_us = bursts(radios, 8, ["bay-1", "bay-2"])
    assert said(list(radios.words(last_us + 10 * MINUTE_US)))["ttn-roof"].online
    assert said(list(radios.words(last_us + 11 * MINUTE_US)))["ttn-roof"].devices == ["bay-1", "bay-2"]


@pytest.mark.parametrize(("hours", "devices"), [(8, ["bay-1"]), (3, ["bay-1", "bay-2"])])
def test_one_device_alone_or_a_gateway_that_is_hardly_known_is_no_outage(hours: int, devices: list[str]) -> None:
    radios = Radios()
    last_us = bursts(radios, hours, devices)
    assert said(list(radios.words(last_us + HOUR_US)))["ttn-roof"].online


@pytest.mark.parametrize(
    ("payload", "online"),
    [
        (json.dumps({"gatewayId": GW, "state": "ONLINE"}).encode(), True),
        (json.dumps({"gatewayId": GW}).encode(), False),
        (PROTOBUF_ONLINE, True),
        (bytes.fromhex("1a10") + GW.encode(), False),
    ],
)
def test_chirpstacks_word_on_a_connection(payload: bytes, online: bool) -> None:
    assert ChirpStack().hear(f"eu868/gateway/{GW}/state/conn", payload, 0).events == [Radio(GW, online)]


def test_chirpstacks_statistics_are_a_sign_of_life_whatever_they_say() -> None:
    assert ChirpStack().hear(f"gateway/{GW}/event/stats", b"\xff", 0).events == [Radio(GW, None)]


def test_a_word_that_is_none_is_misspoken() -> None:
    with pytest.raises(Misspoken, match="neither"):
        ChirpStack().hear(f"eu868/gateway/{GW}/state/conn", b'{"state": "MAYBE"}', 0)
