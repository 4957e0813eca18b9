"""What waits in an inbox, and what one batch brings, is bounded whatever it consists of."""

import asyncio

import pytest

from bus import packets
from bus.inbox import Subscriber
from tests.integration.bus.test_malformed import Writer, broker
from tests.parts.patience import eventually


def message(topic: bytes, payload: bytes, properties: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + b"\x00\x01" + packets.length(len(properties)) + properties + payload
    return b"\x32" + packets.length(len(body)) + body


async def waits(inbox: Subscriber, messages: int) -> None:
    async def attempt() -> None:
        assert inbox.waiting == messages

    await eventually(attempt, every=0.002)


async def test_a_batch_takes_no_further_read_once_it_has_its_observations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each array of many empty objects counted as one message."""
    monkeypatch.setattr("bus.inbox.BATCH_ROWS_MAX", 6)
    monkeypatch.setattr("bus.inbox.BATCH_AGE_MS_MAX", 60_000)
    uplink = message(b"city/v1/streetlight/L1/telemetry", b"[{},{},{}]")
    lines: list[Writer] = []

    async def after(writer: Writer) -> None:
        lines.append(writer)

    async with broker(after) as url, Subscriber(url, "s", ["t"], now=lambda: 0, clean=True) as inbox:
        await inbox.ready()
        for sent in (1, 2, 3):
            lines[0].write(uplink)
            await waits(inbox, sent)
        async with asyncio.timeout(5):
            batches = [await inbox.next_batch(), await inbox.next_batch()]
    assert [(len(batch), batch.received) for batch in batches] == [(2, 6), (1, 3)]


@pytest.mark.parametrize(
    "large",
    [message(b"t" * 1_000, b""), message(b"t", b"", 10 * (b"\x26\x00\x01n\x00\x60" + b"v" * 96))],
    ids=["topic", "properties"],
)
async def test_topics_and_properties_count_as_much_as_payloads(large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages without payload were read on and on."""
    monkeypatch.setattr("bus.inbox.INBOX_BYTES_MAX", 1_000)
    lines: list[Writer] = []

    async def after(writer: Writer) -> None:
        lines.append(writer)

    async with broker(after) as url, Subscriber(url, "s", ["t"], now=lambda: 0, clean=True) as inbox:
        await inbox.ready()
        lines[0].write(large)
        await waits(inbox, 1)
        lines[0].write(large)
        await asyncio.sleep(0.05)
        assert inbox.waiting == 1
        assert (await inbox.next_batch()).size >= 1_000
        await waits(inbox, 1)
