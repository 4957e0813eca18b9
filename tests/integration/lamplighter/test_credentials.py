"""Credentials from the command line, as a real Mosquitto honours them."""

import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from lamplighter.cli import run
from lamplighter.embedded import ports
from lamplighter.embedded.broker import mosquitto_program
from tests.conftest import NO_MOSQUITTO
from tests.parts.broker import BrokerPart
from tests.parts.sessions import NOT_AUTHORISED, WAIT_S, platform, session

REGISTRY = """asset,kind,name,zone,lat,lon,device,min_level_pct
market,zone,Marktplatz,,51.4,7.3,,
lamp-1,streetlight,Markt 1,market,51.4,7.3,dev-1,30
lamp-2,streetlight,Markt 2,market,51.4,7.3,dev-2,30
lamp-3,streetlight,Markt 3,market,51.4,7.3,dev:3,30
"""
Credentials = Callable[..., str]


@pytest.fixture
def credentials(own_broker: BrokerPart, capfd: pytest.CaptureFixture[str]) -> Credentials:
    """Runs `lamplighter credentials` for the broker and has it reload; gives what is printed."""

    def command(*arguments: str) -> str:
        capfd.readouterr()
        passwords = str(own_broker.folder / "passwords.txt")
        code = run(["credentials", *arguments, "--passwords", passwords, "--reload-pid", str(own_broker.pid)])
        out, err = capfd.readouterr()
        assert (code, err) == (0, "")
        return out.strip()

    return command


def eventually_in(broker: BrokerPart, user: str, password: str, wanted: bool = True) -> None:
    """Wait until the broker, which reloads when it gets to it, lets the user in, or no more."""
    until = time.monotonic() + WAIT_S
    while enters(broker, user, password) is not wanted:
        assert time.monotonic() < until, f"{user} {'cannot' if wanted else 'can'} connect"
        time.sleep(0.05)


def enters(broker: BrokerPart, user: str, password: str) -> bool:
    try:
        with session(broker, user, password):
            return True
    except PermissionError:
        return False


def test_a_device_with_issued_credentials_speaks_and_hears_for_itself_alone(
    own_broker: BrokerPart, credentials: Credentials
) -> None:
    password = credentials("issue", "lamp-1", "--unregistered")
    eventually_in(own_broker, "lamp-1", password)
    with platform(own_broker) as all_of_it, session(own_broker, "lamp-1", password) as lamp:
        all_of_it.subscribe("city/v1/+/+/telemetry")
        assert lamp.publish("city/v1/streetlight/lamp-2/telemetry") == NOT_AUTHORISED
        assert lamp.publish("city/v1/streetlight/lamp-1/command") == NOT_AUTHORISED
        lamp.publish("city/v1/streetlight/lamp-1/telemetry", b"own")
        assert all_of_it.received.get(timeout=WAIT_S) == ("city/v1/streetlight/lamp-1/telemetry", b"own")
        lamp.subscribe("city/v1/+/+/command")
        all_of_it.publish("city/v1/streetlight/lamp-2/command", b"secret")
        all_of_it.publish("city/v1/streetlight/lamp-1/command", b"for you")
        assert lamp.received.get(timeout=WAIT_S) == ("city/v1/streetlight/lamp-1/command", b"for you")


