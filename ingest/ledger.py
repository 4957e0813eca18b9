"""The live account of one ingest process: what it has received, what became of it, and what is in flight.

`received` comes from the inbox, the fates from the writer's committed transactions. The account of record is the table
`ledger`, to which the writer adds; here are the figures for Prometheus and for those who watch.
"""

import asyncio
import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.fates import Fates
from ingest.statements import SQL
from storage import errors
from storage.pool import Pool, lent
from telemetry.kinds import KINDS
from telemetry.refusals import Reason

HEARTBEAT_S = 1.0
"""So often the number in flight is written, if it has changed."""
HEARTBEAT_S_MAX = 5.0
"""So often it is written in any case."""
_ROWS = (1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)

_log = structlog.get_logger(__name__)


class Ledger:
    """Counts observations; `instance` names the process among others, `registry` is where Prometheus looks."""

    def __init__(self, instance: str, registry: CollectorRegistry | None = None) -> None:
        self.instance = instance
        self.total = Fates()
        self._taken = 0
        registry = registry or CollectorRegistry()

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"lamplighter_ingest_{name}", words, labels, registry=registry)

        self._received = counter("received", "Observations received, counted before decoding.")
        self._stored = counter("stored", "Observations stored, by kind.", "kind")
        self._duplicate = counter("duplicate", "Observations that were there already.")
        self._conflicting = counter("conflicting", "Duplicates whose values differ from what is stored.")
        self._quarantined = counter("quarantined", "Observations refused, by reason.", "reason")
        self._unkept = counter("unkept", "Refused observations beyond what is kept a device and day.")
        self._unknown_fields = counter("unknown_fields", "Fields that no kind knows.")
        self._statuses = counter("statuses", "Words of devices on themselves, by whether they were understood.", "fate")
        self._batch_rows = Histogram(
            "lamplighter_ingest_batch_observations", "Observations of a batch.", buckets=_ROWS, registry=registry
        )
        self._write_s = Histogram(
            "lamplighter_ingest_write_seconds", "From a full batch to its durable fate.", registry=registry
        )
        self._flying = Gauge(
            "lamplighter_ingest_in_flight", "Observations received and not settled.", registry=registry
        )
        self._flying.set_function(lambda: self.in_flight)
        imbalance = Gauge(
            "lamplighter_ingest_imbalance",
            "Observations settled by this process without exactly one fate: always 0, or one was lost or told twice.",
            registry=registry,
        )
        imbalance.set_function(lambda: self.total.without_fate)
        self._oldest_s: float | None = None
        waiting = Gauge(
            "lamplighter_ingest_waiting_seconds",
            "For how long the oldest batch has waited that is not acknowledged: grows while the database is away.",
            registry=registry,
        )
        waiting.set_function(lambda: self.waiting_s)
        for kind in KINDS:
            self._stored.labels(kind)
        for reason in Reason:
            self._quarantined.labels(reason.value)

    @property
    def in_flight(self) -> int:
        """Observations that have been received and whose fate is not durable yet."""
        return self._taken - self.total.received

    @property
    def waiting_s(self) -> float:
        """For how many real seconds the oldest batch has waited that is not acknowledged, 0 if none does."""
        return 0.0 if self._oldest_s is None else time.monotonic() - self._oldest_s

    def waits_since(self, arrived_s: float | None) -> None:
        """The oldest batch that is not acknowledged came at this real monotonic time; `None`: there is none."""
        self._oldest_s = arrived_s

    def taken(self, received: int) -> None:
        """So many observations have come in."""
        self._taken += received
        self._received.inc(received)

    def settled(self, fates: Fates, took_s: float) -> None:
        """A transaction has been committed, `took_s` real seconds after its batch was closed."""
        total = self.total
        total.received += fates.received
        total.stored.update(fates.stored)
        total.duplicate += fates.duplicate
        total.quarantined.update(fates.quarantined)
        total.conflicting += fates.conflicting
        total.unknown_fields += fates.unknown_fields
        total.unkept += fates.unkept
        for kind, count in fates.stored.items():
            self._stored.labels(kind).inc(count)
        for reason, count in fates.quarantined.items():
            self._quarantined.labels(reason.value).inc(count)
        self._duplicate.inc(fates.duplicate)
        self._conflicting.inc(fates.conflicting)
        self._unkept.inc(fates.unkept)
        self._unknown_fields.inc(fates.unknown_fields)
        self._batch_rows.observe(fates.received)
        self._write_s.observe(took_s)

    def spoke(self, understood: int, misspoken: int) -> None:
        """So many status words have come in."""
        self._statuses.labels("understood").inc(understood)
        self._statuses.labels("misspoken").inc(misspoken)


async def keep_heartbeat(ledger: Ledger, pool: Pool) -> None:
    """Write what is in flight to the database, again and again; while it is away, nobody asks there either."""
    written, since_s = -1, 0.0
    while True:
        in_flight = ledger.in_flight
        if in_flight != written or since_s >= HEARTBEAT_S_MAX:
            try:
                await _execute(pool, "heartbeat", {"instance": ledger.instance, "in_flight": in_flight})
                written, since_s = in_flight, 0.0
            except errors.StorageError as error:
                _log.debug("heartbeat not written", reason=str(error))
        await asyncio.sleep(HEARTBEAT_S)
        since_s += HEARTBEAT_S


async def say_farewell(ledger: Ledger, pool: Pool) -> None:
    """This process has nothing in flight any more."""
    try:
        await _execute(pool, "farewell", {"instance": ledger.instance})
    except errors.StorageError as error:
        _log.debug("farewell not written", reason=str(error))


async def _execute(pool: Pool, name: str, parameters: dict[str, object]) -> None:
    async with lent(pool) as conn:
        await conn.execute(SQL[name], parameters)
