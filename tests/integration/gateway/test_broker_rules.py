"""The rules as a real Mosquitto keeps them: a device cannot speak for another, nor read another's commands."""

import shutil
import subprocess
from pathlib import Path
from queue import Empty

import pytest

from gateway import broker_rules
from tests.conftest import StartBroker
from tests.parts.broker import BrokerPart
from tests.parts.sessions import NOT_AUTHORISED, WAIT_S, platform, session

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


def test_mosquittos_own_tool_writes_the_same_password_format(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-b", "-c", tmp_path / "theirs", "lamp-1", "one"], check=True, capture_output=True)
    theirs = (tmp_path / "theirs").read_text().strip().split("$")
    ours = broker_rules.password_entry("lamp-1", "one").split("$")
    assert [*map(len, ours)] == [*map(len, theirs)]
    assert ours[:3] == theirs[:3]
