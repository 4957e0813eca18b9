"""`lamplighter install` below another root: systemd, openssl, Mosquitto and PostgreSQL accept what it writes."""

import asyncio
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bus import users
from bus.address import parse_address
from bus.connection import Connection, Refused, Terms, connect
from bus.reconnecting import Untrusted
from gateway import credentials
from lamplighter.cli import run
from lamplighter.embedded import handshake, ports
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.embedded.postgres import RunningPostgres
from lamplighter.install import database, town
from storage import reader, roles
from tests.conftest import NO_MOSQUITTO
from tests.parts.installed import InstalledBroker

NEEDED = ("systemd-sysusers", "systemd-tmpfiles", "systemctl", "openssl")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to other users"),
    pytest.mark.skipif(any(shutil.which(each) is None for each in NEEDED), reason="this machine has no systemd"),
]
SERVICES = {"ingest", "gateway", "rules", "api", "upkeep", "migrate", "backup"}


@pytest.fixture(scope="module")
def port() -> int:
    return ports.free_port()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, port: int) -> Path:
    """A machine with the account of its broker, on which a town was installed twice."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "etc").mkdir()
    (folder / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\nmosquitto:x:4242:4242::/:/bin/false\n")
    (folder / "etc" / "group").write_text("root:x:0:\nmosquitto:x:4242:\n")
    (folder / "networks").write_text("chirpstack=mqtts://gateway:hush@lora.example\n")
    for _ in range(2):
        assert run(arguments(port, "--root", str(folder), "--networks", str(folder / "networks"))) == 0
    return folder


def arguments(port: int, *more: str) -> list[str]:
    place = ["--lat", "51.4", "--lon", "6.9", "--name", "localhost"]
    return ["install", *place, "--address", "127.0.0.1", "--port", str(port), *more]


def test_a_second_time_changes_nothing(root: Path, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(root)
    assert run(arguments(port, "--root", str(root), "--networks", str(root / "networks"))) == 0
    assert contents(root) == before
    said = capsys.readouterr().out
    assert "wrote" not in said
    assert "replaced" not in said


def contents(root: Path) -> dict[Path, tuple[bytes, int, int]]:
    places = (path for part in ("etc/lamplighter", "etc/mosquitto", "etc/systemd") for path in (root / part).rglob("*"))
    return {path: (path.read_bytes(), path.stat().st_mode, path.stat().st_gid) for path in places if path.is_file()}


def test_the_units_are_what_systemd_understands_and_leave_little_open(root: Path) -> None:
    units = {path.name: path for path in (root / "etc/systemd/system").glob("lamplighter-*.service")}
    assert units.keys() == {f"lamplighter-{name}.service" for name in SERVICES}
    checked = subprocess.run(
        ["systemd-analyze", "verify", *units.values()], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    judge = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", *units.values()]
    judged = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout
    assert (root / "etc/systemd/system/multi-user.target.wants/lamplighter.target").is_symlink()


def test_each_service_is_an_ordinary_user_with_the_name_of_its_role(root: Path) -> None:
    users = {line.split(":")[0]: line.split(":") for line in (root / "etc/passwd").read_text().splitlines()}
    for name in roles.RIGHTS:
        assert users[roles.role_of(name)][6] == "/usr/sbin/nologin"
        unit = (root / f"etc/systemd/system/lamplighter-{name}.service").read_text()
        assert f"\nUser={roles.role_of(name)}\n" in unit
        assert "hush" not in unit


def test_secrets_are_roots_alone_and_the_broker_reads_its_own(root: Path) -> None:
    for path in (root / "etc/lamplighter/secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (root / "etc/lamplighter/authority/ca-key.pem").stat().st_mode & 0o077 == 0
    for name in ("passwords.txt", "access.txt", "certs/broker-key.pem"):
        status = (root / "etc/mosquitto" / name).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, 4242)


async def test_a_mosquitto_so_configured_lets_the_platform_in_by_tls(root: Path, port: int, tmp_path: Path) -> None:
    if mosquitto_program() is None:
        pytest.skip(NO_MOSQUITTO)
    passwords = root / "etc/mosquitto/passwords.txt"
    before = passwords.read_text()
    passwords.write_text(credentials.issued(before, {"L1": "device"}))
    broker = InstalledBroker(root, tmp_path)
    trust = f"?ca={root / 'etc/lamplighter/authority/ca.pem'}"
    try:
        for name in users.SESSIONS:
            await handshake.shake_hands(broker.url_of(name), client_id=f"{name}-door")
        by_tls = f"{broker.url.split('@')[0].replace('mqtt+unix', 'mqtts')}@localhost:{port}"
        await handshake.shake_hands(f"{by_tls}{trust}")
        with pytest.raises(Untrusted):
            await handshake.shake_hands(by_tls)
        with pytest.raises(handshake.Refused):
            await handshake.shake_hands(f"mqtt://platform:guessed@127.0.0.1:{broker.port}")
        device = f"mqtts://L1:device@localhost:{port}{trust}"
        await nobody_takes_over(broker.url_of("ingest"), device, broker.url_of("api"))
    finally:
        broker.stop()
        passwords.write_text(before)


async def nobody_takes_over(ours: str, *thieves: str) -> None:
    """Who calls himself as a service does, to end its session and its queue, ends only his own."""

    async def session(url: str) -> Connection:
        return await connect(5, parse_address(url), Terms("ingest"), lambda connection, arrivals: None)

    service = await session(ours)
    for url in thieves:
        thief = await session(url)
        await session(url)
        await asyncio.wait_for(thief.closed, 5)
    with pytest.raises(Refused):  # nor does one service's password do for another's user
        await session(thieves[-1].replace("mqtt://api:", "mqtt://:"))
    assert not service.closed.done()
    service.leave()


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_the_databases_script_makes_roles_that_come_in_by_password_and_may_do_it_again(
    role_server: RunningPostgres,
) -> None:
    drawn = {role: f"drawn-for-{role}" for role in database.ALL if role != database.OWNER}
    script = database.script(drawn).replace(f"DATABASE {database.DATABASE}", "DATABASE installed")
    script = script.replace(f"datname = '{database.DATABASE}'", "datname = 'installed'")
    script = script.replace(f"\\connect {database.DATABASE}", "\\connect installed")
    for _ in range(2):
        command = ["psql", "--no-psqlrc", "--quiet", role_server.url_of("postgres")]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    server = role_server.url_of("installed").rpartition("@")[2]
    for role, password in drawn.items():
        with psycopg.connect(f"postgresql://{role}:{password}@{server}") as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)
    with psycopg.connect(f"postgresql://{reader.ROLE}:{drawn[reader.ROLE]}@{server}") as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)


def test_a_dry_run_shows_everything_but_secrets_and_writes_nothing(
    tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = tmp_path / "networks"
    networks.write_text("chirpstack=mqtts://gateway:hush@lora.example")
    assert run(arguments(port, "--root", str(tmp_path), "--networks", str(networks), "--dry-run")) == 0
    shown = capsys.readouterr().out
    for word in (
        "systemd-sysusers",
        "openssl req",
        "psql",
        "ProtectSystem=strict",
        "max_queued_messages",
        "REVOKE ALL",
    ):
        assert word in shown
    assert "hush" not in shown
    assert "(drawn when it is run)" in shown
    assert list(tmp_path.iterdir()) == [networks]


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda patch: patch.setattr(os, "geteuid", lambda: 1000), "Users and services are made by root"),
        (
            lambda patch: patch.setenv("PATH", "/nowhere"),
            "`apt install mosquitto openssl postgresql systemd util-linux`",
        ),
    ],
)
def test_a_machine_that_cannot_is_told_why(
    prepare: Callable[[pytest.MonkeyPatch], None],
    sentence: str,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare(monkeypatch)
    assert run(arguments(port)) == 1
    assert sentence in capsys.readouterr().err


def test_the_programs_that_are_asked_for_are_those_that_are_run(tmp_path: Path) -> None:
    here = town.Town(Path("/opt/lamplighter"), 51, 7, "Europe/Berlin", "localhost", "127.0.0.1", 8883)
    run_programs = {step.arguments[0] for step in town.steps(here, tmp_path) if hasattr(step, "arguments")}
    assert run_programs <= town.PROGRAMS.keys()
