"""Checks of the broker: reachable, closed to strangers, and keeping what it acknowledges.

By default Mosquitto keeps 1,000 messages for a service that is away, and drops the rest although it has acknowledged
them. No setting can be read over MQTT, so it is tried: more messages than that are sent to a session that is away.
"""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from bus.address import BadAddress
from bus.inbox import Subscriber
from bus.session import Publisher, Unreachable
from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.embedded import handshake
from telemetry import topics

QUEUED = 1_500
"""Messages that the probe leaves in the broker: more than Mosquitto's default keeps."""
PATIENCE_S = 10.0
_NEAR = frozenset({"localhost", "127.0.0.1", "::1"})


async def examine(url: str) -> AsyncIterator[Finding]:
    """Look at the broker at `url`."""
    try:
        await handshake.shake_hands(url, PATIENCE_S)
    except (OSError, TimeoutError, handshake.Refused, BadAddress, ssl.SSLError) as error:
        reason = str(error) or "it does not answer"
        yield wrong("broker", f"The broker cannot be used ({reason}): start it, or mend LAMPLIGHTER_MQTT_URL.")
        return
    yield ok("broker", "The broker lets us in.")
    yield await _strangers(url)
    parts = urlsplit(url)
    if parts.scheme == "mqtt" and parts.hostname not in _NEAR:
        yield note("broker", "Passwords travel in clear: use mqtts:// and a listener with TLS.")
    yield await _queue(url)


async def _strangers(url: str) -> Finding:
    parts = urlsplit(url)
    open_door = parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]).geturl()
    try:
        await handshake.shake_hands(open_door, PATIENCE_S)
    except (OSError, TimeoutError, handshake.Refused):
        return ok("broker", "The broker turns away who has no password.")
    return wrong("broker", "The broker lets anybody in without a password: set `allow_anonymous false`.")


async def _queue(url: str) -> Finding:
    client_id = f"lamplighter-doctor-{secrets.token_hex(4)}"
    topic = f"{topics.ROOT}/platform/doctor/{client_id}"
    try:
        async with asyncio.timeout(3 * PATIENCE_S):
            async with Subscriber(url, client_id, [topic], now=real_now) as absent:
                await absent.ready()
            await _publish(url, client_id, topic)
            kept = await _count(url, client_id, topic)
            async with Subscriber(url, client_id, [topic], now=real_now, clean=True) as forgotten:
                await forgotten.ready()
    except (TimeoutError, Unreachable):
        return wrong("broker", "The broker takes no messages from us: give our user all rights below `city/v1`.")
    if kept < QUEUED:
        return wrong(
            "broker",
            f"The broker acknowledged {QUEUED} messages for a service that was away and kept {kept}: "
            "set `max_queued_messages 2000000` and `max_queued_bytes 4294967296`.",
        )
    return ok("broker", f"The broker keeps what it acknowledges ({QUEUED} messages tried).")


async def _publish(url: str, client_id: str, topic: str) -> None:
    async with Publisher(url, f"{client_id}-sender") as sender:
        await asyncio.gather(*(sender.publish(topic, b"{}", timeout_s=2 * PATIENCE_S) for _ in range(QUEUED)))


async def _count(url: str, client_id: str, topic: str) -> int:
    kept = 0
    async with Subscriber(url, client_id, [topic], now=real_now) as back:
        with suppress(TimeoutError):
            while kept < QUEUED:
                batch = await asyncio.wait_for(back.next_batch(), PATIENCE_S / 5)
                kept += len(batch)
                batch.ack()
        await asyncio.sleep(0.1)  # the acknowledgements leave before we do
    return kept
