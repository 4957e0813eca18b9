"""A city whose devices stand behind network servers: processes as an operator runs them, seen from outside."""

import asyncio
import base64
import datetime as dt
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bus.session import Watcher
from firmware_sim.city import City, write_csv
from firmware_sim.speech import parse_speech
from lamplighter.cli import run
from lamplighter.embedded import ports
from storage import registry
from storage.pool import connect
from telemetry.clock import to_us
from tests.integration.lamplighter.test_services import PLACE, Service
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually

START = "2026-11-20T16:30:00Z"
"""A Friday after work: it is dark, and car parks are busy."""
SPEED = 30
SPEAK = "chirpstack=2,the_things_stack=1"
TOWN = City(60, 5, float(PLACE["LAMPLIGHTER_CITY_LAT"]), float(PLACE["LAMPLIGHTER_CITY_LON"]))
DWELL_S = {True: 30 / SPEED, False: 60 / SPEED}
"""So long, in real time, a bay is occupied or free before it is shown so."""
WITHIN_S = 2.0
EDGES = 4


def rows() -> str:
    """The town's registry, each bay being a car park of its own that everybody may use."""
    found = []
    for row in TOWN.rows():
        if row["kind"] == "parking_bay":
            found.append(
                {**row, "asset": f"z-{row['asset']}", "kind": "zone", "device": "", "zone": "", "reserved_for": ""}
            )
            found.append({**row, "zone": f"z-{row['asset']}", "reserved_for": ""})
        else:
            found.append(row)
    return write_csv(found)


@dataclass
class Bays:
    """What bays said to their network server and what the public was told, each with the real time in s."""

    zones: dict[str, str]
    said: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    shown: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """An uplink; the last byte of a start-up, the first of all others has the state in bit 0."""
        zone = self.zones.get(topic.split("/")[3].removeprefix("eui-"))
        if zone is None:
            return
        said = json.loads(payload)
        up = said.get("uplink_message", said)
        port, data = up.get("f_port", up.get("fPort")), base64.b64decode(up.get("frm_payload", up.get("data")))
        occupied = bool(data[-1 if port == 3 else 0] & 1)
        if not self.said[zone] or self.said[zone][-1][1] != occupied:
            self.said[zone].append((time.monotonic(), occupied))

    async def watch(self, http: httpx.AsyncClient) -> None:
        """Look at the public's page again and again."""
        while True:
            for each in (await http.get("/public/v1/parking")).json()["zones"]:
                zone, known = each["zone"], each["free"] + each["occupied"] == 1
                occupied = each["occupied"] == 1
                if known and (not self.shown[zone] or self.shown[zone][-1][1] != occupied):
                    self.shown[zone].append((time.monotonic(), occupied))
            await asyncio.sleep(0.05)

    def edges(self) -> list[float]:
        """For each change that lasted: how long after the end of its dwell time the public was told."""
        late_s = []
        for zone, said in self.said.items():
            for nth, (at_s, occupied) in enumerate(said[1:], 1):
                due_s = at_s + DWELL_S[occupied]
                lasted = nth + 1 == len(said) or said[nth + 1][0] > due_s
                told_s = next((each for each, state in self.shown[zone] if state == occupied and each > at_s), None)
                if lasted and (told_s is not None or time.monotonic() > due_s + WITHIN_S):
                    late_s.append((told_s or time.monotonic()) - due_s)
        return late_s


@pytest.fixture
def settings(database: str, own_broker: BrokerPart, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    networks = ",".join(f"{name}={own_broker.url}" for name in ("chirpstack", "the_things_stack"))
    found = {
        "LAMPLIGHTER_DATABASE_URL": database,
        "LAMPLIGHTER_MQTT_URL": own_broker.url,
        "LAMPLIGHTER_GATEWAY_NETWORKS": networks,
        "LAMPLIGHTER_HTTP_PORT": str(ports.free_port()),
        "LAMPLIGHTER_CLOCK_START": START,
        "LAMPLIGHTER_CLOCK_SPEED": str(SPEED),
        **PLACE,
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def processes() -> Iterator[list[Service]]:
    started: list[Service] = []
    yield started
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


async def test_bays_are_seen_in_time_and_lamps_follow(
    settings: dict[str, str],
    processes: list[Service],
    tmp_path: Path,
    own_broker: BrokerPart,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with await connect(settings["LAMPLIGHTER_DATABASE_URL"]) as conn:
        await registry.import_csv(conn, rows(), to_us(dt.datetime.fromisoformat(START)))
    processes.append(Service(tmp_path / "up.log", settings, "up"))
    assert await asyncio.to_thread(run, ["token", "issue", "--role", "operator", "--expires", "1d"]) == 0
    login = {"Authorization": f"Bearer {capsys.readouterr().out.split()[-1]}"}
    await asyncio.to_thread(processes[0].until, '"event": "up"')

    bays = Bays({each.device.lower(): f"z-{each.asset}" for each in TOWN.members() if each.kind == "parking_bay"})
    filters = ["application/+/device/+/event/up", "v3/+/devices/+/up"]
    http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings['LAMPLIGHTER_HTTP_PORT']}", headers=login)
    async with http, Watcher(own_broker.url, "ear", filters, bays.hear) as ear:
        await ear.ready()
        watching = asyncio.create_task(bays.watch(http))
        arguments = ("simulate", "--devices", str(TOWN.devices), "--seed", str(TOWN.seed), "--speak", SPEAK)
        processes.append(Service(tmp_path / "simulate.log", settings, *arguments))

        async def all_shown() -> None:
            assert not watching.done(), watching
            assert len(bays.shown) == len(bays.zones)

        await eventually(all_shown, seconds=30)
        first_s = {zone: bays.shown[zone][0][0] - said[0][0] for zone, said in bays.said.items()}
        assert max(first_s.values()) < WITHIN_S, first_s

        lamps = {name: first_lamp(name) for name in ("chirpstack", "the_things_stack")}
        await asyncio.gather(*(dim(http, asset) for asset in lamps.values()))

        async def enough_edges() -> None:
            assert len(bays.edges()) >= EDGES

        await eventually(enough_edges, seconds=60)
        assert -0.5 < min(bays.edges()) <= max(bays.edges()) < WITHIN_S
        watching.cancel()
        assert "lamplighter_gateway_messages_total" in (await http.get("/metrics")).text
    assert [await asyncio.to_thread(each.end) for each in reversed(processes)] == [0, 0]


def first_lamp(language: str) -> str:
    """A lamp that stands behind this network server."""
    speech = parse_speech(SPEAK)
    lamps = [each for each in TOWN.members() if each.kind == "streetlight"]
    return next(each.asset for each in lamps if speech.of(each.device, TOWN.seed) == language)


async def dim(http: httpx.AsyncClient, asset: str) -> None:
    """Tell a lamp to give 70 %, and wait until it is seen to."""
    until = (dt.datetime.fromisoformat(START) + dt.timedelta(hours=3)).isoformat()
    wish = {"asset": asset, "set": {"setpoint_pct": 70}, "expires_at": until}
    answer = await http.post("/ops/v1/commands", json=wish)
    assert answer.status_code == 202, answer.text
    name = answer.json()["items"][0]["id"]

    async def verified() -> None:
        items = (await http.get("/ops/v1/commands", params={"asset": asset})).json()["items"]
        assert {each["id"]: each["state"] for each in items}[name] == "verified", items

    await eventually(verified, seconds=30)
    assert (await http.get(f"/ops/v1/assets/{asset}")).json()["latest"]["level_pct"] == 70
