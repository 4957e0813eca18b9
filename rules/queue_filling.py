"""When the queue of uplinks at the broker is an alarm: half full for a while, or the broker has dropped. Pure.

Times are real, as the queue is; only the moment that names the alarm is the city clock's.
"""

from typing import Any

from rules.platform_alarms import Fact
from rules.soundings import QueueBound
from telemetry.alarms import AlarmType
from telemetry.backlog import Backlog

RAISE_PCT = 50.0
CLEAR_PCT = 40.0
"""Per cent of the queue's bound at which the alarm is raised, and below which it clears."""
RAISE_S = 3.0
CLEAR_S = 5.0
"""For so many seconds it has to hold."""
DROPPED_S = 600.0
"""A broker that drops is an alarm until it has not dropped for so many seconds."""


class QueueFilling:
    """The latch between measures and the alarm's fact."""

    def __init__(self, bound: QueueBound) -> None:
        self._bound = bound
        self._holding = False
        self._since_us = 0
        self._turning: tuple[float, int] | None = None
        self._lost = (0, 0)
        self._dropped_s: float | None = None
        self._why: dict[str, Any] = {}

    def judge(self, backlog: Backlog, real_s: float, now_us: int) -> Fact:
        """What a measure says of the alarm, given all before it; `now_us` is the city clock."""
        lost = (backlog.lost_probes, backlog.dropped_messages or 0)
        if lost > self._lost or lost[1] > self._lost[1]:
            self._dropped_s = real_s
        self._lost = lost
        dropping = self._dropped_s is not None and real_s - self._dropped_s < DROPPED_S
        wanted = dropping or backlog.filled_pct >= (CLEAR_PCT if self._holding else RAISE_PCT)
        if wanted == self._holding:
            self._turning = None
        else:
            since_s, since_us = self._turning = self._turning or (real_s, now_us)
            patience_s = 0.0 if dropping else CLEAR_S if self._holding else RAISE_S
            if real_s - since_s >= patience_s:
                self._holding, self._since_us, self._turning = wanted, since_us, None
                self._why = self._reason(backlog)
        return Fact(AlarmType.QUEUE_FILLING, self._holding, self._why, self._since_us)

    def _reason(self, backlog: Backlog) -> dict[str, Any]:
        inputs = {
            "age_s": backlog.age_s,
            "messages": backlog.messages,
            "bytes": backlog.bytes,
            "filled_pct": backlog.filled_pct,
            "lost_probes": backlog.lost_probes,
            "dropped_messages": backlog.dropped_messages,
        }
        limits = {
            "filled_pct": RAISE_PCT,
            "queue_messages": self._bound.messages,
            "queue_bytes": self._bound.bytes,
        }
        return {"inputs": inputs, "thresholds": limits}
