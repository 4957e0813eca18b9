"""How much waits for ingest at this moment, as the rules say, who sound its queue every second."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from lamplighter.clock import real_now
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.doctor.retained import heard
from rules.queue_filling import RAISE_PCT
from telemetry import limits, topics
from telemetry.backlog import Backlog, decode_backlog
from telemetry.clock import SECOND_US, to_us

SILENT_S = 30.0
"""A word older than this is not about now."""
OLD_S = 60.0


async def examine(url: str) -> AsyncIterator[Finding]:
    """Listen to what is said at the broker at `url`."""
    word = await _hear(url)
    if word is None:
        yield note(
            "queue", "Nobody says how much waits for ingest: start `lamplighter rules` and `lamplighter ingest`."
        )
        return
    silent_s = (real_now() - to_us(dt.datetime.fromisoformat(word.at))) / SECOND_US
    if silent_s > SILENT_S:
        yield note(
            "queue", f"Nobody has looked for {silent_s:.0f} s how much waits for ingest: start `lamplighter rules`."
        )
        return
    yield _waiting(word)
    if word.lost_probes or word.dropped_messages:
        said = (
            f"{word.dropped_messages} messages by its own count" if word.dropped_messages else "nobody knows how many"
        )
        yield wrong(
            "queue",
            f"The broker has dropped what it had acknowledged ({word.lost_probes} of our probes, {said}): "
            f"set `max_queued_messages {limits.BROKER_QUEUE_MESSAGES_MAX}` and "
            f"`max_queued_bytes {limits.BROKER_QUEUE_BYTES_MAX}`.",
        )


def _waiting(word: Backlog) -> Finding:
    waits = f"{word.messages} messages wait for ingest, the oldest for {word.age_s:.0f} s (process {word.slowest})"
    if word.filled_pct >= RAISE_PCT:
        return wrong(
            "queue",
            f"The queue at the broker is {word.filled_pct:.0f} % full, and drops when it is full: {waits}. "
            "Start ingest, or find out why the database does not store.",
        )
    if word.age_s > OLD_S:
        return note("queue", f"{waits}; the queue at the broker is {word.filled_pct:.1f} % full.")
    return ok("queue", "Ingest keeps up with what the broker takes.")


async def _hear(url: str) -> Backlog | None:
    """The newest word, `None` if there is none that can be read."""
    payload = await heard(url, topics.BACKLOG)
    with suppress(msgspec.DecodeError):
        return decode_backlog(payload) if payload else None
    return None
