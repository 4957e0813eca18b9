"""Makers' devices behind a network server: joins, frames, losses, downlinks, as an application hears and orders."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from firmware_sim.chance import Chance
from firmware_sim.city import City
from firmware_sim.faults import DeviceFaults, Faults
from firmware_sim.firmware import Uplink
from firmware_sim.fleet import FACES
from firmware_sim.lorawan.air import Air
from firmware_sim.lorawan.end_device import EndDevice
from firmware_sim.lorawan.network_server import NetworkServer
from firmware_sim.vendors import product_of
from gateway import events
from gateway.chirpstack import ChirpStack
from gateway.codecs.catalogue import catalogue
from gateway.radios import Radios
from gateway.the_things_stack import TheThingsStack
from telemetry import radio as radio_words
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us

NIGHT_US = to_us(datetime(2026, 6, 10, 22, tzinfo=UTC))
READERS: dict[str, Callable[[], Any]] = {"chirpstack": ChirpStack, "the_things_stack": TheThingsStack}
NOTHING = dict.fromkeys(Faults.__slots__, 0.0)


@dataclass
class Radio:
    """A network server with devices, and all that it has said, with the moments."""

    server: NetworkServer
    devices: list[EndDevice]
    language: str
    said: list[tuple[int, Uplink]] = field(default_factory=list)

    def live(self, until_us: int) -> "Radio":
        while self.server.next_us <= until_us:
            at_us = self.server.next_us
            self.said += [(at_us, uplink) for uplink in self.server.wake(at_us)]
        return self

    def heard(self, kind: Any) -> list[Any]:
        """What the gateway understands of it; that it is no misspoken is part of every test."""
        reader = READERS[self.language]()
        found = []
        for at_us, uplink in self.said:
            if uplink.topic.startswith(("application/", "v3/")):
                found += reader.hear(uplink.topic, uplink.payload, at_us).events
        return [each for each in found if isinstance(each, kind)]

    def bodies(self, leaf: str) -> list[dict[str, Any]]:
        return [json.loads(each.payload) for _, each in self.said if each.topic.endswith("/" + leaf)]

    def order(
        self, device: EndDevice, port: int, octets: bytes, at_us: int, name: str = "c1", for_us: int = HOUR_US
    ) -> None:
        """A confirmed downlink, as the gateway pushes it."""
        name_there = self.server.face.name(device.eui)
        application = self.server.face.filters[0].split("/")[1]
        route = events.Route(application, name_there)
        downlink = events.Downlink(name, route, port, octets, at_us + for_us)
        (message,) = READERS[self.language]().push(route, [downlink], False)
        self.said += [(at_us, each) for each in self.server.receive(message.topic, message.payload, at_us)]


def radio(
    language: str = "chirpstack",
    kind: str = "streetlight",
    count: int = 1,
    gateways: int = 4,
    start_us: int = NIGHT_US,
    **faults: float,
) -> Radio:
    """So many devices of one kind (lamps of one cabinet), switched on at night, that fail only as is said."""
    dial, town = Faults(**{**NOTHING, **faults}), City(devices=20 * count, seed=3)
    server = NetworkServer(FACES[language](3), Air(dial, 3, gateways), Chance.seeded("server"), start_us)
    members = [each for each in town.members() if each.kind == kind]
    devices = []
    for member in [each for each in members if each.cabinet == members[0].cabinet][:count]:
        of_device, cabinet = (DeviceFaults(dial, Chance.seeded(name)) for name in (member.device, member.cabinet))
        power = cabinet if member.cabinet else None
        devices.append(EndDevice(member, town.town, product_of(member), of_device, power, start_us))
        server.add(devices[-1])
    return Radio(server, devices, language)


def every_minute(device: EndDevice) -> tuple[int, bytes]:
    """The downlink by which this device reports every minute."""
    encode = catalogue()[device.product.model].encode
    assert encode is not None
    downlink = encode({"report_every_s": 60})
    return downlink.port, downlink.payload


both = pytest.mark.parametrize("language", list(READERS))


class TestUplinks:
    @both
    def test_a_device_joins_and_reports(self, language: str) -> None:
        air = radio(language, "parking_bay").live(NIGHT_US + MINUTE_US)
        assert next(type(each) for each in air.heard(events.Joined | events.Uplink)) is events.Joined
        (startup, heartbeat) = air.heard(events.Uplink)
        assert (startup.port, startup.counter, heartbeat.port, heartbeat.counter) == (3, 0, 2, 1)
        assert startup.source.names[0] == air.devices[0].eui
        assert "bosch/tps110" in (startup.source.tag, f"{startup.source.brand}/{startup.source.product}")
        assert startup.session == heartbeat.session != ""
        assert heartbeat.at_us == air.said[-1][0] or language == "chirpstack"

    def test_members_of_their_default_value_are_left_out(self) -> None:
        air = radio(kind="parking_bay").live(NIGHT_US + MINUTE_US)
        first, second = air.bodies("event/up")
        assert "fCnt" not in first
        assert second["fCnt"] == 1
        assert "confirmed" not in first
        assert first["rxInfo"][0]["gatewayId"]
        assert first["deduplicationId"] != second["deduplicationId"]

    def test_several_radio_gateways_hear_one_frame(self) -> None:
        air = radio(kind="parking_bay", count=20).live(NIGHT_US + 2 * HOUR_US)
        heard = Counter(len(each["rxInfo"]) for each in air.bodies("event/up"))
        assert heard[1] > 20
        assert heard[2] > 20 < heard[3]

    @both
    def test_a_tenth_is_lost_and_shows_as_gaps(self, language: str) -> None:
        air = radio(language, "drain_level", count=4, loss_per_frame=0.1).live(NIGHT_US + DAY_US)
        missing, seen, heard = 0, 0, air.heard(events.Uplink)
        for device in air.devices:
            counters = [each.counter for each in heard if device.eui in each.source.names]
            missing += sum(after - before - 1 for before, after in pairwise(counters))
            seen += len(counters)
        assert 0.07 < missing / (missing + seen) < 0.13

    @both
    def test_a_repeated_frame_is_dropped_and_a_late_copy_is_not(self, language: str) -> None:
        air = radio(language, repeat_per_frame=1.0, late_copy_per_frame=1.0).live(NIGHT_US + HOUR_US)
        times_said = Counter((each.session, each.counter, each.data) for each in air.heard(events.Uplink))
        assert set(times_said.values()) == {2}
        assert len(times_said) > 5
        if language == "chirpstack":
            assert {each["code"] for each in air.bodies("event/log")} == {"UPLINK_F_CNT_RETRANSMISSION"}
            identities = [each.identities for each in air.heard(events.Uplink)]
            assert len(set(identities)) == len(identities)

    def test_what_a_server_says_again_is_the_same_to_the_byte(self) -> None:
        air = radio(again_per_frame=1.0).live(NIGHT_US + HOUR_US)
        ups = [uplink for _, uplink in air.said if uplink.topic.endswith("/up")]
        assert ups[0::2] == ups[1::2]

    def test_a_counter_that_begins_anew_keeps_its_session(self) -> None:
        air = radio(kind="drain_level", counter_reset_per_day=1.0).live(NIGHT_US + 2 * DAY_US)
        ups = air.heard(events.Uplink)
        assert sum(after.counter == 0 for after in ups[1:]) >= 1
        assert len({each.session for each in ups}) == 1

    def test_a_device_says_its_battery_to_chirpstack_once_a_day(self) -> None:
        air = radio(kind="parking_bay").live(NIGHT_US + 2 * DAY_US)
        batteries = [each.battery_pct for each in air.heard(events.Condition)]
        assert len(batteries) == 3
        assert all(battery is not None and 10 < battery < 100 for battery in batteries)

    def test_the_same_town_says_the_same(self) -> None:
        first = radio(loss_per_frame=0.1).live(NIGHT_US + HOUR_US).said
        assert first == radio(loss_per_frame=0.1).live(NIGHT_US + HOUR_US).said


class TestPower:
    def test_after_a_cut_all_lamps_of_a_cabinet_join_at_once(self) -> None:
        (cabinet,) = {each.cabinet for each in City(20, 3).members() if each.asset == "lamp-00001"}
        faults = DeviceFaults(Faults(**{**NOTHING, "power_cut_per_day": 1.0}), Chance.seeded(cabinet))
        cut = faults.power_cut(NIGHT_US)
        assert cut is not None
        air = radio(count=8, power_cut_per_day=1.0, start_us=cut[0] - MINUTE_US).live(cut[1] + MINUTE_US)
        joins = [at_us for at_us, each in air.said if each.topic.endswith("/join")]
        assert len(joins) == 16
        assert max(joins[:8]) < cut[0] < cut[1] < min(joins[8:])
        assert not [each for at_us, each in air.said if "/device/" in each.topic and cut[0] < at_us < cut[1]]

    def test_who_is_not_answered_asks_again_ever_later(self) -> None:
        lamp = radio(loss_per_frame=1.0).devices[0]
        asked: list[int] = []
        while len(asked) < 12:
            asked += [lamp.next_us] * len(lamp.wake(lamp.next_us))
        waits_s = [(after - before) / SECOND_US for before, after in pairwise(asked)]
        for nth, wait_s in enumerate(waits_s):
            assert 0.8 <= wait_s / min(10 * 2**nth, 3_600) <= 1.2

    def test_a_radio_gateway_that_is_out_says_nothing_and_nobody_is_heard_by_it(self) -> None:
        air = radio(kind="drain_level", gateways=1, gateway_outage_per_day=1.0).live(NIGHT_US + 3 * DAY_US)
        states = [(at_us, b"ONLINE" in each.payload) for at_us, each in air.said if each.topic.endswith("/state/conn")]
        assert states[0][1] is False
        begin_us, end_us = states[0][0], states[1][0]
        assert end_us - begin_us >= 9 * MINUTE_US
        between = [each for at_us, each in air.said if begin_us < at_us < end_us]
        assert not between, "neither uplinks nor the gateway's own stats"
        radios, reader, words = Radios(), ChirpStack(), []
        for at_us, each in air.said:
            for event in reader.hear(each.topic, each.payload, at_us).events:
                if isinstance(event, events.Radio):
                    radios.told("chirpstack", event.gateway, event.online, at_us)
                elif isinstance(event, events.Uplink):
                    radios.brought("chirpstack", event.source.names[0], event.radios, at_us)
            words += [radio_words.decode(message.payload) for message in radios.words(at_us)]
        outages = [word.devices for word in words if word is not None and not word.online]
        assert outages == [[air.devices[0].eui]] * sum(not online for _, online in states), (
            "the gateway service sees it"
        )


class TestDownlinks:
    @both
    def test_a_lamp_always_listens_and_answers_at_once(self, language: str) -> None:
        air = radio(language).live(NIGHT_US + MINUTE_US)
        air.order(air.devices[0], 60, b"\x09\xfe\x28\x3c", NIGHT_US + MINUTE_US)
        air.live(NIGHT_US + 2 * MINUTE_US)
        states = [each.state for each in air.heard(events.Told)]
        assert states == ["queued", "sent", "acknowledged"][language == "chirpstack" :]
        assert {each.ids for each in air.heard(events.Told)} == {("c1",)}
        status = [each for each in air.heard(events.Uplink) if each.port == 23][-1]
        assert status.data[-2] == 40

    def test_after_its_time_a_lamp_returns_to_its_own_program(self) -> None:
        air = radio().live(NIGHT_US + MINUTE_US)
        air.order(air.devices[0], 60, b"\x09\xfe\x28\x0a", NIGHT_US + MINUTE_US)
        air.live(NIGHT_US + 12 * MINUTE_US)
        levels = [each.data[-2] for each in air.heard(events.Uplink) if each.port == 23]
        assert levels[0] == levels[-1] == 100
        assert 40 in levels

    @both
    def test_a_battery_device_hears_after_its_next_uplink_and_acknowledges_with_the_one_after(
        self, language: str
    ) -> None:
        air = radio(language, "drain_level").live(NIGHT_US + 10 * MINUTE_US)
        air.order(air.devices[0], *every_minute(air.devices[0]), NIGHT_US + 10 * MINUTE_US)
        assert not [each for each in air.heard(events.Told) if each.state != "queued"]
        air.live(NIGHT_US + 20 * MINUTE_US)
        states = [each.state for each in air.heard(events.Told)][language != "chirpstack" :]
        assert states == ["sent", "acknowledged"]
        reports = [each.at_us for each in air.heard(events.Uplink)][-3:]
        assert reports[-1] - reports[-2] < 75 * SECOND_US, "it reports every minute now"

    def test_what_waits_too_long_is_dropped_and_told(self) -> None:
        air = radio(kind="drain_level").live(NIGHT_US + 10 * MINUTE_US)
        air.order(air.devices[0], 85, b"\xff\x03\x3c\x00", NIGHT_US + 10 * MINUTE_US, for_us=SECOND_US)
        air.live(NIGHT_US + 20 * MINUTE_US)
        (told,) = air.heard(events.Told)
        assert (told.state, told.ids) == ("failed", ("c1",))

    @both
    def test_a_downlink_that_is_not_heard_is_not_acknowledged(self, language: str) -> None:
        air = radio(language).live(NIGHT_US + MINUTE_US)
        object.__setattr__(air.devices[0].faults, "faults", Faults(**{**NOTHING, "loss_per_frame": 1.0}))
        air.order(air.devices[0], 60, b"\x09\xfe\x28\x3c", NIGHT_US + MINUTE_US)
        air.live(NIGHT_US + 5 * MINUTE_US)
        states = Counter(each.state for each in air.heard(events.Told))
        if language == "chirpstack":
            assert states == {"sent": 1, "unacknowledged": 1}
        else:
            assert states == {"queued": 1, "sent": 8, "unacknowledged": 8, "failed": 1}

    @both
    def test_nonsense_is_no_order(self, language: str) -> None:
        air = radio(language).live(NIGHT_US + MINUTE_US)
        topic = air.server.face.filters[0].replace("+", air.server.face.name(air.devices[0].eui))
        for payload in (b"", b"{", b"[]", b'{"fPort": 0}', b'{"downlinks": [{"f_port": 1, "frm_payload": "?"}]}'):
            assert air.server.receive(topic, payload, NIGHT_US + MINUTE_US) == []

    def test_a_queue_can_be_replaced_at_the_things_stack(self) -> None:
        air = radio("the_things_stack", "drain_level").live(NIGHT_US + 10 * MINUTE_US)
        at_us, device = NIGHT_US + 10 * MINUTE_US, air.devices[0]
        air.order(device, 85, b"\xff\x03\x3c\x00", at_us, "old")
        route = events.Route("lamplighter@simulated", air.server.face.name(device.eui))
        (message,) = TheThingsStack().push(route, [events.Downlink("new", route, 85, b"\xff\x03\x78\x00", 0)], True)
        air.server.receive(message.topic, message.payload, at_us)
        air.live(at_us + 20 * MINUTE_US)
        assert [each.ids for each in air.heard(events.Told) if each.state == "acknowledged"] == [("new",)]
