"""How much waits for ingest, from numbered probes that go through its own queues: pure.

A number that the broker has acknowledged and that never comes through is a proof that the broker drops: probes are
lost as everything else is. The time since the oldest probe that has not come through is the age of the backlog. Where
the broker says what it stores and drops (Mosquitto's `$SYS`), that is a second witness: it sees drops between two
probes, and a backlog that we cannot count because we do not read ourselves.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from rules.inflow import Inflow
from telemetry import limits, topics
from telemetry.backlog import Backlog, Probe, Settled
from telemetry.clock import SECOND_US, to_rfc3339

SENT_KEPT_MAX = 10_000
"""So many unsettled probes are remembered; beyond it every second one is forgotten, the oldest never."""
CHANGEOVER_S = 2.0
"""A process that has not settled the first probe of a run after this time has a backlog from before."""
YOUNG_S = 1.0
"""A backlog that is older counts from the last settled probe on, a younger one from its own first."""
FORGOTTEN_S = 7 * 24 * 3600
"""A process that has settled nothing for so long has no queue any more: the broker has forgotten its session."""


@dataclass(frozen=True, slots=True)
class QueueBound:
    """What the broker keeps for one client that is away."""

    messages: int = limits.BROKER_QUEUE_MESSAGES_MAX
    bytes: int = limits.BROKER_QUEUE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class _Sent:
    """A probe that the broker has, and how many uplinks had gone by then."""

    number: int
    at_s: float
    messages: float


class Soundings:
    """Follows probes. Times are real: monotonic seconds `_s`, or microseconds since 1970 UTC `_us`."""

    def __init__(self, bound: QueueBound, inflow: Inflow) -> None:
        self._bound, self._inflow = bound, inflow
        self._run, self._number = "", 1
        self._sent: list[_Sent] = []
        self._settled: dict[str, Settled] = {}
        self._stored: dict[str, int] = {}
        self._dropped_said: int | None = None
        self.lost_probes = 0
        self.dropped_messages: int | None = None

    def begin(self, run: str) -> None:
        """Who probes is connected anew: the numbers begin anew, and what the broker has said is void."""
        self._run, self._number = run, 1
        self._sent.clear()
        self._stored.clear()

    def probe(self, real_us: int) -> Probe:
        """The probe to send next; the same number until it is `sent`."""
        return Probe(self._run, self._number, real_us)

    def sent(self, probe: Probe, real_s: float) -> None:
        """The broker has acknowledged it."""
        if probe.run != self._run or probe.number != self._number:
            return
        self._number += 1
        self._sent.append(_Sent(probe.number, real_s, self._inflow.messages))
        if len(self._sent) > SENT_KEPT_MAX:
            self._sent = [*self._sent[:2], *self._sent[3::2]]

    def settled(self, process: str, word: Settled) -> None:
        """An ingest process has told how far it has come."""
        before = self._settled.get(process)
        if before is not None and before.run == self._run != word.run:
            return
        self._settled[process] = word
        if word.run != self._run:
            return
        if before is None or before.run != self._run:
            self.lost_probes += word.missed
        elif word.first == before.first and word.missed >= before.missed:
            self.lost_probes += word.missed - before.missed
        else:  # another process of this name, which took over the queue
            self.lost_probes += word.missed + max(0, word.first - before.number - 1)
        if all(each.run == self._run for each in self._settled.values()):
            done = self._place(min(each.number for each in self._settled.values()))
            del self._sent[: max(0, done - 1)]

    def forget(self, process: str) -> None:
        """An ingest process is gone for good: its word has been taken from the broker."""
        self._settled.pop(process, None)

    def broker_says(self, topic: str, number: int) -> None:
        """A count of the broker's own."""
        if topic != topics.SYS_DROPPED:
            self._stored[topic] = number
            return
        before, self._dropped_said = self._dropped_said, number
        if before is None:
            self.dropped_messages = self.dropped_messages or 0
        else:  # a broker that was restarted counts anew
            grown = number - before if number >= before else number
            self.dropped_messages = (self.dropped_messages or 0) + grown

    def forgotten(self, real_us: int) -> Iterator[str]:
        """The processes that are no more; they are let go of."""
        for process, word in list(self._settled.items()):
            if word.run != self._run and real_us - word.sent_us > FORGOTTEN_S * SECOND_US:
                del self._settled[process]
                yield process

    def measure(self, real_s: float, real_us: int) -> Backlog | None:
        """How much waits; `None` while nobody has said anything."""
        if not self._settled:
            return None
        by_process = {name: self._way(word, real_s, real_us) for name, word in self._settled.items()}
        ways = list(by_process.values())
        slowest = max(by_process, key=lambda name: by_process[name][0])
        waiting = [messages / len(ways) for age_s, messages in ways if age_s] or [0.0]
        stored = self._stored_messages()
        if self._inflow.deaf and stored is not None and any(age_s for age_s, _ in ways):
            waiting = [stored / len(waiting)] * len(waiting)
        total, size = round(sum(waiting)), self._inflow.size_mean
        filled = max(waiting) * max(1 / self._bound.messages, size / self._bound.bytes)
        return Backlog(
            age_s=round(by_process[slowest][0], 3),
            messages=total,
            bytes=round(total * size),
            filled_pct=round(100 * filled, 2),
            lost_probes=self.lost_probes,
            dropped_messages=self.dropped_messages,
            at=to_rfc3339(real_us),
            slowest=slowest,
        )

    def _way(self, word: Settled, real_s: float, real_us: int) -> tuple[float, float]:
        """How long the oldest unsettled probe of one process has waited, and how many uplinks have gone by since."""
        current = word.run == self._run
        place = self._place(word.number) if current else 0
        if place == len(self._sent):
            return 0.0, 0.0
        oldest = self._sent[place]
        age_s = max(0.0, real_s - oldest.at_s)
        before = self._sent[place - 1] if place and age_s >= YOUNG_S else oldest
        messages = max(0.0, self._inflow.messages - before.messages)
        if not current and age_s > CHANGEOVER_S:
            before_s = max(0.0, (real_us - word.sent_us) / SECOND_US - age_s)
            return age_s + before_s, messages + before_s * self._inflow.rate
        return age_s, messages

    def _place(self, number: int) -> int:
        """Where in what was sent the first probe after this number is."""
        return bisect_right(self._sent, number, key=lambda each: each.number)

    def _stored_messages(self) -> int | None:
        """What the broker stores for clients that are away, `None` if it does not say."""
        if len(self._stored) < len(topics.SYS_STORED):
            return None
        count, retained = (self._stored[topic] for topic in topics.SYS_STORED)
        return max(0, count - retained)
