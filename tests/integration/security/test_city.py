"""A city whose services are processes of an ordinary user, each with a database role and broker users of its own.

It stores, raises, dims and answers without meeting a right that is missing; what its sessions read and write at the
broker is what they may, no more and no less; no planted secret shows in anything that it prints, serves or shows in a
process list; and nothing of it listens beyond loopback.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.publish import multiple

from bus import users
from bus.address import parse_address
from lamplighter.cli import run
from lamplighter.embedded import ports
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import mosquitto_program
from lamplighter.embedded.postgres import RunningPostgres
from lamplighter.install import town, units
from lamplighter.install.plan import File, carry_out
from storage import roles, tokens
from storage.pool import connect
from telemetry import topics
from tests.conftest import NO_MOSQUITTO
from tests.parts import databases
from tests.parts.background import Background
from tests.parts.broker import BrokerPart
from tests.parts.installed import InstalledBroker
from tests.parts.service import Runner, Service

REGISTRY = """asset,kind,zone,lat,lon,device,ground_m,sensor_height_m
market,zone,,51.4,7.3,,,
lamp-1,streetlight,market,51.4,7.3,L1,,
drain-1,drain_level,market,51.4,7.3,D1,1.5,2
bay-1,parking_bay,market,51.4,7.3,B1,,
bay-2,parking_bay,market,51.4,7.3,{radio_bay},,
"""
RADIO_BAY = "a81758fffe0304aa"
UPLINK = {
    "deviceInfo": {"devEui": RADIO_BAY, "deviceProfileName": "bosch/tps110", "applicationId": "7"},
    "deduplicationId": "1",
    "fCnt": 1,
    "fPort": 1,
    "data": "AQ==",
}
SERVICES = ("ingest", "upkeep", "rules", "api", "gateway")
SECONDS = 30.0
PLANTED = "planted"
"""Every secret that a test chooses begins so; the broker draws its own."""
NOT_WRITTEN = {topics.ack("+", "+"), topics.radio_gateway("+"), topics.settled("+")}
"""No device by radio answers a command in this city, no radio gateway is out, and no member of a share has gone."""
REFUSED = ("permission denied", "must be owner", "may not do this", "InsufficientPrivilege")


@dataclass
class City:
    """What the tests ask."""

    owner: str
    broker: InstalledBroker
    http: str
    token: str
    network_server: str
    services: dict[str, Service] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> set[str]:
        return {PLANTED, self.token, self.owner.split(":")[2].split("@")[0], *self.broker.passwords}

    def ask(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, self.http + path, headers=headers, json=body or None, timeout=10)
        self.said.append(answer.text)
        assert answer.status_code < 300, f"{path}: {answer.text}"
        return answer

    def publish(self, *messages: tuple[str, object]) -> None:
        publish(self.broker.url, *messages)


def publish(broker: str, *messages: tuple[str, object], retain: bool = False) -> None:
    at = parse_address(broker)
    login: Any = {"username": at.user, "password": at.password}
    kept = {"qos": 1, "retain": retain}
    batch: Any = [{"topic": topic, "payload": _text(payload), **kept} for topic, payload in messages]
    door: Any = {"transport": "unix" if at.path else "tcp", "hostname": at.path or at.host, "port": at.port or 1}
    multiple(batch, auth=login, **door)


def _text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload)


@pytest.fixture(scope="module")
def city(
    background: Background,
    role_server: RunningPostgres,
    session_home: Path,
) -> Iterator[City]:
    runner = Runner.ordinary()
    if mosquitto_program() is None or runner is None:
        pytest.skip(NO_MOSQUITTO if runner else "no Python here is open to an ordinary user")
    folder = data_folder(session_home / "city")
    broker = InstalledBroker(installed(folder / "machine"), data_folder(folder / "broker"))
    network_server = BrokerPart(background, data_folder(folder / "network_server"), "mosquitto")
    with databases.fresh_database(role_server.url) as owner:
        make_roles(owner)
        databases.migrate(owner)
        (folder / "city.csv").write_text(REGISTRY.format(radio_bay=RADIO_BAY))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAMPLIGHTER_DATABASE_URL", owner)
            assert run(["registry", "import", str(folder / "city.csv")]) == 0
        port = ports.free_port()
        here = City(owner, broker, f"http://127.0.0.1:{port}", issued(owner), network_server.url)
        publish(broker.url, (topics.gateway_note("gone"), {}), (topics.radio_gateway("gone"), {}), retain=True)
        try:
            for name in SERVICES:
                here.services[name] = start(here, name, folder, port, runner)
            for service in here.services.values():
                service.until('"event": "up"')
            yield here
        finally:
            for service in here.services.values():
                if service.process.poll() is None:
                    service.end()
            broker.stop()
            network_server.stop()


def installed(root: Path) -> Path:
    """The files of the broker as `lamplighter install` writes them, below `root`; no user or unit is made."""
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "group").write_text("mosquitto:x:0:\n")
    here = town.Town(root, 51.4, 7.3, "Europe/Berlin", "localhost", "127.0.0.1", ports.free_port())
    wanted = (town.BROKER, units.SECRETS)
    steps = [
        each
        for each in town.steps(here, root)
        if (any(map(each.path.is_relative_to, wanted)) if isinstance(each, File) else each.arguments[0] == "openssl")
    ]
    carry_out(steps, root, lambda _: None)
    return root


def make_roles(owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        for service in roles.RIGHTS:
            role, word = roles.role_of(service), "ALTER"
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                word = "CREATE"
            connection.execute(f"{word} ROLE {role} LOGIN PASSWORD '{PLANTED}-{service}'")  # type: ignore[arg-type]


def issued(owner: str) -> str:
    async def work() -> str:
        async with await connect(owner) as connection:
            now_us = time.time_ns() // 1_000
            _, secret = await tokens.issue(
                connection, role="admin", expires_us=now_us + 3_600_000_000, real_now_us=now_us
            )
            return secret

    return asyncio.run(work())


def start(city: City, name: str, folder: Path, port: int, runner: Runner) -> Service:
    """The service with its secrets in a folder, as systemd and containers hand them over."""
    secrets = folder / name
    secrets.mkdir(mode=0o700)
    database = city.owner
    if name in roles.RIGHTS:
        server = city.owner.rpartition("@")[2]
        database = f"postgresql://{roles.role_of(name)}:{PLANTED}-{name}@{server}"
    texts = {"database_url": database, "grafana_token": f"{PLANTED}-grafana"}
    if name in users.SESSIONS:
        texts["mqtt_url"] = city.broker.url_of(name)
    if name == "gateway":
        texts["gateway_networks"] = f"chirpstack={city.network_server}"
    for setting, text in texts.items():
        (secrets / setting).write_text(text)
    (secrets / "data").mkdir()
    if runner.who:
        for path in (secrets, *secrets.iterdir()):
            os.chown(path, runner.who["user"], runner.who["group"])
    settings = {
        "LAMPLIGHTER_SECRETS_DIR": str(secrets),
        "LAMPLIGHTER_CITY_LAT": "51.4",
        "LAMPLIGHTER_CITY_LON": "7.3",
        "LAMPLIGHTER_HTTP_PORT": str(port),
        "LAMPLIGHTER_DATA_DIR": str(secrets / "data"),
        "LAMPLIGHTER_LOG_LEVEL": "debug",
    }
    arguments = [name, "--without-upkeep"] if name == "ingest" else [name]
    return Service(folder / f"{name}.log", settings, *arguments, runner=runner)


def eventually(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


def test_a_city_of_separate_roles_does_all_its_work(city: City) -> None:
    city.publish(
        ("city/v1/streetlight/L1/telemetry", {"level_pct": 70, "power_w": 40}),
        ("city/v1/streetlight/L1/telemetry", [{"ts": "1999-05-01T12:00:00Z", "level_pct": 1}]),
        ("city/v1/drain_level/D1/telemetry", {"level_m": 1.7}),
        ("city/v1/parking_bay/B1/telemetry", {"occupied": False}),
        ("city/v1/parking_bay/B1/status", {"online": True, "firmware": "1"}),
        ("city/v1/drain_level/nobody/telemetry", {"level_m": 1.7}),
        ("city/v1/drain_level/D1/telemetry", "{"),
    )
    publish(
        city.network_server, *((f"application/7/device/{RADIO_BAY}/event/{each}", UPLINK) for each in ("join", "up"))
    )
    alarm = eventually(lambda: city.ask("GET", "/ops/v1/alarms?state=active").json()["items"])[0]["id"]
    eventually(lambda: city.ask("GET", "/ops/v1/ledger").json()["quarantined"] == 2)
    city.ask("POST", f"/ops/v1/alarms/{alarm}/acknowledge", note="seen")
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    city.ask("POST", f"/ops/v1/alarms/{alarm}/shelve", until=until, reason="known")
    city.ask("POST", f"/ops/v1/alarms/{alarm}/unshelve")
    order = city.ask("POST", "/ops/v1/commands", asset="lamp-1", set={"setpoint_pct": 100}, expires_at=until, note="x")
    ordered = order.json()["items"][0]["id"]
    eventually(lambda: sent(city, ordered))
    city.publish(("city/v1/streetlight/L1/ack", {"id": ordered, "ok": True, "applied": {"setpoint_pct": 100}}))
    city.ask("DELETE", f"/ops/v1/commands/{ordered}")
    city.ask("POST", "/ops/v1/zones/market/closure", expires_at=until, note="market day")
    city.ask("DELETE", "/ops/v1/zones/market/closure")
    city.ask("POST", "/ops/v1/zones/market/all-on", expires_at=until, note="x")
    for path in ("assets", "assets/lamp-1", "quarantine", "ledger?by=day", "zones/market/measures"):
        city.ask("GET", f"/ops/v1/{path}")
    span = f"from=2020-01-01T00:00:00Z&to={until}"
    for every in ("", "&every=15m", "&every=1h", "&every=1d"):
        city.ask("GET", f"/ops/v1/assets/lamp-1/observations?{span}{every}")
    city.ask("GET", f"/ops/v1/annotations?{span}")
    for path in ("parking", "parking/market", "parking.geojson", "parking/market/forecast"):
        city.ask("GET", f"/public/v1/{path}")
    for path in ("/readyz", "/v1.1/Things", "/v1.1/Observations", "/api/public/v3/parking-spots", "/metrics"):
        city.ask("GET", path)
    eventually(lambda: rolled_up(city))


def sent(city: City, command: str) -> bool:
    items = city.ask("GET", "/ops/v1/commands?asset=lamp-1").json()["items"]
    return any(each["id"] == command and each["state"] != "queued" for each in items)


def rolled_up(city: City) -> bool:
    with psycopg.connect(city.owner) as connection:
        return bool(connection.execute("SELECT FROM streetlight_hourly").rowcount)


def test_no_service_met_a_right_that_it_lacks(city: City) -> None:
    for name, service in city.services.items():
        assert not [word for word in REFUSED if word in service.said], f"{name}: {service.said}"


def test_each_session_reads_and_writes_at_the_broker_what_it_may_and_all_of_that(city: City) -> None:
    assert city.broker.denied() == []
    subscribed, heard, written = city.broker.subscriptions(), city.broker.heard(), city.broker.written()
    for user, rights in users.everybody():
        assert {topic for who, topic in subscribed if who == user} == set(rights.reads), user
        assert idle({topic for who, topic in heard if who == user}, rights.reads) == set(), user
        assert idle({topic for who, topic in written if who == user}, rights.writes) <= NOT_WRITTEN, user


def idle(met: set[str], filters: tuple[str, ...]) -> set[str]:
    """The filters that no topic fits of those that were met, each of which fits one."""
    fits = {each: {topic for topic in met if topic_matches_sub(each, topic)} for each in filters}
    assert met == set().union(*fits.values())
    return {each for each, found in fits.items() if not found}


def test_each_service_is_in_the_database_under_its_own_name_and_is_an_ordinary_user(city: City) -> None:
    with psycopg.connect(city.owner) as connection:
        rows = connection.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()")
        assert {roles.role_of(name) for name in roles.RIGHTS} <= {name for (name,) in rows}
    for service in city.services.values():
        assert psutil.Process(service.process.pid).uids().real != 0


def test_no_secret_shows_in_what_the_city_prints_serves_or_shows_in_a_process_list(
    city: City, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = {name: service.said for name, service in city.services.items()}
    shown["answers"] = "\n".join(city.said)
    everybody = (process for service in city.services.values() for process in service.tree)
    shown["process list"] = "\n".join(" ".join(process.cmdline()) for process in everybody)
    server = city.owner.rpartition("@")[2]
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", city.owner)
    monkeypatch.setenv("LAMPLIGHTER_MQTT_URL", city.broker.url)
    monkeypatch.setenv("LAMPLIGHTER_GRAFANA_TOKEN", f"{PLANTED}-token")
    monkeypatch.setenv("LAMPLIGHTER_GRAFANA_URL", f"http://me:{PLANTED}@127.0.0.1:1")
    monkeypatch.setenv("LAMPLIGHTER_LOG_LEVEL", "debug")
    run(["doctor"])
    run(["dashboards", "push"])
    for name, command, values in (
        ("DATABASE_URL", "migrate", wrong_databases(server)),
        ("MQTT_URL", "api", wrong_brokers(city.broker.port)),
        ("GATEWAY_NETWORKS", "migrate", [f"chirpstack=mqtt://me:{PLANTED}@lora.example", f"unknown={PLANTED}"]),
        ("CITY_LAT", "migrate", ["north"]),
    ):
        for value in values:
            with monkeypatch.context() as patch:
                patch.setenv(f"LAMPLIGHTER_{name}", value)
                patch.setattr("lamplighter.compose.PATIENCE_S", 0.0)
                patch.setenv("LAMPLIGHTER_HTTP_PORT", str(ports.free_port()))
                assert run([command]) > 0
    out, err = capfd.readouterr()
    shown["commands"] = out + err
    for secret in city.secrets:
        for where, text in shown.items():
            assert secret not in text, f"{secret} in {where}: …{text[max(0, text.find(secret) - 300) :][:600]}…"
    assert "The broker keeps what it acknowledges" in shown["commands"], "doctor came in by the platform's own door"
    assert "password authentication failed" in shown["commands"], "the errors were those that were meant"


def wrong_databases(server: str) -> list[str]:
    login = f"postgresql://lamplighter:{PLANTED}"
    elsewhere = ("127.0.0.1:1/city", "127.0.0.1:port/city", "db.example/city")
    return [f"{login}@{place}" for place in (server, *elsewhere)] + [f"{login}%zz@{server}", f"postgres//{PLANTED}"]


def wrong_brokers(port: int) -> list[str]:
    return [
        f"mqtt://platform:{PLANTED}@{place}"
        for place in (f"127.0.0.1:{port}", "127.0.0.1:1", "broker.example", f"127.0.0.1/path?{PLANTED}")
    ]


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/ops/alarms/x", "/ops/v1/alarms", "/nowhere", "/metrics"]
)
def test_every_answer_tells_browsers_what_it_may_do(city: City, path: str) -> None:
    headers = httpx.get(city.http + path).headers
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_nothing_listens_beyond_loopback(city: City) -> None:
    assert set().union(*(service.addresses_heard for service in city.services.values())) == {"127.0.0.1"}
    port = int(city.http.rsplit(":", 1)[1])
    for address in others():
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), timeout=5)


def others() -> set[str]:
    """This machine's addresses as the world sees them."""
    found = {each.address for several in psutil.net_if_addrs().values() for each in several if each.family == 2}
    return {address for address in found if not address.startswith("127.")}