def test_a_rotated_password_replaces_the_old_one_and_ends_its_session(
    own_broker: BrokerPart, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = credentials("issue", "lamp-1", "--unregistered")
    eventually_in(own_broker, "lamp-1", old)
    with session(own_broker, "lamp-1", old) as lamp:
        printed = json.loads(credentials("rotate", "lamp-1", "--json"))
        assert (printed["device"], printed["user"]) == ("lamp-1", "lamp-1")
        eventually_in(own_broker, "lamp-1", printed["password"])
        assert not enters(own_broker, "lamp-1", old)
        monkeypatch.setattr("tests.parts.sessions.WAIT_S", 1.0)
        with pytest.raises(Empty):
            lamp.publish("city/v1/streetlight/lamp-1/telemetry")


def test_a_revoked_device_is_put_out_and_cannot_come_back_while_others_stay(
    own_broker: BrokerPart, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (credentials("issue", name, "--unregistered") for name in ("lamp-1", "lamp-2"))
    eventually_in(own_broker, "lamp-2", two)
    with session(own_broker, "lamp-1", one) as lamp, session(own_broker, "lamp-2", two) as other:
        credentials("revoke", "lamp-1")
        eventually_in(own_broker, "lamp-1", one, wanted=False)
        other.publish("city/v1/streetlight/lamp-2/telemetry")
        monkeypatch.setattr("tests.parts.sessions.WAIT_S", 1.0)
        with pytest.raises(Empty):
            lamp.publish("city/v1/streetlight/lamp-1/telemetry")
    with platform(own_broker):
        pass


def test_only_registered_devices_are_issued_credentials(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    Path("city.csv").write_text(REGISTRY)
    Path("radio.csv").write_text(
        "asset,kind,device,model\nlamp-4,streetlight,dev-4,nas/ul20xx-1.1\nlamp-5,streetlight,70B3D57BA0000001,\n"
    )
    assert run(["registry", "import", "city.csv"]) == run(["registry", "import", "radio.csv"]) == 0
    monkeypatch.setenv("LAMPLIGHTER_GATEWAY_NETWORKS", "chirpstack=mqtt://127.0.0.1:1")
    assert run(["credentials", "issue", "dev-9", "--passwords", "p"]) == 1
    assert "dev-9 is not registered" in capfd.readouterr().err
    assert not Path("p").exists()
    assert run(["credentials", "issue", "dev-1", "--passwords", "p"]) == 0
    capfd.readouterr()
    assert run(["credentials", "issue", "--all-missing", "--passwords", "p"]) == 0
    out, err = capfd.readouterr()
    assert [line.split(",")[0] for line in out.splitlines()] == ["device", "dev-2"]
    assert "dev:3 needs no password" in err
    assert "2 devices come by a network server" in err
    assert out.splitlines()[1].split(",")[1] not in Path("p").read_text()
    assert run(["credentials", "issue", "--all-missing", "--passwords", "p"]) == 0
    out, err = capfd.readouterr()
    assert (out, "reloads" in err) == ("", False)


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def certificate(folder: Path, name: str, *more: str | Path) -> tuple[Path, Path]:
    """A certificate for two days and its key; `more` says who signs, else it does itself."""
    pem, key = folder / f"{name.replace(':', '_')}.pem", folder / f"{name.replace(':', '_')}.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    if more:
        request = folder / "request.pem"
        openssl("req", *curve, "-subj", f"/CN={name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-days", "2", "-CAcreateserial", *more, "-out", pem)
    else:
        alias = ["-addext", "subjectAltName=DNS:localhost"]
        openssl("req", "-x509", *curve, "-days", "2", "-subj", f"/CN={name}", *alias, "-out", pem)
    key.chmod(0o644)
    return pem, key


@contextmanager
def mosquitto(configuration: Path) -> Iterator[None]:
    program = mosquitto_program()
    assert program is not None
    process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def connects(port: int, login: tuple[str, str] | None, trust: Path | None, own: tuple[Path, Path] | None = None) -> str:
    """How a connection ends: `in`, `refused` by the broker, or `cut` before it could ask."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    if login:
        client.username_pw_set(*login)
    if trust:
        client.tls_set(str(trust), *(map(str, own) if own else ()))
    ends: Queue[str] = Queue()
    client.on_connect = lambda _c, _u, _f, reason, _p: ends.put("refused" if reason.is_failure else "in")
    client.on_disconnect = lambda *_: ends.put("cut")
    until = time.monotonic() + WAIT_S
    while True:
        try:
            client.connect("localhost", port)
            break
        except ssl.SSLError:
            return "cut"
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the broker does not start"
            time.sleep(0.05)
    client.loop_start()
    try:
        return ends.get(timeout=WAIT_S)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def town(home: Path) -> Path:
    """A folder with the broker's certificate `localhost.pem`, which is its own authority, and a place for messages."""
    if mosquitto_program() is None or shutil.which("openssl") is None:
        pytest.skip(NO_MOSQUITTO)
    certificate(home, "localhost")
    (home / "messages").mkdir()
    (home / "messages").chmod(0o777)
    return home


def configure(town: Path, *options: str) -> int:
    """Write the broker's configuration to `town/broker`; returns the port for TLS."""
    port = ports.free_port()
    files = ["--certificate", f"{town}/localhost.pem", "--key", f"{town}/localhost.key"]
    places = ["--out", f"{town}/broker", "--persistence", f"{town}/messages", "--address", "127.0.0.1"]
    assert run(["credentials", "broker-config", *files, *places, "--port", str(port), *options]) == 0
    return port


def test_where_tls_is_demanded_nobody_comes_in_without(town: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = configure(town)
    words = capfd.readouterr().out
    platform_login = ("platform", words.split("platform:")[1].split()[0])
    assert run(["credentials", "issue", "lamp-1", "--unregistered", "--passwords", f"{town}/broker/passwords.txt"]) == 0
    out, err = capfd.readouterr()
    lamp_login = ("lamp-1", out.strip())
    assert "reload" in err
    pair = ["--certificate", f"{town}/localhost.pem", "--key", f"{town}/localhost.key"]
    assert run(["credentials", "broker-config", *pair, "--out", f"{town}/broker"]) == 1
    assert "is there already: add --replace" in capfd.readouterr().err
    with mosquitto(town / "broker" / "mosquitto.conf"):
        trust = town / "localhost.pem"
        assert connects(port, platform_login, trust) == "in"
        assert connects(port, lamp_login, trust) == "in"
        assert connects(port, ("lamp-1", "wrong"), trust) == "refused"
        assert connects(port, None, trust) == "refused"
        assert connects(port, lamp_login, None) == "cut"


def test_a_client_certificate_names_the_device_and_nobody_comes_in_without_one(
    town: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also a device whose id holds a colon, for which a password file has no room."""
    local_port = ports.free_port()
    port = configure(town, "--client-authority", f"{town}/localhost.pem", "--local-port", str(local_port))
    platform_login = ("platform", capfd.readouterr().out.split("platform:")[1].split()[0])
    trust = town / "localhost.pem"
    own = certificate(town, "dev:3", "-CA", trust, "-CAkey", town / "localhost.key")
    with mosquitto(town / "broker" / "mosquitto.conf"):
        assert connects(local_port, platform_login, None) == "in"
        assert connects(local_port, None, None) == "refused"
        assert connects(port, None, trust, own) == "in"
        assert connects(port, platform_login, trust) == "cut"
        assert connects(port, None, trust, certificate(town, "stranger")) == "cut"
