"""A live stream of server-sent events: a snapshot, then every change, and comments to keep it open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from prometheus_client import Gauge
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.changes import Changes
from api.problems import too_many
from api.ratelimit import Streams

RETRY_MS = 3_000
"""What we ask a browser to wait before it reconnects."""
REFUSED_RETRY_S = 15
OPENING = b"retry: %d\n\n" % RETRY_MS
COMMENT = b": still here\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""A proxy that would keep events back is told not to."""


def last_event_id(header: str | None) -> int:
    """The event id after which to go on, 0 where the client gave none that we understand."""
    digits = (header or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0


async def events(changes: Changes, since: int, comment_every_s: float) -> AsyncIterator[bytes]:
    """Frames until the end: what changed after the event `since` (0: everything), then whatever changes."""
    yield OPENING
    clock = asyncio.get_running_loop().time
    comment_due_s = clock() + comment_every_s
    while not changes.closed:
        changed = changes.changed
        frames, since = changes.frames_after(since), changes.last_event_id
        if frames:
            yield b"".join(frames)
        if clock() >= comment_due_s:
            yield COMMENT
            comment_due_s = clock() + comment_every_s
        with suppress(TimeoutError):
            async with asyncio.timeout_at(comment_due_s):
                await changed.wait()


class EventStream(StreamingResponse):
    """The answer of a stream: counted in when it begins and out when it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes], streams: Streams, address: str, gauge: Gauge) -> None:
        super().__init__(frames, headers=HEADERS)
        self._streams = streams
        self._address = address
        self._gauge = gauge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, or say why there is none for this address."""
        if not self._streams.enter(self._address):
            refusal = too_many("Too many live streams are open from your address.", REFUSED_RETRY_S)
            await refusal.response()(scope, receive, send)
            return
        try:
            self._gauge.set(self._streams.open)
            await super().__call__(scope, receive, send)
        finally:
            self._streams.leave(self._address)
            self._gauge.set(self._streams.open)
