"""Sessions at a human rate against a real broker."""

import asyncio
import gc
import itertools
import os
import socket
import time
from contextlib import suppress
from functools import partialmethod

import aiomqtt
import pytest

from bus.packets import Will
from bus.session import Publisher, Unreachable, Watcher
from tests.parts.broker import BrokerPart
from tests.parts.listener import Listener

_numbers = itertools.count()


@pytest.fixture
def topic() -> str:
    """A topic of this test's own, since brokers are shared."""
    return f"city/v1/alarms/session-{os.getpid()}-{next(_numbers)}"


class Heard:
    """What a watcher was told."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.messages.append((topic, payload, retained))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.messages) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


class StandsStill(Listener):
    """A broker that greets and then answers nothing."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x02\x00\x00")
        while said := await reader.read(1_000):
            self.heard += said
        writer.close()


async def test_a_watcher_hears_the_retained_first_and_then_the_live(broker: BrokerPart, topic: str) -> None:
    heard = Heard()
    async with Publisher(broker.url, f"{topic}-p") as publisher:
        await publisher.publish(topic, b"kept", retain=True)
        async with Watcher(broker.url, f"{topic}-w", [topic], heard) as watcher:
            await heard.until(1)
            await watcher.publish(topic, b"live")
            await heard.until(2)
        await publisher.publish(topic, b"", retain=True)
    assert heard.messages == [(topic, b"kept", True), (topic, b"live", False)]


async def test_a_publish_outlives_the_brokers_restart(own_broker: BrokerPart, topic: str) -> None:
    heard = Heard()
    async with Publisher(own_broker.url, "p") as publisher, Watcher(own_broker.url, "w", [topic], heard) as watcher:
        await asyncio.gather(publisher.ready(), watcher.ready())
        await asyncio.to_thread(own_broker.stop)
        waiting = asyncio.ensure_future(publisher.publish(topic, b"late", retain=True))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await asyncio.to_thread(own_broker.start)
        await waiting
        await heard.until(1)
        assert heard.messages[0][:2] == (topic, b"late")


async def test_a_publish_gives_up_in_time_if_told_to(own_broker: BrokerPart, topic: str) -> None:
    url = own_broker.url
    await asyncio.to_thread(own_broker.stop)
    async with Publisher(url, "p") as publisher:
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            await publisher.publish(topic, b"", timeout_s=0.3)
        assert time.monotonic() - begun < 2


async def test_a_broker_that_stands_still_is_given_a_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.session.REPUBLISH_S", 0.01)
    impatient = partialmethod(aiomqtt.Client.__init__, timeout=0.3)  # far less than the library's own
    monkeypatch.setattr(aiomqtt.Client, "__init__", impatient)
    async with StandsStill() as still, Publisher(f"mqtt://127.0.0.1:{still.port}", "p") as publisher:
        with pytest.raises(Unreachable):
            await publisher.publish("t", b"once", timeout_s=1.0)
    assert still.heard.count(b"once") == 1


async def test_many_publishes_at_once_are_all_confirmed(broker: BrokerPart, topic: str) -> None:
    heard = Heard()
    async with Publisher(broker.url, f"{topic}-p") as publisher, Watcher(broker.url, f"{topic}-w", [topic], heard) as w:
        await w.ready()
        await asyncio.gather(*[publisher.publish(topic, b"%d" % index) for index in range(1_000)])
        await heard.until(1_000)
    assert sorted(int(payload) for _, payload, _ in heard.messages) == list(range(1_000))


async def test_the_will_is_published_when_the_session_breaks_and_not_when_it_ends(
    broker: BrokerPart, topic: str
) -> None:
    heard = Heard()
    async with Watcher(broker.url, f"{topic}-w", [topic], heard) as watcher:
        await watcher.ready()
        async with Publisher(broker.url, f"{topic}-p", will=Will(topic, b"gone", retain=False)) as publisher:
            await publisher.ready()
        await asyncio.sleep(0.2)
        assert heard.messages == []
        async with Publisher(broker.url, f"{topic}-p", will=Will(topic, b"gone", retain=False)) as publisher:
            await publisher.ready()
            async with Publisher(broker.url, f"{topic}-p") as usurper:
                await usurper.ready()
                await heard.until(1)
    assert heard.messages[0] == (topic, b"gone", False)


async def test_on_connected_is_called_for_every_connection(own_broker: BrokerPart) -> None:
    stood = asyncio.Semaphore(0)
    async with Publisher(own_broker.url, "p", on_connected=stood.release):
        async with asyncio.timeout(15):
            await stood.acquire()
            await asyncio.to_thread(own_broker.restart)
            await stood.acquire()


async def test_a_weaker_broker_serves_too(weak_broker: BrokerPart, topic: str) -> None:
    heard = Heard()
    async with Watcher(weak_broker.url, "w", [topic], heard) as watcher:
        await watcher.ready()
        await watcher.publish(topic, b"hello", timeout_s=10)
        await heard.until(1)
    assert heard.messages[0][1] == b"hello"


async def test_a_session_ends_even_while_it_is_being_made(broker: BrokerPart, topic: str) -> None:
    for tenths_ms in range(0, 100, 4):
        async with asyncio.timeout(15), Publisher(broker.url, f"{topic}-p"):
            await asyncio.sleep(tenths_ms / 10_000)


def test_nothing_is_left_of_a_session_that_ended_on_its_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library's thread made after the end was found by the garbage collector, once the loop had closed."""
    left: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda found: left.append(found.exc_value))

    async def pass_by(url: str, pause_s: float) -> None:
        async with Publisher(url, "p"):
            await asyncio.sleep(pause_s)

    with socket.create_server(("127.0.0.1", 0), backlog=100) as mute:
        for tenths_ms in range(0, 20, 2):
            asyncio.run(pass_by(f"mqtt://127.0.0.1:{mute.getsockname()[1]}", tenths_ms / 10_000))
        asyncio.run(pass_by(f"mqtt://127.0.0.1:{mute.getsockname()[1]}", 0.05))
        gc.collect()
        assert left == []
        mute.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                line, _ = mute.accept()
                with line:
                    line.settimeout(5)
                    while line.recv(1_000):
                        pass
