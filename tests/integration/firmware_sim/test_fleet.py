"""A town against a real broker: everybody speaks, obeys, and forgets nothing when the broker dies."""

import asyncio
import itertools
import json
import os
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest

from bus.device import Line
from firmware_sim import fleet
from firmware_sim.city import City
from firmware_sim.faults import NONE, Faults
from firmware_sim.fleet import Progress
from telemetry import topics
from telemetry.clock import HOUR_US, to_rfc3339, to_us
from tests.conftest import StartBroker
from tests.integration.firmware_sim.conftest import Ear, city_clock, ear_at, remembered
from tests.parts.broker import BrokerPart

NIGHT_US = to_us(datetime(2026, 11, 22, 22, tzinfo=UTC))
EVERY_MINUTE = {"streetlight": 60, "drain_level": 60, "parking_bay": 60}
_seeds = itertools.count(os.getpid() * 1_000)


@pytest.fixture
def town() -> City:
    """Forty devices that no other test has, which report every minute."""
    return City(devices=40, seed=next(_seeds), report_every_s=EVERY_MINUTE)


def devices(town: City, kind: str) -> list[str]:
    return [member.device for member in town.members() if member.kind == kind]


def from_town(ear: Ear, town: City) -> dict[str, list[dict[str, Any]]]:
    """Observations by device, of this town only."""
    mine = {member.device for member in town.members()}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for device, observation in ear.observations():
        if device in mine:
            found[device].append(observation)
    return found


async def test_every_device_says_that_it_is_there_and_reports(
    broker: BrokerPart, town: City, stop: asyncio.Event
) -> None:
    now = city_clock(NIGHT_US, 60)
    async with ear_at(broker.url, f"ear-{town.seed}") as ear:
        running = asyncio.create_task(fleet.run(broker.url, town, now, speed=60, stop=stop, faults=NONE))
        await ear.until(lambda: len(from_town(ear, town)) == 40)
        stop.set()
        progress = await running
        online = {topic.device for topic, body in ear.of("status") if body["online"]}
        assert {member.device for member in town.members()} <= online
    assert progress.devices == 40
    assert progress.in_flight == progress.waiting == progress.lost == 0
    assert progress.published == progress.acknowledged
    assert progress.observations >= 40


async def test_times_are_the_citys_and_grow_for_each_device(
    broker: BrokerPart, town: City, stop: asyncio.Event
) -> None:
    now = city_clock(NIGHT_US, 600)
    async with ear_at(broker.url, f"ear-{town.seed}") as ear:
        running = asyncio.create_task(fleet.run(broker.url, town, now, speed=600, stop=stop, faults=NONE))
        await ear.until(lambda: sum(map(len, from_town(ear, town).values())) > 1_500)
        stop.set()
        await running
        for seen in from_town(ear, town).values():
            stamps = [each["ts"] for each in seen]
            assert stamps == sorted(stamps)
            assert [each["seq"] for each in seen] == list(range(1, len(seen) + 1))
            assert NIGHT_US // 1000 <= stamps[0] <= stamps[-1] <= now() // 1000


async def test_it_keeps_pace_with_the_clock_and_says_so(broker: BrokerPart, town: City, stop: asyncio.Event) -> None:
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 5:
            stop.set()

    now = city_clock(NIGHT_US, 60)
    await fleet.run(broker.url, town, now, speed=60, stop=stop, faults=NONE, on_progress=tell, progress_every_s=0.2)
    assert [each.published for each in told] == sorted(each.published for each in told)
    assert told[-1].lag_s < 0.5


def command_to(device: str, now_us: int, **settings: Any) -> tuple[str, bytes, str]:
    """(topic, payload, id) of a command to a lamp."""
    name = f"{device}-{now_us}"
    body = {"id": name, "ts": to_rfc3339(now_us), "set": settings, "expires_at": to_rfc3339(now_us + HOUR_US)}
    return topics.command("streetlight", device), json.dumps(body | {"reason": "override"}).encode(), name


