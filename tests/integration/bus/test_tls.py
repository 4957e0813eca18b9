"""`mqtts`: the broker is verified, or there is no connection."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus.address import with_authority
from bus.inbox import Subscriber
from bus.session import Publisher
from lamplighter.embedded import ports
from lamplighter.embedded.broker import mosquitto_program

TOPIC = "city/v1/streetlight/L1/telemetry"


@dataclass
class TlsBroker:
    """A Mosquitto that speaks TLS as `localhost`, and the certificate to trust it by."""

    port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"mqtts://localhost:{self.port}"

    @property
    def trusted_url(self) -> str:
        return with_authority(self.url, str(self.certificate))


@pytest.fixture
def tls_broker(home: Path) -> Iterator[TlsBroker]:
    program, openssl = mosquitto_program(), shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("Mosquitto or openssl is not installed")
    key, certificate, port = home / "key.pem", home / "certificate.pem", ports.free_port()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o644)
    configuration = home / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {certificate}\nkeyfile {key}\nlog_type none\n"
    )
    process = subprocess.Popen([program, "-c", configuration])
    yield TlsBroker(port, certificate)
    process.terminate()
    process.wait(10)


def now() -> int:
    return time.time_ns() // 1000


async def test_messages_pass_over_tls(tls_broker: TlsBroker) -> None:
    async with (
        Subscriber(tls_broker.trusted_url, "s", [TOPIC], now=now) as inbox,
        Publisher(tls_broker.trusted_url, "p") as publisher,
        asyncio.timeout(20),
    ):
        await inbox.ready()
        payloads = [b"%d" % number + b"x" * 20_000 for number in range(100)]
        sent = asyncio.gather(*[publisher.publish(TOPIC, payload) for payload in payloads])
        received: list[bytes] = []
        while len(received) < len(payloads):
            batch = await inbox.next_batch()
            received += batch.payloads
            batch.ack()
        await sent
    assert sorted(received) == sorted(payloads)


async def test_a_broker_that_nobody_vouches_for_is_not_connected_to(tls_broker: TlsBroker) -> None:
    async with Subscriber(tls_broker.url, "s", [TOPIC], now=now) as inbox, Publisher(tls_broker.url, "p") as publisher:
        await asyncio.sleep(1)
        assert not inbox.connected
        assert not publisher.connected
