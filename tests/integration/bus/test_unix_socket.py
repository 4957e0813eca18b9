"""A broker on the same machine by its Unix socket: subscriber, session and device line, each with its password."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.device import Line
from bus.inbox import Subscriber
from bus.session import Publisher
from gateway import broker_rules
from lamplighter.embedded import handshake
from lamplighter.embedded.broker import mosquitto_program

TOPIC = "city/v1/streetlight/L1/telemetry"


@pytest.fixture
def unix_url(home: Path) -> Iterator[str]:
    program = mosquitto_program()
    if program is None:
        pytest.skip("Mosquitto is not installed")
    home.chmod(0o777)
    path, passwords, configuration = home / "sock", home / "passwords", home / "mosquitto.conf"
    passwords.write_text(broker_rules.passwords({"platform": "s3/cret"}))
    configuration.write_text(f"listener 0 {path}\nallow_anonymous false\npassword_file {passwords}\nlog_type none\n")
    process = subprocess.Popen([program, "-c", configuration])
    deadline_s = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    yield f"mqtt+unix://platform:s3%2Fcret@{path}"
    process.terminate()
    process.wait(10)


async def test_all_three_clients_speak_through_a_unix_socket(unix_url: str) -> None:
    async with (
        Subscriber(unix_url, "s", [TOPIC], now=lambda: 0) as inbox,
        Publisher(unix_url, "p") as publisher,
        Line(unix_url, "l") as line,
        asyncio.timeout(20),
    ):
        await inbox.ready()
        await publisher.publish(TOPIC, b"from a session")
        await line.room()
        line.send(TOPIC, b"from a device")
        await line.settled()
        received: list[bytes] = []
        while len(received) < 2:
            batch = await inbox.next_batch()
            received += batch.payloads
            batch.ack()
    assert received == [b"from a session", b"from a device"]


async def test_a_wrong_password_is_refused_in_words(unix_url: str) -> None:
    with pytest.raises(handshake.Refused, match="does not let this user in"):
        await handshake.shake_hands(unix_url.replace("cret", "cets"))
