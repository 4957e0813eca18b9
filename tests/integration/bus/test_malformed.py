"""A broker that misbehaves: the session ends with a reason and begins anew, whatever comes over the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bus import packets
from bus.inbox import Subscriber
from telemetry.limits import PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX

Writer = asyncio.StreamWriter
CONNACK, SUBACK, UNSUBACK = b"\x20\x03\x00\x00\x00", b"\x90\x04\xff\xff\x00\x01", b"\xb0\x04\xff\xff\x00\x00"


def message(payload: bytes, packet_id: int = 1) -> bytes:
    body = b"\x00\x01t" + packet_id.to_bytes(2, "big") + b"\x00" + payload
    return b"\x32" + packets.length(len(body)) + body


@asynccontextmanager
async def broker(after: Callable[[Writer], Coroutine[Any, Any, None]]) -> AsyncIterator[str]:
    """Greets every client by the rules; `after` is what it does then."""

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        await reader.read(1_000)
        writer.write(CONNACK)
        await reader.read(1_000)
        writer.write(SUBACK)
        await after(writer)
        while sent := await reader.read(1_000):
            if sent.endswith(packets.PING):
                writer.write(b"\xd0\x00")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"mqtt://127.0.0.1:{port}"
    server.close()


async def reason_of_loss(url: str, **options: Any) -> str:
    with capture_logs() as logs:
        async with Subscriber(url, "s", ["t"], now=lambda: 0, clean=True, **options), asyncio.timeout(10):
            while not (lost := [entry for entry in logs if entry["event"] == "broker away"]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    return str(lost[0]["reason"])


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "we are never sent"),
        (b"\x34\x07\x00\x01t\x00\x01hi", "a quality that was not subscribed"),
        (b"\x32\xff\xff\xff\xff\x7f", "more than four bytes"),
        (b"\x90\xff\xff\xff\x7f", "that is no message"),
        (b"\xe0\x01\x8e", "another client has taken over this session"),
    ],
    ids=["not MQTT", "QoS 2", "an endless length", "256 MB of SUBACK", "taken over"],
)
async def test_what_no_broker_says_ends_the_session_with_a_reason(garbage: bytes, reason: str) -> None:
    async def after(writer: Writer) -> None:
        writer.write(garbage)

    async with broker(after) as url:
        assert reason in await reason_of_loss(url)


async def test_a_packet_that_never_ends_is_given_up_though_pings_are_answered_into_it() -> None:
    async def after(writer: Writer) -> None:
        writer.write(b"\x32\xff\x7f\x00\x01t")
        while not writer.is_closing():
            await asyncio.sleep(0.2)
            writer.write(b"\xd0\x00")

    async with broker(after) as url:
        assert await reason_of_loss(url, keep_alive_s=1) == "the broker fell silent"


async def test_a_message_beyond_all_bounds_arrives_cut_and_its_neighbours_whole() -> None:
    async def after(writer: Writer) -> None:
        writer.write(message(b"before"))
        writer.write(message(b"x" * (5 * PACKET_BYTES_MAX)))
        writer.write(message(b"after"))

    async with broker(after) as url, Subscriber(url, "s", ["t"], now=lambda: 0, clean=True) as inbox:
        payloads: list[bytes] = []
        async with asyncio.timeout(10):
            while len(payloads) < 3:
                payloads += (await inbox.next_batch()).payloads
    assert [payloads[0], payloads[2]] == [b"before", b"after"]
    assert PAYLOAD_BYTES_MAX < len(payloads[1]) < PACKET_BYTES_MAX


async def test_who_came_back_with_a_full_inbox_reads_on_when_there_is_room() -> None:
    """It did not: the new connection was held for want of room, and only the lost one was let go."""
    visits = 0

    async def after(writer: Writer) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            writer.write(b"".join(message(b"%d" % number, number) for number in range(1, 21)))
            await asyncio.sleep(0.1)
            writer.transport.abort()
        else:
            await asyncio.sleep(0.3)
            writer.write(message(b"after"))

    async with broker(after) as url:
        inbox = Subscriber(url, "s", ["t"], receive_maximum=5, now=lambda: 0, keep_alive_s=1)
        async with inbox, asyncio.timeout(10):
            while visits < 2 or not inbox.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            received: list[bytes] = []
            while len(received) < 21:
                received += (await inbox.next_batch()).payloads
    assert received == [*(b"%d" % number for number in range(1, 21)), b"after"]


async def test_who_retires_hears_a_slow_broker_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It left between two messages, since each was acknowledged before anybody looked."""
    monkeypatch.setattr("bus.inbox.QUIET_S", 0.5)

    async def after(writer: Writer) -> None:
        writer.write(UNSUBACK)
        for number in range(1, 8):
            writer.write(message(b"%d" % number, number))
            await asyncio.sleep(0.2)

    async with broker(after) as url, Subscriber(url, "s", ["t"], now=lambda: 0, retires=True) as inbox:
        await inbox.ready()
        drained = asyncio.ensure_future(inbox.drained())
        received: list[bytes] = []
        async with asyncio.timeout(10):
            while len(received) < 7:
                batch = await inbox.next_batch()
                batch.ack()
                assert not drained.done()
                received += batch.payloads
            await drained
