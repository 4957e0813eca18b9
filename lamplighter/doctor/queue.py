"""What the broker's queue for a service that is away is worth: tried, since no setting can be read over MQTT.

By default Mosquitto keeps 1,000 messages for such a service, and drops the rest although it has acknowledged them; a
bound on bytes does the same. So more is sent to a session that is away, many small messages and a few large ones.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bus import inbox as inboxes
from bus.inbox import Subscriber
from bus.session import Publisher, Unreachable
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from telemetry import limits, topics

PATIENCE_S = 10.0
QUIET_S = 2.0
"""A session that brings nothing for this long has brought all."""
AHEAD_MESSAGES_MIN = 1_000
"""With fewer messages on their way at a time, a batch waits for the network instead of the network for the batch."""
_MIB = 1024**2


@dataclass(frozen=True)
class Trial:
    """So many messages of so many bytes, left for a session that is away."""

    messages: int
    size: int


MANY = Trial(1_500, 2)
"""More than Mosquitto's default keeps."""
LARGE = Trial(54, limits.PAYLOAD_BYTES_MAX + 50 * 1024)
"""16 MiB, each message larger than we take, so that it is us who refuse it, and keep it."""


@dataclass(frozen=True)
class Kept:
    """What came: `kept` messages, of them `ahead` before the first was acknowledged."""

    kept: int
    ahead: int


async def examine(url: str) -> AsyncGenerator[Finding, None]:
    """Try the queue of the broker at `url`."""
    client_id = f"lamplighter-doctor-{secrets.token_hex(4)}"
    topic = f"{topics.ROOT}/platform/doctor/{client_id}"
    try:
        async for finding in _examine(url, client_id, topic):
            yield finding
    finally:
        await _forget(url, client_id, topic)


async def _examine(url: str, client_id: str, topic: str) -> AsyncGenerator[Finding, None]:
    try:
        many = await _attempt(url, client_id, topic, MANY)
    except (TimeoutError, Unreachable):
        many = Kept(0, 0)
    if not many.kept:
        words = "What we send to the broker does not come back to us"
        yield wrong("broker", f"{words}: give our user all rights below `city/v1`.")
        return
    yield _of_many(many)
    if many.ahead < min(AHEAD_MESSAGES_MIN, many.kept):
        yield note(
            "broker",
            f"The broker sends only {many.ahead} messages ahead of our acknowledgements, so that ingest waits for it: "
            f"set `max_inflight_messages {AHEAD_MESSAGES_MIN}`.",
        )
    try:
        large = await _attempt(url, client_id, topic, LARGE)
    except (TimeoutError, Unreachable):
        yield wrong(
            "broker",
            f"The broker does not take a message of {LARGE.size // 1024} KiB, so what is too large is lost instead of "
            f"kept in quarantine: set `max_packet_size {limits.PACKET_BYTES_MAX}` and no `message_size_limit`.",
        )
    else:
        yield _of_large(large)


def _of_many(found: Kept) -> Finding:
    if found.kept < MANY.messages:
        return wrong(
            "broker",
            f"The broker acknowledged {MANY.messages} messages for a service that was away and kept {found.kept}: "
            f"set `max_queued_messages {limits.BROKER_QUEUE_MESSAGES_MAX}` and "
            f"`max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}`.",
        )
    return ok("broker", f"The broker keeps what it acknowledges ({MANY.messages} messages tried).")


def _of_large(found: Kept) -> Finding:
    tried = LARGE.messages * LARGE.size / _MIB
    if found.kept < LARGE.messages:
        return wrong(
            "broker",
            f"The broker acknowledged {tried:.0f} MiB for a service that was away and kept "
            f"{found.kept * LARGE.size / _MIB:.0f}: set `max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}`, and no "
            "`memory_limit` below it.",
        )
    return ok("broker", f"It keeps large ones, too ({tried:.0f} MiB tried).")


async def _attempt(url: str, client_id: str, topic: str, trial: Trial) -> Kept:
    async with asyncio.timeout(3 * PATIENCE_S):
        await _subscribe(url, client_id, topic)
        async with Publisher(url, f"{client_id}-sender") as sender:
            payload = bytes(trial.size)
            await sender.publish(topic, payload, timeout_s=PATIENCE_S / 2)  # one alone says whether it may at all
            others = (sender.publish(topic, payload, timeout_s=2 * PATIENCE_S) for _ in range(trial.messages - 1))
            await asyncio.gather(*others)
        return await _collect(url, client_id, topic, trial.messages)


async def _subscribe(url: str, client_id: str, topic: str, clean: bool = False) -> None:
    async with Subscriber(url, client_id, [topic], now=real_now, clean=clean) as session:
        await session.ready()


async def _forget(url: str, client_id: str, topic: str) -> None:
    """Leave no session behind."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await _subscribe(url, client_id, topic, clean=True)


async def _collect(url: str, client_id: str, topic: str, wanted: int) -> Kept:
    async with Subscriber(url, client_id, [topic], now=real_now) as back:
        held: list[inboxes.Batch] = []
        with suppress(TimeoutError):
            while _count(held) < wanted:
                held.append(await asyncio.wait_for(back.next_batch(), QUIET_S))
        ahead = kept = _count(held)
        inboxes.acknowledge(held)
        with suppress(TimeoutError):
            while ahead and kept < wanted:
                batch = await asyncio.wait_for(back.next_batch(), QUIET_S)
                kept += len(batch)
                batch.ack()
        await asyncio.sleep(0.1)  # the acknowledgements leave before we do
    return Kept(kept, ahead)


def _count(batches: Sequence[inboxes.Batch]) -> int:
    return sum(map(len, batches))
