"""What the simulator's tests share: city clocks, and an ear at the broker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bus.inbox import Subscriber
from telemetry import topics
from telemetry.clock import CityClock, Now
from tests.parts.broker import BrokerPart
from tests.parts.tasks import running


def real_us() -> int:
    return time.time_ns() // 1_000


def city_clock(start_us: int, speed: float) -> Now:
    """A clock that shows `start_us` now and runs `speed` times as fast as real time."""
    clock = CityClock(start_us, real_us(), speed)
    return lambda: clock.at(real_us())


@dataclass
class Ear:
    """Everything heard on the devices' topics, in order of arrival."""

    messages: list[tuple[topics.DeviceTopic, Any, bool]] = field(default_factory=list)

    def of(self, leaf: str) -> list[tuple[topics.DeviceTopic, Any]]:
        """(topic, content) of the messages of a leaf."""
        return [(topic, body) for topic, body, _ in self.messages if topic.leaf == leaf]

    def observations(self) -> list[tuple[str, dict[str, Any]]]:
        """(device, observation) in order, arrays taken apart."""
        bodies = ((topic.device, body) for topic, body in self.of("telemetry"))
        return [(device, each) for device, body in bodies for each in (body if isinstance(body, list) else [body])]

    async def until(self, enough: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for what is expected."""
        async with asyncio.timeout(seconds):
            while not enough():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def ear_at(url: str, client_id: str, clean: bool = True) -> AsyncIterator[Ear]:
    """Listen to all devices until the block ends."""
    ear = Ear()

    async def listen(inbox: Subscriber) -> None:
        async for batch in inbox:
            for name, payload, retained in zip(batch.topics, batch.payloads, batch.retained, strict=True):
                topic = topics.parse_device(name.decode())
                if topic is not None and payload:
                    ear.messages.append((topic, json.loads(payload), retained))
            batch.ack()

    filters = [f"{topics.ROOT}/+/+/{leaf}" for leaf in ("telemetry", "status", "ack")]
    async with Subscriber(url, client_id, filters, now=real_us, clean=clean) as inbox:
        await inbox.ready()
        async with running(listen(inbox)):
            yield ear


async def remembered(broker: BrokerPart) -> None:
    """Have the broker write down who listens, so that it knows them after it was killed."""
    broker.save()
    await asyncio.sleep(0.5)


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()
