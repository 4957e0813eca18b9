"""The rules as a real Mosquitto keeps them: a device cannot speak for another, nor read another's commands."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty

import pytest

from bus import users
from gateway import broker_rules
from tests.conftest import StartBroker
from tests.parts.broker import BrokerPart
from tests.parts.sessions import NOT_AUTHORISED, WAIT_S, Session, platform, session

DEVICES = {"lamp-1": "one", "lamp-2": "two"}


@pytest.fixture
def city(start_broker: StartBroker) -> BrokerPart:
    return start_broker(DEVICES)


@pytest.mark.parametrize("leaf", ["telemetry", "status", "ack"])
def test_what_a_device_writes_to_its_own_topics_reaches_the_platform(city: BrokerPart, leaf: str) -> None:
    with platform(city) as everything, session(city, "lamp-1", "one") as lamp:
        everything.subscribe("city/v1/#")
        lamp.publish(f"city/v1/streetlight/lamp-1/{leaf}", b"{}", retain=leaf == "status")
        assert everything.received.get(timeout=WAIT_S) == (f"city/v1/streetlight/lamp-1/{leaf}", b"{}")


@pytest.mark.parametrize(
    "topic",
    [
        "city/v1/streetlight/lamp-2/telemetry",
        "city/v1/streetlight/lamp-2/ack",
        "city/v1/streetlight/lamp-1/command",
        "city/v1/streetlight/lamp-1/telemetry/more",
        "city/v1/zones/market/parking",
        "city/v1/alarms/a-1",
        "$SYS/broker/uptime",
    ],
)
def test_a_device_cannot_write_elsewhere(city: BrokerPart, topic: str) -> None:
    with platform(city) as everything, session(city, "lamp-1", "one") as lamp:
        everything.subscribe("city/v1/#")
        assert lamp.publish(topic) == NOT_AUTHORISED
        with pytest.raises(Empty):
            everything.received.get(timeout=0.2)


def test_a_device_reads_its_own_commands(city: BrokerPart) -> None:
    with platform(city) as rules, session(city, "lamp-1", "one") as lamp:
        lamp.subscribe("city/v1/+/lamp-1/command")
        rules.publish("city/v1/streetlight/lamp-1/command", b'{"id": "c-1"}')
        assert lamp.received.get(timeout=WAIT_S) == ("city/v1/streetlight/lamp-1/command", b'{"id": "c-1"}')


@pytest.mark.parametrize("wish", ["city/v1/streetlight/lamp-2/command", "city/v1/#", "#", "city/v1/+/+/command"])
def test_a_device_does_not_hear_anothers_commands_whatever_it_subscribes_to(city: BrokerPart, wish: str) -> None:
    with platform(city) as rules, session(city, "lamp-1", "one") as lamp:
        lamp.subscribe(wish)
        rules.publish("city/v1/streetlight/lamp-2/command", b"secret")
        with pytest.raises(Empty):
            lamp.received.get(timeout=0.2)


SAID = {
    **{leaf: f"city/v1/streetlight/lamp-1/{leaf}" for leaf in ("telemetry", "status", "ack", "command")},
    "zone": "city/v1/zones/market/parking",
    "alarm": "city/v1/alarms/a-1",
    **{name: f"city/v1/platform/{name}" for name in ("clock", "probe", "backlog")},
    "settled": "city/v1/platform/ingest/settled",
    "note": "city/v1/platform/gateway/lamp-1/note",
    "radio": "city/v1/platform/radio/g-1/state",
    "term": "city/v1/platform/rules/term",
}
"""A topic of each form."""
WRITES = {
    "ingest": set[str](),
    "ingest-clock": {"clock", "settled"},
    "gateway-city": {"telemetry", "status", "ack", "note", "radio"},
    "gateway-commands": set[str](),
    "gateway-notes": set[str](),
    "rules": set[str](),
    "rules-out": {"command", "zone", "alarm", "term"},
    "rules-probe": {"probe", "backlog", "settled"},
    "rules-watch": set[str](),
    "api": set[str](),
}
READS = {
    "ingest": {"telemetry", "status", "probe"},
    "ingest-clock": set[str](),
    "gateway-city": set[str](),
    "gateway-commands": {"command"},
    "gateway-notes": {"note", "radio"},
    "rules": {"telemetry", "ack"},
    "rules-out": {"alarm", "radio", "term"},
    "rules-probe": {"settled"},
    "rules-watch": set[str](),
    "api": {"zone", "alarm", "probe", "backlog"},
}


def test_a_service_that_was_taken_over_writes_and_reads_what_its_work_needs_and_nothing_else(
    start_broker: StartBroker,
) -> None:
    """So ingest cannot command, rules cannot speak as a device, and the API cannot write at all."""
    assert {user for user, _ in users.everybody()} - {f"{each}-door" for each in users.SESSIONS} == WRITES.keys()
    city = start_broker(dict.fromkeys(WRITES, "taken"))
    for user in WRITES:
        with platform(city) as town, session(city, user, "taken") as service:
            may = {name for name, topic in SAID.items() if service.publish(topic) != NOT_AUTHORISED}
            assert may == WRITES[user], user
            assert service.publish(f"city/v1/streetlight/{user}/telemetry") == NOT_AUTHORISED, "it is no device"
            service.subscribe("#")
            for topic in SAID.values():
                town.publish(topic, b"secret")
            service.subscribe("$SYS/broker/version")
            town.publish(f"city/v1/streetlight/{user}/command", b"secret")
            heard = {topic for topic, _ in all_of(service, len(READS[user]))}
            assert heard == {SAID[name] for name in READS[user]}, user


def all_of(listener: Session, wanted: int) -> Iterator[tuple[str, bytes]]:
    """What comes: so much as is wanted, and whatever comes soon after."""
    for _ in range(wanted):
        yield listener.received.get(timeout=WAIT_S)
    with suppress(Empty):
        while True:
            yield listener.received.get(timeout=0.1)


def test_nobody_enters_with_a_wrong_password(city: BrokerPart) -> None:
    with pytest.raises(PermissionError), session(city, "lamp-1", "two"):
        pass


def test_a_burst_for_a_service_that_is_away_is_kept(city: BrokerPart) -> None:
    """Mosquitto's default keeps 1,000 and drops the rest of what it has acknowledged: ours keeps all."""
    burst = [b"%d" % number for number in range(5_000)]
    topic = "city/v1/streetlight/lamp-1/telemetry"
    with platform(city, lasting="ingest") as ingest:
        ingest.subscribe("city/v1/+/+/telemetry")
    with session(city, "lamp-1", "one") as lamp:
        lamp.publish_all(topic, burst)
    with platform(city, lasting="ingest") as ingest:
        assert [ingest.received.get(timeout=WAIT_S) for _ in burst] == [(topic, payload) for payload in burst]


def test_what_waits_for_a_session_of_the_shared_user_reaches_it_as_a_user_of_its_own(start_broker: StartBroker) -> None:
    """An upgrade changes the user, not the session's name: nothing that waits is lost."""
    city = start_broker(DEVICES | {"ingest": "own"})
    topic = "city/v1/streetlight/lamp-1/telemetry"
    with platform(city, lasting="ingest") as ingest:
        ingest.subscribe("city/v1/+/+/telemetry")
    with session(city, "lamp-1", "one") as lamp:
        lamp.publish(topic, b"waits")
    with session(city, "ingest", "own", lasting="ingest") as ingest:
        assert ingest.received.get(timeout=WAIT_S) == (topic, b"waits")


def test_mosquittos_own_tool_writes_the_same_password_format(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-b", "-c", tmp_path / "theirs", "lamp-1", "one"], check=True, capture_output=True)
    theirs = (tmp_path / "theirs").read_text().strip().split("$")
    ours = broker_rules.password_entry("lamp-1", "one").split("$")
    assert [*map(len, ours)] == [*map(len, theirs)]
    assert ours[:3] == theirs[:3]
