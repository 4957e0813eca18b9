"""What this process says of the platform's probes: how far it has come, how old its queue is, what never came.

A probe has come through the queue of the uplinks, and counts as settled when the uplinks before it are. It is no
observation: the ledger does not know it. Some are readings of the platform's own device and are stored, in a table of
their own: the API shows them, so that the way from the broker to an answer is tried all the time.
"""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from bus.session import Publisher
from storage import errors, self_probe
from storage.pool import Pool, lent
from telemetry import backlog, topics
from telemetry.backlog import Probe, Settled
from telemetry.clock import SECOND_US, Now

SAY_EVERY_S = 0.25
"""Of many probes settled at once only the newest is told, so often at most, in real seconds."""
STORE_AGAIN_S = 1.0
"""After a failure the newest reading is stored this much later, in real seconds."""

_log = structlog.get_logger(__name__)


class Probes:
    """Follows probes in the order of the queue; `process` is this ingest process's name."""

    def __init__(self, process: str, registry: CollectorRegistry | None = None) -> None:
        self._process, self._topic = process, topics.settled(process)
        self._word: Settled | None = None
        self._something = asyncio.Event()
        self._reading: Probe | None = None
        self._some_reading = asyncio.Event()
        registry = registry or CollectorRegistry()
        self._age = Gauge(
            "lamplighter_ingest_probe_age_seconds",
            "How old the newest settled probe was when it was settled: the age of this process's queue.",
            registry=registry,
        )
        self._missed = Counter(
            "lamplighter_ingest_probe_gaps",
            "Probes that the broker has acknowledged and that never came to this process: it drops.",
            registry=registry,
        )

    @property
    def word(self) -> Settled | None:
        """How far this process has come; `None` before the first probe."""
        return self._word

    def settled(self, payloads: Iterable[bytes], real_us: int) -> None:
        """Everything that came before these probes is durable; `real_us` is real time."""
        for payload in payloads:
            try:
                self._follow(backlog.decode_probe(payload), real_us)
            except msgspec.DecodeError:
                continue

    def _follow(self, probe: Probe, real_us: int) -> None:
        word = self._word
        if word is None or word.run != probe.run:
            first, missed = probe.number, 0
        elif probe.number > word.number:
            gap = probe.number - word.number - 1
            self._missed.inc(gap)
            first, missed = word.first, word.missed + gap
        else:
            return  # it came again
        self._word = Settled(probe.run, probe.number, probe.sent_us, first, missed)
        self._age.set(max(0.0, (real_us - probe.sent_us) / SECOND_US))
        self._something.set()
        if probe.is_reading:
            self._reading = probe
            self._some_reading.set()

    async def keep_stored(self, pool: Pool, now: Now) -> None:
        """Store the newest reading, until cancelled; `now` is the city clock. Nothing else waits for it."""
        while True:
            await self._some_reading.wait()
            self._some_reading.clear()
            probe = self._reading
            assert probe is not None
            try:
                async with lent(pool) as conn:
                    await self_probe.store(conn, probe, self._process, now())
            except errors.StorageError as error:
                _log.debug("self-probe not stored", reason=str(error))
                self._some_reading.set()
                await asyncio.sleep(STORE_AGAIN_S)

    async def keep_said(self, publisher: Publisher) -> None:
        """Have the broker retain how far this process has come, until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            assert self._word is not None
            await publisher.publish(self._topic, backlog.encode(self._word), retain=True)
            await asyncio.sleep(SAY_EVERY_S)