@pytest.mark.parametrize("connections", [0, 40], ids=["behind a gateway", "on a line of its own"])
async def test_a_command_is_acknowledged_once_and_followed(
    broker: BrokerPart, town: City, stop: asyncio.Event, connections: int
) -> None:
    now = city_clock(NIGHT_US, 60)
    lamp = devices(town, "streetlight")[3]

    def levels() -> list[float]:
        return [each["level_pct"] for each in from_town(ear, town)[lamp]]

    async with ear_at(broker.url, f"ear-{town.seed}") as ear, Line(broker.url, f"boss-{town.seed}") as boss:
        running = asyncio.create_task(
            fleet.run(broker.url, town, now, speed=60, stop=stop, faults=NONE, connections=connections)
        )
        await ear.until(lambda: bool(levels()))
        topic, payload, name = command_to(lamp, now(), setpoint_pct=40)
        await boss.room()
        boss.send(topic, payload)
        await ear.until(lambda: levels()[-1] == 40)
        stop.set()
        progress = await running
        acks = [body for topic, body in ear.of("ack") if topic.device == lamp]
    assert acks == [{"id": name, "ok": True, "applied": {"setpoint_pct": 40.0}, "error": None}]
    assert progress.commands == 1


async def test_own_lines_log_in_as_themselves(start_broker: StartBroker, town: City, stop: asyncio.Event) -> None:
    names = fleet.own_lines(town, connections=6)
    assert len(set(names)) == 6
    own = start_broker({name: f"secret of {name[:4]}" for name in names})
    passwords = {name: f"secret of {name[:4]}" for name in names}
    now = city_clock(NIGHT_US, 60)
    async with ear_at(own.url, "ear") as ear:
        running = asyncio.create_task(
            fleet.run(own.url, town, now, speed=60, stop=stop, faults=NONE, connections=6, passwords=passwords)
        )
        await ear.until(lambda: len(from_town(ear, town)) == 40)
        stop.set()
        await running


async def test_a_torn_line_speaks_its_will_and_the_device_comes_back(
    broker: BrokerPart, town: City, stop: asyncio.Event
) -> None:
    faults = Faults(disconnect_per_day=1.0, reboot_per_day=0.0)
    now = city_clock(NIGHT_US, 6_000)
    mine = fleet.own_lines(town, connections=5)
    async with ear_at(broker.url, f"ear-{town.seed}") as ear:
        running = asyncio.create_task(
            fleet.run(broker.url, town, now, speed=6_000, stop=stop, faults=faults, connections=5)
        )

        def torn_and_back(device: str) -> bool:
            said = [body["online"] for topic, body in ear.of("status") if topic.device == device]
            return False in said and said.index(False) < len(said) - 1 and True in said[said.index(False) :]

        await ear.until(lambda: any(map(torn_and_back, mine)), 40)
        stop.set()
        progress = await running
    assert progress.reconnects >= 1


@pytest.mark.parametrize("connections", [0, 40], ids=["behind gateways", "on lines of their own"])
async def test_nothing_is_lost_when_the_broker_is_killed(
    own_broker: BrokerPart, stop: asyncio.Event, connections: int
) -> None:
    """What the broker forgot with its life the devices say again: every counter is heard in the end."""
    town = City(devices=40, seed=9, report_every_s=EVERY_MINUTE)
    now = city_clock(NIGHT_US, 300)
    async with ear_at(own_broker.url, "ear", clean=False) as ear:
        await remembered(own_broker)
        running = asyncio.create_task(
            fleet.run(own_broker.url, town, now, speed=300, stop=stop, faults=NONE, connections=connections)
        )

        def heard() -> dict[str, set[int]]:
            return {device: {each["seq"] for each in seen} for device, seen in from_town(ear, town).items()}

        await ear.until(lambda: sum(map(len, heard().values())) > 400)
        await asyncio.to_thread(own_broker.kill)
        before = {device: max(seen) for device, seen in heard().items()}
        await asyncio.sleep(1)
        await asyncio.to_thread(own_broker.start)
        await ear.until(lambda: all(max(heard()[device]) > newest + 10 for device, newest in before.items()), 40)
        stop.set()
        progress = await running
    assert progress.lost == 0
    for seen in heard().values():
        assert seen == set(range(1, max(seen) + 1))


async def test_a_town_speaks_to_the_weak_broker_too(weak_broker: BrokerPart, town: City, stop: asyncio.Event) -> None:
    now = city_clock(NIGHT_US, 60)
    asyncio.get_running_loop().call_later(8, stop.set)
    progress = await fleet.run(weak_broker.url, town, now, speed=60, stop=stop, faults=NONE)
    assert progress.observations >= 40
    assert progress.published == progress.acknowledged
