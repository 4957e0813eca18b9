"""A broker's certificate and key are looked at before a configuration names them."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from lamplighter.cli import run
from lamplighter.compose import BrokerAway, reach_broker
from lamplighter.errors import Failure

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`own.pem` and `own.key` are a pair; `other.key` is of another one, `locked.key` has a password."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("own", "other"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x"]
        subprocess.run(["openssl", "req", "-x509", *kind, *files], cwd=folder, check=True, capture_output=True)
    lock = ["openssl", "pkey", "-in", "own.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key"]
    subprocess.run(lock, cwd=folder, check=True, capture_output=True)
    (folder / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("none.pem", "own.key", "none.pem cannot be read (No such file or directory)"),
        ("own.key", "own.pem", "own.key holds no certificate in PEM form"),
        ("own.pem", "own.pem", "own.pem holds no key in PEM form"),
        ("own.pem", "other.key", "other.key is not the key of the certificate own.pem"),
        ("own.pem", "locked.key", "The key locked.key has a password"),
        ("damaged.pem", "own.key", "damaged.pem and own.key are damaged"),
        ("own.pem", "own.key", ""),
    ],
)
def test_they_must_be_there_and_a_pair(
    certificate: str,
    key: str,
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A broker that is started with others ends at once, and nobody was told before."""
    monkeypatch.chdir(folder)
    command = ["credentials", "broker-config", "--certificate", certificate, "--key", key]
    assert run(command) == 0
    assert capfd.readouterr().err.startswith(f"Note: {said}" if said else "")
    assert run([*command, "--out", "out", "--replace"]) == (1 if said else 0)
    assert said in capfd.readouterr().err


async def test_a_broker_of_an_unknown_authority_is_not_said_to_be_away(folder: Path) -> None:
    """ "Start it, or mend LAMPLIGHTER_MQTT_URL" was no help: what was missing is LAMPLIGHTER_MQTT_CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        with pytest.raises(Failure, match="name its authority in LAMPLIGHTER_MQTT_CA") as told:
            await reach_broker(f"mqtts://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert not isinstance(told.value, BrokerAway)


def test_a_file_that_cannot_be_written_is_named_by_its_own_name(capfd: pytest.CaptureFixture[str]) -> None:
    """And not by that of the draft which takes its place."""
    passwords = ["--passwords", "/proc/self/passwords.txt"]
    assert run(["credentials", "issue", "lamp-1", "--unregistered", *passwords]) == 1
    assert "/passwords.txt cannot be read or written" in capfd.readouterr().err
