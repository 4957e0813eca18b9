"""What is written in one transaction: reads of the inbox, gathered until there are enough rows or bytes or time is up.

Pure: the inbox is read, and time is waited for, by `service`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bus import inbox
from telemetry.clock import DAY_US, SECOND_US
from telemetry.limits import BATCH_BYTES_MAX, BATCH_ROWS_MAX
from telemetry.topics import PROBE, STATUS_SUFFIX, TELEMETRY_SUFFIX

STEP_BACK_US = 5 * SECOND_US
"""A clock that falls by more was set right, and a new batch goes by it; else time stands until it has caught up."""
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

    `topics` and `payloads` have one entry an uplink; `times` has one a read: when it counts as received, and how many
    uplinks it brought. `probes` are payloads. `received` is the inbox's count of observations; `day` is days since 1970
    UTC.
    """

    sources: list[inbox.Batch] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    statuses: list[Word] = field(default_factory=list)
    probes: list[bytes] = field(default_factory=list)
    received: int = 0
    size: int = 0
    day: int = 0

    def received_us(self, first: int = 0) -> NDArray[np.int64]:
        """When each uplink was received, from the read with this number on."""
        moments, counts = np.array(self.times[first:], dtype=np.int64).reshape(-1, 2).T
        return np.repeat(moments, counts)

    @property
    def redelivered(self) -> bool:
        """Whether the broker says of any message that it was sent before."""
        return any(source.redelivered for source in self.sources)

    def ack(self) -> None:
        """Acknowledge all messages to the broker: their fate is durable."""
        inbox.acknowledge(self.sources)


class Gatherer:
    """Gathers reads into batches; `batch` is the present one.

    Times of receipt never fall, but from one batch to the next where the clock stepped back, and those after a cut
    leave room for as many microseconds as there were observations before: those without a time of their own get the
    time of receipt, a microsecond apart, and so stay distinct.
    """

    def __init__(self) -> None:
        self.batch = Batch()
        self._from_us = self._uncut = 0

    @property
    def full(self) -> bool:
        """Whether the batch closes by rows or bytes."""
        return self.batch.received >= BATCH_ROWS_MAX or self.batch.size >= BATCH_BYTES_MAX

    @property
    def begun_s(self) -> float:
        """When its first read arrived, in real monotonic seconds; it is not empty."""
        return self.batch.sources[0].arrived_s

    def accepts(self, read: inbox.Batch) -> bool:
        """Whether the read belongs into this batch, not into one of another day or of another clock."""
        if not self.batch.sources:
            return True
        return not self._stepped_back(read) and self._moment_us(read) // DAY_US == self.batch.day

    def add(self, read: inbox.Batch) -> None:
        """Add a read that is accepted."""
        batch, moment_us = self.batch, self._moment_us(read)
        if not batch.sources:
            batch.day = moment_us // DAY_US
        batch.sources.append(read)
        batch.times.append((moment_us, read.uplinks))
        batch.received += read.received
        batch.size += read.size
        if read.uplinks == len(read):
            batch.topics += read.topics
            batch.payloads += read.payloads
        else:
            self._sort(read)
        self._from_us = moment_us
        self._uncut += read.received

    def cut(self) -> None:
        """What has come until now is decoded at once, apart from what comes."""
        self._from_us += self._uncut
        self._uncut = 0

    def close(self) -> Batch:
        """The batch; the next one begins."""
        self.cut()
        batch, self.batch = self.batch, Batch()
        return batch

    def _moment_us(self, read: inbox.Batch) -> int:
        """When the read counts as received."""
        return read.received_us if self._stepped_back(read) else max(read.received_us, self._from_us)

    def _stepped_back(self, read: inbox.Batch) -> bool:
        return read.received_us < self._from_us - STEP_BACK_US

    def _sort(self, read: inbox.Batch) -> None:
        """Tell uplinks from status words and probes; what is neither was not asked for and is left out."""
        batch = self.batch
        for name, payload, retained in zip(read.topics, read.payloads, read.retained, strict=True):
            if name.endswith(TELEMETRY_SUFFIX):
                batch.topics.append(name)
                batch.payloads.append(payload)
            elif name.endswith(STATUS_SUFFIX):
                batch.statuses.append(Word(name, payload, retained, read.received_us))
            elif name == _PROBE:
                batch.probes.append(payload)
