"""A device's line against real brokers: order, room, Will, own credentials, coming back."""

import asyncio
import itertools
import os

import pytest

from bus.device import Line
from bus.packets import Will
from tests.conftest import StartBroker
from tests.integration.firmware_sim.conftest import ear_at
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually

_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"line-{os.getpid()}-{next(_numbers)}"


def topic(name: str, leaf: str = "telemetry") -> str:
    return f"city/v1/drain_level/{name}/{leaf}"


async def send_all(line: Line, name: str, count: int) -> None:
    for number in range(count):
        await line.room()
        line.send(topic(name), b'{"level_m": 0.1, "seq": %d}' % number, token=number)


async def test_messages_arrive_in_order_though_few_may_be_in_flight(broker: BrokerPart, name: str) -> None:
    taken: list[object] = []
    async with (
        ear_at(broker.url, f"{name}-ear") as ear,
        Line(broker.url, name, in_flight_max=7, on_taken=taken.append) as line,
    ):
        await send_all(line, name, 500)
        await line.settled()
        await ear.until(lambda: sum(device == name for device, _ in ear.observations()) == 500)
        assert [each["seq"] for device, each in ear.observations() if device == name] == list(range(500))
    assert taken == list(range(500))


async def test_packet_ids_go_round(broker: BrokerPart, name: str) -> None:
    taken = 0

    def count(_: object) -> None:
        nonlocal taken
        taken += 1

    async with Line(broker.url, name, on_taken=count) as line:
        await send_all(line, name, 70_000)
        await line.settled()
        assert taken == 70_000
        assert line.connections == 1


async def test_a_line_without_room_refuses(broker: BrokerPart, name: str) -> None:
    async with Line(broker.url, name, in_flight_max=1) as line:
        await line.room()
        line.send(topic(name), b"{}")
        with pytest.raises(RuntimeError, match="no room"):
            line.send(topic(name), b"{}")


async def test_a_torn_line_leaves_its_will_and_comes_back(broker: BrokerPart, name: str) -> None:
    ups: list[bool] = []
    will = Will(topic(name, "status"), b'{"online": false}')
    async with ear_at(broker.url, f"{name}-ear") as ear, Line(broker.url, name, will=will, on_up=ups.append) as line:
        await line.room()
        line.tear()
        await ear.until(lambda: (name, {"online": False}) in [(t.device, body) for t, body in ear.of("status")])
        await line.room()
    assert ups == [False, True]


async def test_a_farewell_leaves_no_will(broker: BrokerPart, name: str) -> None:
    will = Will(topic(name, "status"), b'{"online": false}')
    async with ear_at(broker.url, f"{name}-ear") as ear:
        async with Line(broker.url, name, will=will) as line:
            await line.room()
        await asyncio.sleep(0.3)
        assert name not in [t.device for t, _ in ear.of("status")]


async def test_a_device_logs_in_as_itself_and_hears_only_its_own_commands(start_broker: StartBroker) -> None:
    own = start_broker({"dev-1": "secret"})
    heard: list[tuple[str, bytes, bool]] = []

    def hear(name: str, payload: bytes, retained: bool) -> None:
        heard.append((name, payload, retained))

    mine = ["city/v1/+/dev-1/command"]
    async with (
        Line(own.url, "dev-1", user=("dev-1", "secret"), filters=mine, on_message=hear) as line,
        Line(own.url, "platform-1") as platform,
    ):
        await line.room()
        await platform.room()
        platform.send("city/v1/streetlight/dev-2/command", b"other")
        platform.send("city/v1/streetlight/dev-1/command", b"mine")
        await platform.settled()
        async with asyncio.timeout(5):
            while not heard:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert heard == [("city/v1/streetlight/dev-1/command", b"mine", False)]


async def test_a_wrong_password_keeps_trying(own_broker: BrokerPart, name: str) -> None:
    async with Line(own_broker.url, name, user=("platform", "wrong")) as line:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.room(), 1)
        assert line.connections == 0


async def test_a_line_survives_a_broker_that_dies(own_broker: BrokerPart, name: str) -> None:
    async with Line(own_broker.url, name) as line:
        await line.room()
        await asyncio.to_thread(own_broker.kill)

        async def noticed() -> None:
            assert not line.has_room

        await eventually(noticed)
        await asyncio.to_thread(own_broker.start)
        async with asyncio.timeout(15):
            await line.room()
        assert line.connections == 2


async def test_it_speaks_to_the_weak_broker_too(weak_broker: BrokerPart, name: str) -> None:
    async with Line(weak_broker.url, name) as line:
        await send_all(line, name, 100)
        async with asyncio.timeout(10):
            await line.settled()
