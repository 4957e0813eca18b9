"""Commands to devices of network servers: encoded, queued, answered when the device itself has acknowledged."""

import base64
import json
from typing import Any

import pytest

from gateway.chirpstack import ChirpStack
from gateway.downlink import TRIES_MAX, Courier, Step
from gateway.events import Message, Route, Source, Told
from gateway.notes import Note
from gateway.the_things_stack import TheThingsStack
from telemetry import topics
from telemetry.clock import SECOND_US, to_rfc3339

NOW_US = 1_790_000_000_000_000
LAMP, FIRST, SECOND = "70b3d5b020073208", "0192f0c4-0000-5000-8000-000000000001", "0192f0c4-0000-5000-8000-000000000002"
NOTES = {
    "chirpstack": Note("chirpstack", "7", LAMP, "nas/ul20xx-1.1", "streetlight"),
    "the_things_stack": Note("the_things_stack", "app1@ttn", "lamp-1", "nas/ul20xx-1.1", "streetlight"),
}


@pytest.fixture
def courier() -> Courier:
    return Courier({"chirpstack": ChirpStack(), "the_things_stack": TheThingsStack()})


def command(name: str = FIRST, lease_s: int = 3_600, **wanted: Any) -> bytes:
    body = {
        "id": name,
        "ts": to_rfc3339(NOW_US),
        "set": wanted or {"setpoint_pct": 40},
        "expires_at": to_rfc3339(NOW_US + lease_s * SECOND_US),
        "reason": "program",
    }
    return json.dumps(body).encode()


def take(courier: Courier, payload: bytes, network: str = "chirpstack", now_us: int = NOW_US) -> Step:
    return courier.command("streetlight", LAMP, payload, NOTES[network], now_us)


def hear(courier: Courier, event: str, network: str = "chirpstack", now_us: int = NOW_US, **more: Any) -> Step:
    """What follows from an event of ChirpStack."""
    said = json.dumps({"deviceInfo": {"devEui": LAMP}, **more}).encode()
    told = ChirpStack().hear(f"application/7/device/{LAMP}/event/{event}", said, now_us).events[0]
    assert isinstance(told, Told)
    return courier.told(network, "streetlight", LAMP, told, now_us)


def answer(step: Step) -> dict[str, Any]:
    (found,) = step.answers
    assert found.topic == topics.ack("streetlight", LAMP)
    said: dict[str, Any] = json.loads(found.payload)
    return said


def pushed(messages: list[Message]) -> dict[str, Any]:
    (found,) = messages
    said: dict[str, Any] = json.loads(found.payload)
    return said


def test_a_setpoint_is_queued_confirmed_with_the_commands_id_and_expiry(courier: Courier) -> None:
    step = take(courier, command())
    assert step.pushes[0].topic == f"application/7/device/{LAMP}/command/down"
    said = pushed(step.pushes)
    assert (said["id"], said["confirmed"], said["fPort"]) == (FIRST, True, 60)
    assert said["expiresAt"] == to_rfc3339(NOW_US + 3_600 * SECOND_US)
    assert base64.b64decode(said["data"])[0] == 0x09, "the lamp's timed dimming"
    assert base64.b64decode(said["data"])[-1] == 60, "for as long as the lease"
    assert not step.answers


def minutes(downlink: dict[str, Any]) -> int:
    """For how long the lamp is told to keep the level."""
    return base64.b64decode(downlink["data"])[-1]


def test_a_lamp_that_keeps_a_level_for_255_minutes_is_told_again_until_a_longer_command_ends(courier: Courier) -> None:
    assert minutes(pushed(take(courier, command(lease_s=10 * 3_600)).pushes)) == 255
    hear(courier, "ack", queueItemId=FIRST, acknowledged=True)
    told = []
    for minute in range(11 * 60):
        for step in courier.expire(NOW_US + minute * 60 * SECOND_US):
            told.append((minute, minutes(pushed(step.pushes))))
            name = pushed(step.pushes)["id"]
            assert not hear(courier, "ack", queueItemId=name, acknowledged=True).answers, "the rules know it already"
    assert told == [(128, 255), (255, 255), (383, 217)]


def test_a_newer_setpoint_ends_what_is_told_again(courier: Courier) -> None:
    take(courier, command(lease_s=10 * 3_600))
    hear(courier, "ack", queueItemId=FIRST, acknowledged=True)
    take(courier, command(SECOND, setpoint_pct=100))
    assert not [each for each in courier.expire(NOW_US + 3 * 3_600 * SECOND_US) if "renewed" in each.happened]


def test_a_gateways_acceptance_is_no_answer_and_the_devices_acknowledgement_is(courier: Courier) -> None:
    take(courier, command())
    assert not hear(courier, "txack", queueItemId=FIRST).answers
    said = answer(hear(courier, "ack", queueItemId=FIRST, acknowledged=True))
    assert said == {"id": FIRST, "ok": True, "applied": {"setpoint_pct": 40.0}, "error": None}
    assert answer(take(courier, command()))["ok"], "asked again it is answered again, and not sent"


