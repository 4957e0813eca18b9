"""The gateway as an operator runs it: a process with settings, killed, told wrong things, mended."""

import asyncio
import datetime as dt
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamplighter.cli import run
from lamplighter.embedded import ports
from tests.integration.gateway.conftest import BAY, LAMP, Gateway, Town
from tests.integration.lamplighter.test_services import PLACE, Service
from tests.parts.broker import BrokerPart

REGISTRY = f"""asset,kind,name,zone,lat,lon,device
market,zone,Marktplatz,,51.43,7.33,
bay-1,parking_bay,Bay 1,market,,,{BAY}
lamp-1,streetlight,Lamp 1,,,,{LAMP}
"""
UPLINKS = 400

Start = Callable[[str], Service]


@pytest.fixture
def city() -> str:
    return REGISTRY


@pytest.fixture
def settings(database: str, own_broker: BrokerPart, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {
        "LAMPLIGHTER_DATABASE_URL": database,
        "LAMPLIGHTER_MQTT_URL": own_broker.url,
        "LAMPLIGHTER_GATEWAY_NETWORKS": f"chirpstack={own_broker.url}",
        "LAMPLIGHTER_HTTP_PORT": str(ports.free_port()),
        **PLACE,
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def start_one(command: str) -> Service:
        started.append(Service(tmp_path / f"{len(started)}.log", settings, command))
        started[-1].until('"event": "up"')
        return started[-1]

    yield start_one
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


async def test_a_gateway_that_is_killed_again_and_again_loses_no_uplink(start: Start, town: Town) -> None:
    ingest = await asyncio.to_thread(start, "ingest")
    for _ in range(2):
        gateway = await asyncio.to_thread(start, "gateway")
        for number in range(UPLINKS // 4):
            await town.up(BAY, bytes([number % 2]))
        os.kill(gateway.process.pid, signal.SIGKILL)
        for number in range(UPLINKS // 4):
            await town.up(BAY, bytes([number % 2]))
    gateway = await asyncio.to_thread(start, "gateway")
    await town.ledger(stored=UPLINKS)
    assert [await asyncio.to_thread(each.end) for each in (gateway, ingest)] == [0, 0]


def test_a_gateway_without_network_servers_says_so(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAMPLIGHTER_GATEWAY_NETWORKS")
    assert run(["gateway"]) == 2
    assert "LAMPLIGHTER_GATEWAY_NETWORKS" in capsys.readouterr().err


def test_a_wrong_file_of_models_is_one_sentence(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text('[[device]]\nprofile = "x"\nmodel = "no/such"')
    settings["LAMPLIGHTER_GATEWAY_MODELS"] = str(tmp_path / "models.toml")
    service = Service(tmp_path / "wrong.log", settings, "gateway")
    assert service.process.wait(30) == 1
    assert "does not list" in service.said.splitlines()[-1]
    assert "Traceback" not in service.said


async def test_what_could_not_be_read_is_stored_once_a_rule_names_its_codec(
    settings: dict[str, str], gateway: Gateway, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, body = town.frame(BAY, b"\x01")
    body["deviceInfo"]["deviceProfileName"] = "street bays"
    await town.say(topic, body)
    await town.ledger(received=1, quarantined=1)
    (tmp_path / "models.toml").write_text('[[device]]\nprofile = "street bays"\nmodel = "bosch/tps110"')
    monkeypatch.setenv("LAMPLIGHTER_GATEWAY_MODELS", str(tmp_path / "models.toml"))
    assert await asyncio.to_thread(run, ["quarantine", "replay"]) == 0
    await town.ledger(received=1, quarantined=1, replayed=1)
    ((at, received_at),) = await town.rows("SELECT observed_at, received_at FROM parking_bay")
    assert at == dt.datetime.fromisoformat(body["time"]), "with its original time"
    assert received_at >= at
