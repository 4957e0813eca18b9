"""What is written in one transaction: reads of the inbox, gathered until there are enough rows or bytes or time is up.

Pure: the inbox is read, and time is waited for, by `service`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bus import inbox
from telemetry.clock import DAY_US
from telemetry.limits import BATCH_AGE_MS_MAX, BATCH_BYTES_MAX, BATCH_ROWS_MAX
from telemetry.topics import PROBE, STATUS_SUFFIX, TELEMETRY_SUFFIX

_PROBE = PROBE.encode()


@dataclass(frozen=True, slots=True)
class Word:
    """A message of another kind than telemetry."""

    topic: bytes
    payload: bytes
    retained: bool
    received_us: int


@dataclass(slots=True)
class Batch:
    """Uplinks and status words received within one UTC day of the city's time, in order of arrival.

    `topics`, `payloads` and `received_us` have one entry an uplink, `probes` are payloads. `received` is the inbox's
    count of observations; `day` is days since 1970 UTC.
    """

    sources: list[inbox.Batch] = field(default_factory=list)
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    received_us: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    statuses: list[Word] = field(default_factory=list)
    probes: list[bytes] = field(default_factory=list)
    received: int = 0
    size: int = 0
    day: int = 0

    @property
    def redelivered(self) -> bool:
        """Whether the broker says of any message that it was sent before."""
        return any(source.redelivered for source in self.sources)

    def ack(self) -> None:
        """Acknowledge all messages to the broker: their fate is durable."""
        inbox.acknowledge(self.sources)


class Gatherer:
    """Gathers reads into batches.

    Times of receipt never fall, and those of the next batch leave room for as many microseconds as this one has
    observations: those without a time of their own get the time of receipt, a microsecond apart, and so stay distinct.
    """

    def __init__(self) -> None:
        self._batch = Batch()
        self._times: list[tuple[int, int]] = []
        self._from_us = 0

    @property
    def full(self) -> bool:
        """Whether the batch closes by rows or bytes."""
        return self._batch.received >= BATCH_ROWS_MAX or self._batch.size >= BATCH_BYTES_MAX

    @property
    def due_s(self) -> float:
        """When the batch closes by age, in real monotonic seconds; it is not empty."""
        return self._batch.sources[0].arrived_s + BATCH_AGE_MS_MAX / 1000

    def accepts(self, read: inbox.Batch) -> bool:
        """Whether the read belongs into this batch, not into one of another day."""
        return not self._batch.sources or self._moment_us(read) // DAY_US == self._batch.day

    def add(self, read: inbox.Batch) -> None:
        """Add a read that is accepted."""
        batch = self._batch
        self._from_us = self._moment_us(read)
        if not batch.sources:
            batch.day = self._from_us // DAY_US
        batch.sources.append(read)
        batch.received += read.received
        batch.size += read.size
        uplinks = [name.endswith(TELEMETRY_SUFFIX) for name in read.topics]
        if all(uplinks):
            batch.topics += read.topics
            batch.payloads += read.payloads
        else:
            self._sort(read, uplinks)
        self._times.append((self._from_us, sum(uplinks)))

    def close(self) -> Batch:
        """The batch; the next one begins."""
        batch, times = self._batch, self._times
        batch.received_us = np.repeat(
            np.array([moment for moment, _ in times], dtype=np.int64), [count for _, count in times]
        )
        self._batch, self._times = Batch(), []
        self._from_us += batch.received
        return batch

    def _moment_us(self, read: inbox.Batch) -> int:
        """When the read counts as received."""
        return max(read.received_us, self._from_us)

    def _sort(self, read: inbox.Batch, uplinks: list[bool]) -> None:
        """Tell uplinks from status words and probes; what is neither was not asked for and is left out."""
        for name, payload, retained, is_uplink in zip(read.topics, read.payloads, read.retained, uplinks, strict=True):
            if is_uplink:
                self._batch.topics.append(name)
                self._batch.payloads.append(payload)
            elif name.endswith(STATUS_SUFFIX):
                self._batch.statuses.append(Word(name, payload, retained, read.received_us))
            elif name == _PROBE:
                self._batch.probes.append(payload)
