"""`lamplighter up` and its parts as an operator runs them: processes with settings, ended by signals."""

import datetime as dt
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from paho.mqtt.publish import multiple, single

from lamplighter.cli import run
from lamplighter.docs.metrics import names
from lamplighter.embedded import ports
from tests.parts.broker import BrokerPart
from tests.parts.service import SECONDS, Service

ROOT = Path(__file__).parents[3]
PLACE = {"LAMPLIGHTER_CITY_LAT": "51.4", "LAMPLIGHTER_CITY_LON": "7.3"}
NEAR_PAST_MS = int(time.time() - 3600) * 1000
"""Times from here on are neither of the future nor of a past that retention drops while a test looks on."""
REGISTRY = "asset,kind,zone,lat,lon,device\nlamp-1,streetlight,market,51.4,7.3,dev-1\n"


Start = Callable[..., Service]


@pytest.fixture
def settings(database: str, own_broker: BrokerPart) -> dict[str, str]:
    port = str(ports.free_port())
    servers = {"LAMPLIGHTER_DATABASE_URL": database, "LAMPLIGHTER_MQTT_URL": own_broker.url}
    return {**servers, **PLACE, "LAMPLIGHTER_HTTP_PORT": port}


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def start_one(*arguments: str, **changed: str) -> Service:
        log = tmp_path / f"{len(started)}.log"
        started.append(Service(log, {**settings, **changed}, *arguments))
        return started[-1]

    yield start_one
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
        print(service.said)  # shown where the test failed


def register(settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, city: str = REGISTRY) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE_URL", settings["LAMPLIGHTER_DATABASE_URL"])
    (tmp_path / "city.csv").write_text(city)
    assert run(["registry", "import", str(tmp_path / "city.csv")]) == 0


def publish(broker: BrokerPart, payload: dict[str, object], kind: str = "streetlight", device: str = "dev-1") -> None:
    topic = f"city/v1/{kind}/{device}/telemetry"
    login = {"username": "platform", "password": broker.url.split(":")[2].split("@")[0]}
    single(topic, json.dumps(payload), qos=1, hostname=broker.host, port=broker.port, auth=login)  # type: ignore[arg-type]


