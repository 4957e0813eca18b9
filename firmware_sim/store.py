"""A device's memory of what it measured: kept until acknowledged and for 60 s beyond, sent again when it may be lost.

The broker may lose what it accepted in its last autosave interval; devices therefore send their last 60 s again after
an unclean reconnect (contract §1).
"""

from collections import deque
from dataclasses import dataclass

from telemetry.limits import ARRAY_OBSERVATIONS_MAX

OBSERVATIONS_MAX = 5_000
"""What a device's flash holds; beyond it the oldest observation is lost and counted."""


@dataclass(slots=True, eq=False)
class Kept:
    """One observation as JSON text; `sent_us` is when it last went out, `None` while it waits."""

    text: bytes
    sent_us: int | None = None
    acknowledged: bool = False


class Store:
    """Observations in the order of their measurement; holds at most `observations_max`."""

    def __init__(self, keep_us: int, observations_max: int = OBSERVATIONS_MAX) -> None:
        self.lost = 0
        """Observations that fell out of a full store before they were acknowledged."""
        self._keep_us = keep_us
        self._observations_max = observations_max
        self._kept: deque[Kept] = deque()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, text: bytes, now_us: int) -> Kept:
        """Keep a new observation, which waits to be sent."""
        self._forget(now_us)
        if len(self._kept) >= self._observations_max:
            self.lost += not self._kept.popleft().acknowledged
        kept = Kept(text)
        self._kept.append(kept)
        return kept

    def unsettled(self, now_us: int, torn: bool) -> list[tuple[Kept, ...]]:
        """What has to be sent now, in order, in portions that fit one array, and marked as sent.

        That is what was not acknowledged and, after a torn connection, all that was sent within the last 60 s.
        """
        since_us = now_us - self._keep_us
        chosen = [each for each in self._kept if not each.acknowledged or (torn and (each.sent_us or 0) >= since_us)]
        return self._sent_now(chosen, now_us)

    def overdue(self, now_us: int, patience_us: int) -> list[tuple[Kept, ...]]:
        """What was sent so long ago and not acknowledged, in portions as `unsettled` has them, and marked as sent."""
        chosen = [
            each
            for each in self._kept
            if not each.acknowledged and each.sent_us is not None and each.sent_us <= now_us - patience_us
        ]
        return self._sent_now(chosen, now_us)

    def _sent_now(self, chosen: list[Kept], now_us: int) -> list[tuple[Kept, ...]]:
        for each in chosen:
            each.sent_us, each.acknowledged = now_us, False
        size = ARRAY_OBSERVATIONS_MAX
        return [tuple(chosen[first : first + size]) for first in range(0, len(chosen), size)]

    def _forget(self, now_us: int) -> None:
        """Let go of what is acknowledged and older than 60 s."""
        kept, until_us = self._kept, now_us - self._keep_us
        while kept and kept[0].acknowledged and (kept[0].sent_us or 0) < until_us:
            kept.popleft()


def uplink_text(portion: tuple[Kept, ...]) -> bytes:
    """The payload of a portion: one object, or an array of several."""
    if len(portion) == 1:
        return portion[0].text
    return b"[" + b",".join(each.text for each in portion) + b"]"