def test_an_unacknowledged_downlink_is_repeated_and_then_refused(courier: Courier) -> None:
    take(courier, command())
    for _ in range(TRIES_MAX - 1):
        step = hear(courier, "ack", queueItemId=FIRST)
        assert pushed(step.pushes)["id"] == FIRST
        assert not step.answers
    said = answer(hear(courier, "ack", queueItemId=FIRST))
    assert (said["ok"], said["applied"]) == (False, None)
    assert "did not acknowledge" in said["error"]


@pytest.mark.parametrize("context", [{"queue_item_id": FIRST}, {}])
def test_what_the_server_drops_is_refused_with_its_sentence(courier: Courier, context: dict[str, str]) -> None:
    take(courier, command())
    said = answer(hear(courier, "log", level="WARNING", code="EXPIRED", context=context))
    assert not said["ok"]
    assert "time had run out" in said["error"]


def test_after_a_restart_an_acknowledgement_is_still_understood(courier: Courier) -> None:
    said = answer(hear(courier, "ack", queueItemId=FIRST, acknowledged=True))
    assert said == {"id": FIRST, "ok": True, "applied": None, "error": None}


def test_what_a_device_does_not_take_is_refused_at_once(courier: Courier) -> None:
    note = Note("chirpstack", "7", LAMP, "libelium/smart-parking-v3", "parking_bay")
    step = courier.command("streetlight", LAMP, command(), note, NOW_US)
    assert not answer(step)["ok"]
    assert not step.pushes


def test_an_expired_command_is_ignored(courier: Courier) -> None:
    step = take(courier, command(lease_s=-1))
    assert (step.pushes, step.answers, step.happened) == ([], [], ["expired"])


def test_a_command_that_waits_is_not_queued_twice(courier: Courier) -> None:
    take(courier, command())
    assert not take(courier, command()).pushes


def test_two_settings_are_two_downlinks_and_one_answer(courier: Courier) -> None:
    step = take(courier, command(setpoint_pct=40, report_every_s=600))
    names = [json.loads(each.payload)["id"] for each in step.pushes]
    assert len(set(names)) == 2
    assert not hear(courier, "ack", queueItemId=names[1], acknowledged=True).answers
    assert answer(hear(courier, "ack", queueItemId=names[0], acknowledged=True))["ok"]


def test_the_things_stacks_queue_is_replaced_by_a_newer_command_and_emptied_at_the_end(courier: Courier) -> None:
    first = take(courier, command(), "the_things_stack")
    assert first.pushes[0].topic == "v3/app1@ttn/devices/lamp-1/down/push"
    (frame,) = pushed(first.pushes)["downlinks"]
    assert (frame["confirmed"], frame["correlation_ids"]) == (True, [f"lamplighter:{FIRST}"])
    second = take(courier, command(SECOND, setpoint_pct=70), "the_things_stack")
    assert second.pushes[0].topic.endswith("/down/replace")
    assert "superseded" in second.happened
    (over,) = courier.expire(NOW_US + 3_600 * SECOND_US)
    assert pushed(over.pushes) == {"downlinks": []}
    assert len(courier) == 0


@pytest.mark.parametrize(
    ("leaf", "member", "answers"),
    [
        ("queued", {}, 0),
        ("sent", {}, 0),
        ("ack", {}, 1),
        ("nack", {}, 0),
        ("failed", {"error": {"name": "too_long"}}, 1),
    ],
)
def test_the_things_stacks_states(courier: Courier, leaf: str, member: dict[str, Any], answers: int) -> None:
    take(courier, command(), "the_things_stack")
    down = {"correlation_ids": ["as:downlink:1", f"lamplighter:{FIRST}"]}
    body = {"downlink": down, **member} if leaf == "failed" else down
    said = {"end_device_ids": {"device_id": "lamp-1"}, f"downlink_{leaf}": body}
    heard = TheThingsStack().hear(f"v3/app1@ttn/devices/lamp-1/down/{leaf}", json.dumps(said).encode(), NOW_US)
    told = heard.events[0]
    assert isinstance(told, Told)
    step = courier.told("the_things_stack", "streetlight", LAMP, told, NOW_US)
    assert len(step.answers) == answers
    assert not step.pushes, "what is not acknowledged the server repeats by itself"
    if answers:
        assert answer(step)["ok"] is (leaf == "ack")


def test_somebody_elses_downlinks_are_not_answered_as_ours(courier: Courier) -> None:
    told = Told(Source((LAMP,), Route("7", LAMP)), "acknowledged", ())
    assert not courier.told("chirpstack", "streetlight", LAMP, told, NOW_US).answers


def test_nonsense_is_counted_only(courier: Courier) -> None:
    for payload in (b"", b"{}", b"\xff", b"[1]", command().replace(b"2026", b"soon")):
        assert take(courier, payload).happened == ["misspoken"]
