"""From network servers' messages to the city's topics: duplicates, models, what is held, what is refused."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.chirpstack import ChirpStack
from gateway.events import Measured, Message
from gateway.models import BadModels, Models
from gateway.notes import Note
from gateway.sparkplug import Sparkplug
from gateway.the_things_stack import TheThingsStack
from gateway.uplink import Outcome, Translator
from telemetry import topics
from telemetry.clock import HOUR_US, MINUTE_US, to_us
from telemetry.kinds import KINDS
from telemetry.refusals import Reason
from telemetry.registry import Asset, Installation, Registry

EUI, LAMP = "a81758fffe0304aa", "70B3D5B020073208"
UPLINKS_US = to_us(dt.datetime(2026, 9, 21, 13, 33, 20, 123457, tzinfo=dt.UTC))
NOW_US = 1_790_000_000_000_000
BAY_TAKEN, BAY_FREE = b"\x01", b"\x00"
STATUS_HEX = "018EB28266200047071A000201DEFE210000"
"""A status of a NAS UL20xx lamp with firmware 1.1 (its maker's sample)."""


def registry(*served: tuple[str, str]) -> Registry:
    assets, installations = [], []
    for number, (device, kind) in enumerate(served, 1):
        assets.append(
            Asset(number, f"asset-{number}", kind, "", None, None, None, KINDS[kind].wire.attributes(), device)
        )
        installations.append(Installation(device, kind, number))
    return Registry.build(1, [], assets, installations)


class Gateway:
    """One ChirpStack network, without any broker."""

    def __init__(self, *served: tuple[str, str], models: Models | None = None) -> None:
        self.notes: dict[str, Note] = {}
        self.translator = Translator("chirpstack", models or Models(), self.notes)
        self.translator.use(registry(*served))
        self.counter = 0

    def up(self, eui: str, data: bytes, *, port: int = 1, profile: str = "bosch/tps110", **more: Any) -> Outcome:
        self.counter += 1
        now_us = more.pop("now_us", NOW_US + self.counter * MINUTE_US)
        body: dict[str, Any] = {
            "deduplicationId": f"d{self.counter}",
            "time": "2026-09-21T13:33:20.123456789+00:00",
            "deviceInfo": {"devEui": eui, "deviceProfileName": profile},
            "devAddr": "00189440",
            "fCnt": self.counter,
            "fPort": port,
            "data": base64.b64encode(data).decode(),
            **more,
        }
        heard = ChirpStack().hear(f"application/7/device/{eui}/event/up", json.dumps(body).encode(), now_us)
        return self.translator.take(heard.events[0], now_us)


def telemetry(outcome: Outcome) -> list[tuple[str, dict[str, Any]]]:
    found = [each for each in outcome.messages if each.topic.endswith("/telemetry")]
    return [(each.topic, json.loads(each.payload)) for each in found]


def body(outcome: Outcome) -> dict[str, Any]:
    ((_, found),) = telemetry(outcome)
    return found


def test_an_uplink_becomes_an_observation_of_the_registered_device_at_its_own_time() -> None:
    gateway = Gateway((EUI.upper(), "parking_bay"))
    ((topic, found),) = telemetry(gateway.up(EUI, BAY_TAKEN))
    assert topic == topics.telemetry("parking_bay", EUI.upper()), "as the registry spells it"
    assert found["occupied"] is True
    assert found["ts"] == "2026-09-21T13:33:20.123457Z", "to the microsecond"
    assert found["seq"] & (2**32 - 1) == 1


def test_a_device_that_nobody_registered_is_published_and_waits_in_ingests_quarantine() -> None:
    ((topic, _),) = telemetry(Gateway().up(EUI, BAY_TAKEN))
    assert topic == topics.telemetry("parking_bay", EUI)


def test_a_frame_comes_once_by_its_server_id_or_by_address_and_counter() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    assert gateway.up(EUI, BAY_TAKEN, fCnt=7).fate == "published"
    assert gateway.up(EUI, BAY_TAKEN, fCnt=7).fate == "duplicate"
    assert gateway.up(EUI, BAY_FREE, fCnt=8, deduplicationId="d1").fate == "duplicate"


@pytest.mark.parametrize("radios", [None, [], [{"gatewayId": None}], [{}]])
def test_what_only_tells_of_radio_gateways_refuses_no_uplink(radios: Any) -> None:
    assert Gateway((EUI, "parking_bay")).up(EUI, BAY_TAKEN, rxInfo=radios).fate == "published"


def test_a_device_that_counts_anew_is_no_duplicate() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    gateway.up(EUI, BAY_TAKEN, fCnt=0)
    assert gateway.up(EUI, BAY_TAKEN, fCnt=0, devAddr="00aabbcc").fate == "published", "another session"
    assert gateway.up(EUI, BAY_FREE, fCnt=0).fate == "published", "another payload"
    later_us = NOW_US + 2 * HOUR_US
    assert gateway.up(EUI, BAY_TAKEN, fCnt=0, now_us=later_us).fate == "published", "long after"


def test_numbers_of_two_sessions_differ_for_who_knows_an_observation_by_its_number() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    first = body(gateway.up(EUI, BAY_TAKEN, fCnt=1, time=None))
    second = body(gateway.up(EUI, BAY_TAKEN, fCnt=1, time=None, devAddr="00aabbcc"))
    assert "ts" not in first
    assert first["seq"] != second["seq"]
    assert 0 <= second["seq"] < 2**63


def test_gaps_of_the_frame_counter_are_counted() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    assert [gateway.up(EUI, BAY_TAKEN, fCnt=counter).missed for counter in (5, 6, 9, 8, 10)] == [0, 0, 2, 0, 0]
    assert gateway.up(EUI, BAY_TAKEN, fCnt=500, devAddr="00aabbcc").missed == 0, "a new session"


def test_a_payload_that_cannot_be_decoded_is_refused_with_a_sentence() -> None:
    unread = Gateway((EUI, "parking_bay")).up(EUI, b"\x07").unread
    assert unread is not None
    assert (unread.device, unread.reason) == (EUI, Reason.UNDECODABLE)
    assert "parking status" in unread.detail


@pytest.mark.parametrize(
    ("served", "reason"), [(((EUI, "parking_bay"),), Reason.UNDECODABLE), ((), Reason.UNKNOWN_DEVICE)]
)
def test_a_device_of_unknown_model_is_refused(served: tuple[tuple[str, str], ...], reason: Reason) -> None:
    unread = Gateway(*served).up(EUI, BAY_TAKEN, profile="who knows").unread
    assert unread is not None
    assert unread.reason is reason
    assert "who knows" in unread.detail


def test_a_message_without_a_reading_is_no_observation_and_tells_the_firmware() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    outcome = gateway.up(EUI, bytes([0, 28, 0]), port=4)
    assert outcome.fate == "without_reading"
    assert not telemetry(outcome)
    (status,) = [each for each in outcome.messages if each.topic == topics.status("parking_bay", EUI)]
    assert json.loads(status.payload) == {"online": True, "firmware": "0.28.0"}
    assert not gateway.up(EUI, bytes([0, 28, 0]), port=4).messages, "said once"


def test_values_without_the_demanded_field_are_held_for_the_next_observation() -> None:
    gateway = Gateway((LAMP, "streetlight"))
    alone = Measured(LAMP, "streetlight", {"power_w": 21.5}, UPLINKS_US)
    assert retained(gateway.translator.take(alone, NOW_US))["held"] == {"power_w": 21.5}
    found = gateway.up(LAMP, bytes.fromhex(STATUS_HEX), port=23, profile="nas/ul20xx-1.1")
    assert found.fate == "published"
    assert body(found)["power_w"] == 21.5
    assert "level_pct" in body(found)
    assert "held" not in retained(found), "they have been given away"


def retained(outcome: Outcome) -> dict[str, Any]:
    (found,) = [each for each in outcome.messages if topics.parse_gateway_note(each.topic)]
    assert found.retain
    note: dict[str, Any] = json.loads(found.payload)
    return note


@pytest.mark.parametrize(("minutes", "joined"), [(20, True), (25, False)])
def test_held_values_join_within_one_and_a_half_report_intervals(minutes: int, joined: bool) -> None:
    gateway = Gateway((EUI, "parking_bay"))
    held_us = UPLINKS_US - minutes * MINUTE_US
    gateway.notes[EUI] = Note(kind="parking_bay", held={"battery_pct": 55.0}, held_us=held_us)
    assert ("battery_pct" in body(gateway.up(EUI, BAY_TAKEN))) is joined


def test_the_batterys_state_joins_the_next_observation() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    gateway.up(EUI, BAY_TAKEN)
    said = {"deviceInfo": {"devEui": EUI}, "time": "2026-09-21T13:33:10Z", "margin": 10, "batteryLevel": 88.5}
    heard = ChirpStack().hear(f"application/7/device/{EUI}/event/status", json.dumps(said).encode(), NOW_US)
    assert gateway.translator.take(heard.events[0], NOW_US).fate == "condition"
    assert body(gateway.up(EUI, BAY_FREE))["battery_pct"] == 88.5


def test_a_join_storm_says_online_once() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    said = json.dumps({"deviceInfo": {"devEui": EUI}, "devAddr": "00189440"}).encode()
    events = [ChirpStack().hear(f"application/7/device/{EUI}/event/join", said, NOW_US).events[0] for _ in range(100)]
    messages = [message for event in events for message in gateway.translator.take(event, NOW_US).messages]
    assert [each.topic for each in messages if each.topic.endswith("/status")] == [topics.status("parking_bay", EUI)]


def test_simulated_uplinks_never_reach_the_city() -> None:
    said = {
        "end_device_ids": {"device_id": "d"},
        "uplink_message": {"f_port": 1, "frm_payload": "AQ=="},
        "simulated": True,
    }
    heard = TheThingsStack().hear("v3/a@t/devices/d/up", json.dumps(said).encode(), NOW_US)
    outcome = Gateway().translator.take(heard.events[0], NOW_US)
    assert (outcome.fate, outcome.messages, outcome.unread) == ("simulated", [], None)


MODELS = """
[[device]]
profile = "street bays"
model = "bosch/tps110"

[[device]]
eui = "A8175"
kind = "drain_level"
[device.fields]
distance_m = { path = "data.distance", factor = 0.001 }
temp_c = "data.temperature"

[[sparkplug]]
group = "Drains"
node = "pump 3"
device = "level"
name = "PS3"
kind = "drain_level"
metrics = { level_m = { path = "Inputs/Level", factor = 0.001 } }
"""


@pytest.fixture
def models(tmp_path: Path) -> Models:
    (tmp_path / "models.toml").write_text(MODELS)
    return Models.read(tmp_path / "models.toml")


def test_the_towns_own_file_says_which_codec_reads_a_device(models: Models) -> None:
    gateway = Gateway((EUI, "parking_bay"), models=models)
    assert body(gateway.up(EUI, BAY_TAKEN, profile="Street Bays"))["occupied"] is True


def test_what_the_servers_own_codec_made_is_used_where_the_file_says_so(models: Models) -> None:
    gateway = Gateway((EUI, "drain_level"), models=models)
    found = body(gateway.up(EUI, b"??", object={"data": {"distance": 1500, "temperature": 8.5}}))
    assert (found["distance_m"], found["temp_c"]) == (1.5, 8.5)


def test_the_servers_own_codec_is_not_believed_where_there_is_one_of_ours() -> None:
    gateway = Gateway((EUI, "parking_bay"))
    assert body(gateway.up(EUI, BAY_TAKEN, object={"occupied": False}))["occupied"] is True


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('[[device]]\nmodel = "bosch/tps110"', "no condition"),
        ('[[device]]\nprofile = "x"\nmodel = "bosch/tps999"', "does not list"),
        ('[[device]]\nprofile = "x"\nkind = "lamp"', "none of"),
        ('[[device]]\nprofile = "x"\nkind = "drain_level"\nfields = {level = "l"}', "does not have"),
        ('[[device]]\nprofil = "x"', "profil"),
        ("[[device]", "wrong"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(wrong: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(wrong)
    with pytest.raises(BadModels, match=words):
        Models.read(tmp_path / "models.toml")


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def metric(
    *, name: str = "", alias: int | None = None, value: int | None = None, historical: bool = False, ms: int = 5_000
) -> bytes:
    raw = (b"\x0a" + varint(len(name)) + name.encode() if name else b"") + (
        b"" if alias is None else b"\x10" + varint(alias)
    )
    raw += b"\x18" + varint(ms) + (b"\x20\x03" if name else b"") + (b"\x28\x01" if historical else b"")
    raw += b"" if value is None else b"\x50" + varint(value & 0xFFFF_FFFF)
    return b"\x12" + varint(len(raw)) + raw


def sparkplug(server: Sparkplug, what: str, *metrics: bytes, seq: int, now_us: int = NOW_US) -> list[Any]:
    payload = b"\x08" + varint(6_000) + b"".join(metrics) + b"\x18" + varint(seq)
    heard = server.hear(f"spBv1.0/Drains/{what}", payload, now_us)
    return [*heard.events, heard.missed, heard.unread]


def test_an_edge_nodes_data_are_read_by_the_aliases_of_its_birth(models: Models) -> None:
    server = Sparkplug(models.sparkplug)
    sparkplug(server, "NBIRTH/pump 3", seq=0)
    online, birth, *_ = sparkplug(
        server, "DBIRTH/pump 3/level", metric(name="Inputs/Level", alias=7, value=1200), seq=1
    )
    assert (online.device, online.online) == ("PS3", True)
    assert birth.fields == {"level_m": 1.2}
    old, missed, unread = sparkplug(server, "DDATA/pump 3/level", metric(alias=7, value=-150, historical=True), seq=2)
    assert (old.fields, old.at_us, missed, unread) == ({"level_m": -0.15}, 5_000_000, 0, "")
    (gone, *_) = sparkplug(server, "NDEATH/pump 3", seq=0)
    assert (gone.device, gone.online) == ("PS3", False), "a node takes its devices with it"


def test_a_gap_of_an_edge_node_is_counted_and_a_new_birth_asked_for_once(models: Models) -> None:
    server = Sparkplug(models.sparkplug)
    sparkplug(server, "NBIRTH/pump 3", seq=0)
    request, missed, _ = sparkplug(server, "DDATA/pump 3/level", metric(name="x", value=1), seq=4)
    assert missed == 3
    assert isinstance(request.message, Message)
    assert request.message.topic == "spBv1.0/Drains/NCMD/pump 3"
    assert b"Node Control/Rebirth" in request.message.payload
    again = sparkplug(server, "DDATA/pump 3/level", metric(alias=9, value=1), seq=5)
    assert again[-1] == "its metrics have only aliases that no birth has told", "and it is not asked again so soon"
    assert len(again) == 3