def stored(settings: dict[str, str]) -> int:
    with psycopg.connect(settings["LAMPLIGHTER_DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM streetlight").fetchone()
    assert row
    return int(row[0])


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_up_stores_decides_and_answers_until_it_is_told_to_end(
    start: Start, settings: dict[str, str], own_broker: BrokerPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(settings, tmp_path, monkeypatch)
    service = start("up")
    service.until('"event": "up"')
    http = f"http://127.0.0.1:{settings['LAMPLIGHTER_HTTP_PORT']}"
    assert httpx.get(f"{http}/readyz").status_code == 200
    figures = set(re.findall(r"^# TYPE (\S+) ", httpx.get(f"{http}/metrics").text, re.MULTILINE))
    figures = {name for name in figures if not name.endswith("_created")}
    assert figures <= names(), "docs/metrics.md has them all"
    assert service.addresses_heard == {"127.0.0.1"}
    publish(own_broker, {"level_pct": 70})
    eventually(lambda: stored(settings) == 1)
    metrics = httpx.get(f"{http}/metrics").text
    assert "lamplighter_ingest_received_total 1.0" in metrics
    assert "lamplighter_rules_leading 1.0" in metrics
    assert service.end() == 0


def test_services_run_as_processes_of_their_own_and_share_the_work(
    start: Start, settings: dict[str, str], own_broker: BrokerPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(settings, tmp_path, monkeypatch)
    services = [start("rules"), start("api"), *(start_member(start, number) for number in (1, 2))]
    for service in services:
        service.until('"event": "up"')
    for second in range(20):
        publish(own_broker, {"ts": NEAR_PAST_MS + second * 1000, "level_pct": 70})
    eventually(lambda: stored(settings) == 20)
    assert [service.end(signal.SIGINT) for service in services] == [0, 0, 0, 0]


FLOODED = "asset,kind,zone,lat,lon,device,crown_m,ground_m\ndrain-1,drain_level,market,51.4,7.3,dev-2,1.0,2.0\n"


def test_one_reading_is_followed_from_uplink_to_row_to_alarm_to_command_by_one_name(
    start: Start, settings: dict[str, str], own_broker: BrokerPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(settings, tmp_path, monkeypatch, FLOODED)
    service = start("up", LAMPLIGHTER_LOG_LEVEL="debug")
    service.until('"event": "up"')
    observed_at = dt.datetime.now(dt.UTC).replace(microsecond=0)
    name = f"drain-1@{observed_at:%Y-%m-%dT%H:%M:%SZ}"
    publish(own_broker, {"ts": observed_at.isoformat(), "level_m": 2.2}, kind="drain_level", device="dev-2")
    for event in ("observation durable", "command sent"):  # in whichever order: rules do not wait for the commit
        service.until(f'"event": "{event}"')
    lines = [json.loads(line) for line in service.said.splitlines() if line.startswith("{")]
    told = {line["event"]: line for line in lines if line.get("trace") == name}
    assert {"observation durable", "alarm raised", "command sent"} <= told.keys(), told
    assert service.end() == 0
    with psycopg.connect(settings["LAMPLIGHTER_DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM drain_level WHERE observed_at = %s", (observed_at,)).fetchone()
        alarms = "SELECT DISTINCT asset FROM alarm WHERE observed_at = %s"
        alarm = connection.execute(alarms, (observed_at,)).fetchone()
        commands = "SELECT asset, settings FROM command WHERE id = %s"
        command = connection.execute(commands, (told["command sent"]["command"],)).fetchone()
    assert (row, alarm, command) == ((1,), ("drain-1",), ("drain-1", {"report_every_s": 60}))


def start_member(start: Start, number: int) -> Service:
    return start("ingest", "--share", "city", "--member", str(number))


def test_a_member_that_was_killed_gets_back_what_the_broker_holds_for_it(
    start: Start, settings: dict[str, str], own_broker: BrokerPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an id of its own after every start, a member left what was in flight to it, and its part since, unread."""
    register(settings, tmp_path, monkeypatch)
    one, other = (start_member(start, number) for number in (1, 2))
    for service in (one, other):
        service.until('"event": "up"')
    one.process.send_signal(signal.SIGSTOP)  # so that what the broker sends it stays in flight
    publish_many(own_broker, range(400))
    eventually(lambda: stored(settings) > 0)
    one.end(signal.SIGKILL)
    publish_many(own_broker, range(400, 800))
    time.sleep(2)
    assert 0 < stored(settings) < 800, "the broker holds the dead member's part for it"
    again = start_member(start, 1)
    again.until('"event": "up"')
    eventually(lambda: stored(settings) == 800)
    assert [service.end() for service in (again, other)] == [0, 0]


def test_who_goes_over_to_several_processes_and_back_retires_those_that_are_left(
    start: Start, settings: dict[str, str], own_broker: BrokerPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(settings, tmp_path, monkeypatch)
    alone = start("ingest")
    alone.until('"event": "up"')
    assert alone.end() == 0
    publish_many(own_broker, range(100))
    members = [start_member(start, number) for number in (1, 2)]
    for member in members:
        member.until('"event": "up"')
    publish_many(own_broker, range(100, 200))
    eventually(lambda: stored(settings) == 100)
    assert "200 observations that waited" in retired(start), "those before and, a second time, those since"
    assert stored(settings) == 200
    assert members[1].end() == 0
    publish_many(own_broker, range(200, 300))
    assert "observations that waited" in retired(start, "--share", "city", "--member", "2")
    eventually(lambda: stored(settings) == 300)
    publish_many(own_broker, range(300, 400))
    eventually(lambda: stored(settings) == 400)
    assert members[0].end() == 0


def retired(start: Start, *arguments: str) -> str:
    """Retire a process; what the command says."""
    command = start("ingest", *arguments, "--retire")
    assert command.process.wait(SECONDS) == 0, command.said
    return command.said


def publish_many(broker: BrokerPart, seconds: range) -> None:
    login = {"username": "platform", "password": broker.url.split(":")[2].split("@")[0]}
    topic = "city/v1/streetlight/dev-1/telemetry"
    payloads = [json.dumps({"ts": NEAR_PAST_MS + second * 1000, "level_pct": 70}) for second in seconds]
    messages = [{"topic": topic, "payload": payload, "qos": 1} for payload in payloads]
    multiple(messages, hostname=broker.host, port=broker.port, auth=login)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [["--share", "city"], ["--member", "1"], ["--share", "a b", "--member", "1"]])
def test_a_share_has_a_name_and_its_members_have_numbers(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ingest", *arguments]) == 2
    assert "share" in capsys.readouterr().err


def test_ingest_needs_no_place(start: Start) -> None:
    service = start("ingest", LAMPLIGHTER_CITY_LAT="", LAMPLIGHTER_CITY_LON="")
    service.until('"event": "up"')
    assert service.end() == 0


@pytest.mark.parametrize(
    ("command", "changed", "sentence", "code"),
    [
        ("rules", {"LAMPLIGHTER_CITY_LAT": ""}, "LAMPLIGHTER_CITY_LAT", 2),
        ("ingest", {"LAMPLIGHTER_MQTT_URL": "mqtt://me:wrong@{broker}"}, "mend LAMPLIGHTER_MQTT_URL", 1),
        ("ingest", {"LAMPLIGHTER_DATABASE_URL": "{database}_none"}, "does not exist", 1),
        ("api", {"LAMPLIGHTER_HTTP_PORT": "{broker_port}"}, "LAMPLIGHTER_HTTP_PORT", 1),
    ],
)
def test_what_keeps_a_service_from_starting_is_one_sentence(
    start: Start,
    settings: dict[str, str],
    own_broker: BrokerPart,
    command: str,
    changed: dict[str, str],
    sentence: str,
    code: int,
) -> None:
    where = {
        "broker": f"{own_broker.host}:{own_broker.port}",
        "broker_port": own_broker.port,
        "database": settings["LAMPLIGHTER_DATABASE_URL"],
    }
    service = start(command, **{name: value.format(**where) for name, value in changed.items()})
    assert service.process.wait(SECONDS) == code, service.said
    assert sentence in service.said.splitlines()[-1]
    assert "Traceback" not in service.said


def test_a_database_without_schema_is_told_to_migrate(start: Start, empty_database: str) -> None:
    service = start("ingest", LAMPLIGHTER_DATABASE_URL=empty_database)
    assert service.process.wait(SECONDS) == 1
    assert "lamplighter migrate" in service.said.splitlines()[-1]


def test_services_that_are_set_alike_share_one_city_clock(start: Start, settings: dict[str, str]) -> None:
    clock = {"LAMPLIGHTER_CLOCK_START": "2018-06-01T00:00:00Z", "LAMPLIGHTER_CLOCK_SPEED": "100"}
    start("rules", **clock).until('"event": "up"')
    anchor = clock_row(settings)
    start("ingest", **clock).until('"event": "up"')
    assert clock_row(settings) == anchor
    start("api", LAMPLIGHTER_CLOCK_SPEED="1").until('"event": "up"')
    assert clock_row(settings) is None


def clock_row(settings: dict[str, str]) -> tuple[object, ...] | None:
    with psycopg.connect(settings["LAMPLIGHTER_DATABASE_URL"]) as connection:
        return connection.execute("SELECT start_at, anchor_at, speed FROM city_clock").fetchone()


def test_a_process_without_the_api_tells_its_figures_on_this_machine(start: Start) -> None:
    port = ports.free_port()
    keeper = start("upkeep", "--metrics-port", str(port))
    keeper.until('"up"')
    assert "lamplighter_upkeep_days_total" in httpx.get(f"http://127.0.0.1:{port}/metrics", follow_redirects=True).text
