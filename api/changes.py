"""Things that change, as numbered server-sent events for any number of streams.

Of each thing the newest event alone is kept, and a stream asks for what is newer than what its client has. So there is
no queue a listener: one that reads slowly gets the newest state later, and costs no memory.
"""

import asyncio
from collections.abc import KeysView

GONE_MAX = 1_000
"""Things that went and are still told to streams that reconnect; beyond it the oldest is forgotten."""


class Changes:
    """The newest event of each thing by name, and the last events of things that went."""

    def __init__(self, first_event_id: int = 1) -> None:
        """Ids begin above all of an earlier process, so that a client which comes back to a new one gets everything."""
        self._frames: dict[str, tuple[int, bytes]] = {}
        self._gone: dict[str, tuple[int, bytes]] = {}
        self.last_event_id = first_event_id - 1
        self.changed = asyncio.Event()
        """Set at the next change; ask anew for the one after it."""
        self.closed = False

    @property
    def names(self) -> KeysView[str]:
        """The things that there are."""
        return self._frames.keys()

    def put(self, name: str, event: str, data: bytes) -> None:
        """A thing has changed; `data` is JSON, which has no line breaks."""
        self._gone.pop(name, None)
        self._frames[name] = self._numbered(event, data)

    def drop(self, name: str, event: str, data: bytes) -> None:
        """A thing goes with a last event."""
        self._frames.pop(name, None)
        self._gone.pop(name, None)
        self._gone[name] = self._numbered(event, data)
        if len(self._gone) > GONE_MAX:
            self._gone.pop(next(iter(self._gone)))

    def close(self) -> None:
        """Let every stream end."""
        self.closed = True
        self._ring()

    def frames_after(self, event_id: int) -> list[bytes]:
        """The newest event of each thing that changed after this one, in order; 0 or an id of nobody's gives all."""
        known = event_id if event_id <= self.last_event_id else 0
        frames = [each for each in self._frames.values() if each[0] > known]
        if known:
            frames += [each for each in self._gone.values() if each[0] > known]
        return [frame for _, frame in sorted(frames)]

    def _numbered(self, event: str, data: bytes) -> tuple[int, bytes]:
        self.last_event_id += 1
        self._ring()
        return self.last_event_id, b"id: %d\nevent: %s\ndata: %s\n\n" % (self.last_event_id, event.encode(), data)

    def _ring(self) -> None:
        rung, self.changed = self.changed, asyncio.Event()
        rung.set()
