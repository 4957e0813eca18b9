"""The inbox against real brokers: nothing acknowledged unasked, nothing lost with a connection, memory bounded."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bus.device import Line
from bus.inbox import Batch, Subscriber, acknowledge, forget
from bus.session import Publisher
from tests.conftest import StartBroker
from tests.parts.broker import BrokerPart

_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    """A client id and device of this test's own, since brokers are shared."""
    return f"inbox-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(params=["broker", "weak_broker"])
def any_broker(request: pytest.FixtureRequest) -> BrokerPart:
    """MQTT 5 on Mosquitto, 3.1.1 on the weaker broker."""
    part = request.getfixturevalue(request.param)
    assert isinstance(part, BrokerPart)
    return part


def now() -> int:
    return time.time_ns() // 1000


def subscriber(url: str, name: str, **options: object) -> Subscriber:
    return Subscriber(url, name, [f"city/v1/+/{name}/telemetry"], now=now, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def publisher(url: str, name: str) -> AsyncIterator[Callable[[bytes], "asyncio.Future[None]"]]:
    async with Publisher(url, f"{name}-publisher") as session:
        yield lambda payload: asyncio.ensure_future(
            session.publish(f"city/v1/streetlight/{name}/telemetry", payload, timeout_s=20)
        )


async def take(inbox: Subscriber, count: int, timeout_s: float = 15) -> list[Batch]:
    batches: list[Batch] = []
    async with asyncio.timeout(timeout_s):
        while sum(map(len, batches)) < count:
            batches.append(await inbox.next_batch())
    return batches


def payloads(batches: list[Batch]) -> list[bytes]:
    return [payload for batch in batches for payload in batch.payloads]


async def test_messages_come_in_order_with_their_topics(broker: BrokerPart, name: str) -> None:
    async with subscriber(broker.url, name, clean=True) as inbox, publisher(broker.url, name) as publish:
        await inbox.ready()
        for index in range(50):
            await publish(b'{"seq": %d}' % index)
        batches = await take(inbox, 50)
        assert payloads(batches) == [b'{"seq": %d}' % index for index in range(50)]
        assert {topic for batch in batches for topic in batch.topics} == {
            f"city/v1/streetlight/{name}/telemetry".encode()
        }
        assert sum(batch.received for batch in batches) == 50
        assert abs(batches[0].received_us - now()) < 10_000_000


async def test_what_is_not_acknowledged_comes_again(any_broker: BrokerPart, name: str) -> None:
    async with publisher(any_broker.url, name) as publish:
        async with subscriber(any_broker.url, name) as inbox:
            await inbox.ready()
            for index in range(10):
                await publish(b"%d" % index)
            batches = await take(inbox, 10)
            assert not any(batch.redelivered for batch in batches)
        async with subscriber(any_broker.url, name) as inbox:
            again = await take(inbox, 10)
            assert payloads(again) == payloads(batches)
            assert any(batch.redelivered for batch in again) or any_broker.missing, "the weaker broker does not say so"
            acknowledge(again)
            await asyncio.sleep(0.2)
        async with subscriber(any_broker.url, name) as inbox:
            await inbox.ready()
            await publish(b"new")
            assert payloads(await take(inbox, 1)) == [b"new"]


async def test_the_broker_keeps_in_order_what_comes_while_we_are_away(any_broker: BrokerPart, name: str) -> None:
    async with subscriber(any_broker.url, name) as inbox:
        await inbox.ready()
    sent = [b"%d" % index for index in range(500)]
    async with Line(any_broker.url, f"{name}-device") as device, asyncio.timeout(20):
        for payload in sent:
            await device.room()
            device.send(f"city/v1/streetlight/{name}/telemetry", payload)
        await device.settled()
    async with subscriber(any_broker.url, name) as inbox:
        received: list[bytes] = []
        async with asyncio.timeout(20):
            while len(received) < len(sent):
                batch = await inbox.next_batch()
                received += batch.payloads
                batch.ack()
            await inbox.ready()
        assert inbox.resumed
    assert received == sent


async def test_a_second_client_of_the_same_id_takes_the_session_over_and_its_queue_with_it(
    broker: BrokerPart, name: str
) -> None:
    async with publisher(broker.url, name) as publish, subscriber(broker.url, name) as first:
        await first.ready()
        await publish(b"unacknowledged")
        await take(first, 1)
        async with subscriber(broker.url, name) as second:
            assert payloads(await take(second, 1)) == [b"unacknowledged"]
            async with asyncio.timeout(10):
                while first.connected:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def test_the_broker_sends_no_more_ahead_than_the_receive_maximum(broker: BrokerPart, name: str) -> None:
    async with (
        subscriber(broker.url, name, receive_maximum=10, clean=True) as inbox,
        publisher(broker.url, name) as publish,
    ):
        await inbox.ready()
        sent = asyncio.gather(*[publish(b"%d" % index) for index in range(100)])
        first = await take(inbox, 10)
        await sent
        await asyncio.sleep(0.3)
        assert inbox.waiting == 0
        assert len(payloads(first)) == 10
        acknowledge(first)
        assert payloads(await take(inbox, 1))[0] == b"10", "acknowledgements make room"


async def test_reading_stops_at_the_bound_even_without_acknowledgements(weak_broker: BrokerPart, name: str) -> None:
    async with (
        subscriber(weak_broker.url, name, receive_maximum=50, clean=True) as inbox,
        Publisher(weak_broker.url, f"{name}-publisher") as session,
    ):
        await inbox.ready()
        body = b"x" * 100_000
        for _ in range(100):
            await session.publish(f"city/v1/streetlight/{name}/telemetry", body, qos=0, timeout_s=20)
        await asyncio.sleep(0.5)
        assert 50 <= inbox.waiting < 60
        assert payloads(await take(inbox, 60))[:60] == [body] * 60


async def test_a_batch_of_a_lost_connection_cannot_acknowledge_the_next_ones(own_broker: BrokerPart, name: str) -> None:
    async with subscriber(own_broker.url, name) as inbox, publisher(own_broker.url, name) as publish:
        await inbox.ready()
        await publish(b"one")
        old = await take(inbox, 1)
        await asyncio.to_thread(own_broker.restart)
        again = await take(inbox, 1)
        acknowledge(old)
        await asyncio.to_thread(own_broker.restart)
        assert payloads(await take(inbox, 1)) == payloads(again) == [b"one"]


@pytest.mark.parametrize(("share", "kept"), [("", [b"between"]), ("$share/city/", [])])
async def test_over_a_restart_mosquitto_keeps_a_subscription_and_forgets_a_share(
    own_broker: BrokerPart, name: str, share: str, kept: list[bytes]
) -> None:
    """Why a share is not for Mosquitto (decision 21): what comes before its members are back reaches nobody."""
    filters = [f"{share}city/v1/streetlight/{name}/telemetry"]
    async with Subscriber(own_broker.url, name, filters, now=now) as inbox:
        await inbox.ready()
    await asyncio.to_thread(own_broker.restart)
    async with publisher(own_broker.url, name) as publish:
        await publish(b"between")
        async with Subscriber(own_broker.url, name, filters, now=now) as inbox:
            await inbox.ready()
            await publish(b"after")
            assert payloads(await take(inbox, len(kept) + 1)) == [*kept, b"after"]


async def test_it_comes_back_by_itself_and_says_so(own_broker: BrokerPart, name: str) -> None:
    stood: list[float] = []
    async with (
        subscriber(own_broker.url, name, on_connected=lambda: stood.append(time.monotonic())) as inbox,
        publisher(own_broker.url, name) as publish,
    ):
        await inbox.ready()
        await asyncio.to_thread(own_broker.restart)
        await publish(b"after")
        assert payloads(await take(inbox, 1)) == [b"after"]
        await inbox.ready()
        assert len(stood) == 2


async def test_with_an_inbox_half_full_it_comes_back_too(own_broker: BrokerPart, name: str) -> None:
    """The broker sends what it kept before it confirms the subscription, and there was no room for all of it."""
    uplinks = {b"%d".ljust(100_000) % index for index in range(30)}
    async with (
        subscriber(own_broker.url, name, receive_maximum=20) as inbox,
        publisher(own_broker.url, name) as publish,
    ):
        await inbox.ready()
        await asyncio.gather(*[publish(uplink) for uplink in uplinks])
        await take(inbox, 10)
        await asyncio.to_thread(own_broker.restart)
        await asyncio.sleep(1)
        assert inbox.waiting >= 20
        async with asyncio.timeout(8):
            while uplinks:
                batch = await inbox.next_batch()
                uplinks -= set(batch.payloads)
                batch.ack()
            await inbox.ready()


async def test_it_waits_for_a_broker_that_is_not_there_yet(start_broker: StartBroker, name: str) -> None:
    part = start_broker({})
    url = part.url
    await asyncio.to_thread(part.stop)
    async with subscriber(url, name) as inbox:
        await asyncio.sleep(0.3)
        assert not inbox.connected
        await asyncio.to_thread(part.start)
        async with asyncio.timeout(15):
            await inbox.ready()


async def test_a_frozen_broker_is_given_up(own_broker: BrokerPart, name: str) -> None:
    async with subscriber(own_broker.url, name, keep_alive_s=1) as inbox:
        await inbox.ready()
        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                while inbox.connected:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
        async with asyncio.timeout(20):
            await inbox.ready()


async def test_an_idle_session_stays(broker: BrokerPart, name: str) -> None:
    stood: list[float] = []
    began = subscriber(broker.url, name, keep_alive_s=1, on_connected=lambda: stood.append(time.monotonic()))
    async with began as inbox:
        await inbox.ready()
        await asyncio.sleep(3.5)
        assert inbox.connected
        assert len(stood) == 1


async def test_a_broker_of_the_older_version_serves_too(weak_broker: BrokerPart, name: str) -> None:
    async with subscriber(weak_broker.url, name) as inbox, publisher(weak_broker.url, name) as publish:
        await inbox.ready()
        sent = asyncio.gather(*[publish(b"%d" % index) for index in range(1_000)])
        seen: set[bytes] = set()
        async with asyncio.timeout(20):
            while len(seen) < 1_000:
                batch = await inbox.next_batch()
                seen.update(batch.payloads)
                batch.ack()
        await sent


async def test_a_wrong_password_is_tried_again_and_never_ready(broker: BrokerPart, name: str) -> None:
    wrong = f"mqtt://platform:wrong@{broker.host}:{broker.port}"
    async with subscriber(wrong, name) as inbox:
        await asyncio.sleep(0.5)
        assert not inbox.connected


async def test_members_of_a_shared_subscription_share_the_uplinks(broker: BrokerPart, name: str) -> None:
    shared = [f"$share/{name}/city/v1/+/{name}/telemetry"]
    async with (
        Subscriber(broker.url, f"{name}-a", shared, now=now, clean=True) as one,
        Subscriber(broker.url, f"{name}-b", shared, now=now, clean=True) as two,
        publisher(broker.url, name) as publish,
    ):
        await asyncio.gather(one.ready(), two.ready())
        await asyncio.gather(*[publish(b"%d" % index) for index in range(100)])
        heard: dict[Subscriber, list[bytes]] = {one: [], two: []}
        async with asyncio.timeout(20):
            while sum(map(len, heard.values())) < 100:
                for inbox in heard:
                    if inbox.waiting:
                        heard[inbox] += (await inbox.next_batch()).payloads
                await asyncio.sleep(0.01)
        assert sorted(map(int, heard[one] + heard[two])) == list(range(100))
        assert all(heard.values())


async def test_retained_messages_are_marked(broker: BrokerPart, name: str) -> None:
    topic = f"city/v1/streetlight/{name}/status"
    async with Publisher(broker.url, f"{name}-publisher") as session:
        await session.publish(topic, b'{"online": true}', retain=True)
        async with Subscriber(broker.url, name, [topic], now=now, clean=True) as inbox:
            (kept,) = await take(inbox, 1)
            await session.publish(topic, b'{"online": false}', retain=True)
            (live,) = await take(inbox, 1)
        await session.publish(topic, b"", retain=True)
    assert (kept.retained, live.retained) == ([True], [False])
    assert kept.received == 0


async def test_closing_ends_the_wait(broker: BrokerPart, name: str) -> None:
    async with subscriber(broker.url, name, clean=True) as inbox:
        waiting = asyncio.ensure_future(_all(inbox))
        await asyncio.sleep(0.1)
        await inbox.close()
        async with asyncio.timeout(2):
            assert await waiting == []


async def _all(inbox: Subscriber) -> list[Batch]:
    return [batch async for batch in inbox]


@pytest.mark.parametrize("shared", [True, False])
async def test_who_retires_drains_its_queue_and_is_then_forgotten(
    broker: BrokerPart, name: str, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a broker held that paused, as for the snapshot of a long queue, was forgotten with the session."""
    monkeypatch.setattr("bus.inbox.QUIET_S", 0.4)
    uplinks = f"city/v1/+/{name}/telemetry"
    filters = [f"$share/{name}/{uplinks}" if shared else uplinks]
    async with publisher(broker.url, name) as publish:
        async with Subscriber(broker.url, name, filters, now=now) as member:
            await member.ready()
        await asyncio.gather(*[publish(b"%d" % index) for index in range(100)])
        async with Subscriber(broker.url, name, filters, 10, now=now, retires=True) as member:
            await member.ready()
            await publish(b"no longer for this one")
            drained = asyncio.ensure_future(member.drained())
            received: list[bytes] = []
            async with asyncio.timeout(15):
                while len(received) < 100:
                    assert not drained.done()
                    batch = await member.next_batch()
                    if not received:
                        os.kill(broker.pid, signal.SIGSTOP)
                        asyncio.get_running_loop().call_later(1, os.kill, broker.pid, signal.SIGCONT)
                    received += batch.payloads
                    batch.ack()
                await drained
        assert sorted(map(int, received)) == list(range(100))
    await forget(broker.url, name)
    async with Subscriber(broker.url, name, filters, now=now) as member:
        await member.ready()
        assert not member.resumed
