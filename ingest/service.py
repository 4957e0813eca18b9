"""The ingest service: from the inbox to durable fates, for as long as it runs, whatever goes away meanwhile.

Two stages with a hand-over of one: while a batch is committed, the next one is gathered, decoded and made ready. It is
handed over when it is due and the commit before is done, so commits and acknowledgements keep the order of arrival, and
the more comes the larger are the transactions. While the database is away one batch waits in its commit, one for its
turn, the inbox fills to its bound, and the rest waits at the broker.

So what waits in memory is bounded: messages of `INBOX_BYTES_MAX`, and of two batches, each of `BATCH_BYTES_MAX` and a
read, with what they were decoded to.
"""

import asyncio
import gc
import math
import time
from collections.abc import Callable

import msgspec
import structlog

from bus import inbox as inboxes
from bus.inbox import Subscriber
from bus.session import Publisher
from ingest import trail
from ingest.batch import Batch, Gatherer
from ingest.ledger import Ledger, keep_heartbeat, say_farewell
from ingest.parcel import Packing, Parcel
from ingest.probes import Probes
from ingest.writer import Writer
from storage import errors, registry
from storage.pool import Pool, lent
from telemetry import topics
from telemetry.clock import CityClock, Now, to_rfc3339
from telemetry.decoding import Decoder
from telemetry.limits import BATCH_AGE_MS_MAX, BATCH_LINGER_MS_MAX, FLOOD_PER_S
from telemetry.spans import span

REGISTRY_LOOK_S = 2.0
"""So often the registry's version is looked at, in real seconds."""
DECODE_UPLINKS = 2_000
"""So many are decoded as soon as they are gathered: the last ones of a batch hold up its commit only shortly."""
LOOK_S = 0.01
"""So often it is looked whether enough has come to be decoded, in real seconds."""
FLOW_S = 0.2
"""How much comes is a mean of about so long, in real seconds: a jam that dissolves is no flood."""
LULL_S = 0.03
"""When nothing has come for so long, a flood is over, and its last batch lingers no longer, in real seconds."""
STOP_GRACE_S = 10.0
"""So long the batch at hand may take to become durable when the service is asked to stop, in real seconds."""

_log = structlog.get_logger(__name__)


async def run(
    *,
    mqtt_url: str,
    pool: Pool,
    now: Now,
    clock: CityClock,
    instance: str = "ingest",
    share: str | None = None,
    ledger: Ledger | None = None,
    probes: Probes | None = None,
    ready: Callable[[], None] = lambda: None,
    retires: bool = False,
) -> None:
    """Store what devices send, until cancelled: then the batch at hand is settled and acknowledged first.

    Args:
        mqtt_url: the broker, with a user who may read all telemetry and status topics.
        pool: the database; one connection is kept for writing, so it has at least two.
        now: the city clock.
        clock: the same clock as plain data, retained by the broker for replays elsewhere.
        instance: this process's name, and its client id at the broker: it owns the queue there.
        share: the name of a shared subscription, where several processes divide the uplinks among them; `None`: alone.
        ledger: where figures are counted; `None` makes one of its own.
        probes: where the platform's probes are followed; `None` makes one of its own.
        ready: called once, when registry and subscription are there; of one that retires, when nothing is left to do.
        retires: take nothing new, only what the broker holds for this process.

    Raises:
        BadAddress: the URL is none.
    """
    ledger = ledger or Ledger(instance)
    uplinks = topics.telemetry("+", "+")
    filters = [f"$share/{share}/{uplinks}" if share else uplinks, topics.status("+", "+"), topics.PROBE]
    probes = probes or Probes(instance)
    service = _Service(pool, ledger, probes, lambda: clock.real(now()))
    announce = asyncio.Event()
    async with (
        Publisher(mqtt_url, f"{instance}-clock", on_connected=announce.set) as publisher,
        Subscriber(mqtt_url, instance, filters, now=now, retires=retires) as inbox,
    ):
        work = asyncio.create_task(service.work(inbox), name=f"{instance} work")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(service.follow_registry())
                group.create_task(keep_heartbeat(ledger, pool))
                group.create_task(_keep_announced(publisher, announce, clock))
                if not retires:
                    group.create_task(probes.keep_said(publisher))
                    group.create_task(probes.keep_stored(pool, now))
                group.create_task(_tell_ready(service, inbox, ready, retires))
                group.create_task(_follow(work))
                group.create_task(_follow(service.failure))
        finally:
            await service.finish(work)


class Flow:
    """How many observations come a second, as a mean that forgets; from `now_s` on, real monotonic time."""

    def __init__(self, now_s: float) -> None:
        self.per_s, self._until_s = 0.0, now_s

    @property
    def age_ms(self) -> float:
        """How old the first message of a batch may become before it closes: the higher the flood, the older."""
        height = min(max(4 * (self.per_s / FLOOD_PER_S - 1), 0), 1)
        return BATCH_AGE_MS_MAX + height * (BATCH_LINGER_MS_MAX - BATCH_AGE_MS_MAX)

    def add(self, received: int, now_s: float) -> None:
        """So many have come since the last time."""
        took_s, self._until_s = now_s - self._until_s, now_s
        if took_s > 0:
            self.per_s += (received / took_s - self.per_s) * (1 - math.exp(-took_s / FLOW_S))


class _Service:
    """The loop from reads to fates, with the decoder of the registry's present version."""

    def __init__(self, pool: Pool, ledger: Ledger, probes: Probes, real_now: Now) -> None:
        self._pool, self._ledger, self._probes, self._real_now = pool, ledger, probes, real_now
        self._writer = Writer(pool, ledger.instance)
        self._gatherer = Gatherer()
        self._packing = Packing(self._present_decoder)
        self._writing: asyncio.Task[None] | None = None
        self._flow = Flow(time.monotonic())
        self._held: inboxes.Batch | None = None
        self._decoder: Decoder | None = None
        self.registry_there = asyncio.Event()
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails as the settling of a batch has failed, though nothing more comes."""

    async def work(self, inbox: Subscriber) -> None:
        """Gather and decode a batch, hand it over, again and again."""
        await self.registry_there.wait()
        while True:
            await self._gather(inbox)
            batch = self._gatherer.close()
            parcel = self._packing.close(batch)
            self._writer.prepare(parcel)
            self._flow.add(batch.received, time.monotonic())
            if self._writing is not None:
                await asyncio.wait({self._writing})
                self._writing.result()
            sent = asyncio.Event()
            self._writing = asyncio.create_task(self._settle(batch, parcel, sent))
            self._writing.add_done_callback(self._tell_failure)
            await sent.wait()  # the database has its rows before the next ones are decoded

    def _tell_failure(self, writing: "asyncio.Task[None]") -> None:
        error = None if writing.cancelled() else writing.exception()
        if error is not None and not self.failure.done():
            self.failure.set_exception(error)

    async def finish(self, work: "asyncio.Task[None]") -> None:
        """Let the batch in its commit be settled; what has only been gathered goes back to the broker."""
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=STOP_GRACE_S)
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await say_farewell(self._ledger, self._pool)
        await self._writer.close()

    async def follow_registry(self) -> None:
        """Have a decoder for the registry as it is."""
        while True:
            try:
                await self._look_at_registry()
            except errors.StorageError as error:
                _log.warning("registry not read", reason=str(error))
            await asyncio.sleep(REGISTRY_LOOK_S)

    async def _look_at_registry(self) -> None:
        async with lent(self._pool) as conn:
            version = await registry.version(conn)
            if self._decoder is not None and self._decoder.registry.version == version:
                return
            loaded = await registry.load(conn)
        self._decoder = Decoder(loaded)
        set_apart()
        self.registry_there.set()
        _log.info("registry read", version=loaded.version, assets=len(loaded.assets))

    async def _gather(self, inbox: Subscriber) -> None:
        """Gather the reads of one batch: it closes by rows, bytes, day, or age once the batch before is committed."""
        read = self._held or await inbox.next_batch()
        self._held = None
        while self._gatherer.accepts(read):
            self._gatherer.add(read)
            self._ledger.taken(read.received)
            if self._packing.waiting(self._gatherer.batch) >= DECODE_UPLINKS:
                self._packing.decode(self._gatherer.batch)
                self._gatherer.cut()
                await asyncio.sleep(0)  # the batch before goes first
            if self._gatherer.full or not await self._more_comes(inbox):
                return
            read = await inbox.next_batch()
        self._held = read

    async def _more_comes(self, inbox: Subscriber) -> bool:
        """Wait until the batch is due and the one before is committed; whether there is more to gather by then.

        What is enough to be decoded meanwhile is not waited with.
        """
        begun_s = self._gatherer.begun_s
        least_s, due_s = begun_s + BATCH_AGE_MS_MAX / 1000, begun_s + self._flow.age_ms / 1000
        while inbox.waiting < DECODE_UPLINKS:
            rest_s = min(due_s, max(least_s, inbox.heard_s + LULL_S)) - time.monotonic()
            if rest_s > 0:
                await asyncio.sleep(min(rest_s, LOOK_S))
            elif inbox.waiting or self._writing is None or self._writing.done():
                break
            else:
                await asyncio.wait({self._writing}, timeout=LOOK_S)
        return inbox.waiting > 0

    async def _settle(self, batch: Batch, parcel: Parcel, sent: asyncio.Event) -> None:
        begun_s = time.monotonic()
        self._ledger.waits_since(batch.sources[0].arrived_s)
        try:
            if batch.topics or batch.statuses:  # a probe alone needs no database
                with span("ingest batch", observations=batch.received):
                    fates = await self._writer.write(parcel, batch, sent.set)
                self._ledger.settled(fates, time.monotonic() - begun_s)
                trail.leave(parcel, fates, self._present_decoder().registry)
                if batch.statuses:
                    self._ledger.spoke(len(batch.statuses) - parcel.misspoken, parcel.misspoken)
        finally:
            sent.set()
        batch.ack()
        self._ledger.waits_since(None)
        self._probes.settled(batch.probes, self._real_now())

    def _present_decoder(self) -> Decoder:
        assert self._decoder is not None, "work begins when the registry is there"
        return self._decoder


def set_apart() -> None:
    """Keep what there is now from being looked through for garbage again and again: a registry has many assets.

    What was set apart before and is garbage by now goes.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _keep_announced(publisher: Publisher, announce: asyncio.Event, clock: CityClock) -> None:
    """Have the broker retain the city clock, anew after each connection, since a broker may forget."""
    said = {"start": to_rfc3339(clock.start_us), "anchor": to_rfc3339(clock.anchor_us), "speed": clock.speed}
    payload = msgspec.json.encode(said)
    while True:
        await announce.wait()
        announce.clear()
        await publisher.publish(topics.CLOCK, payload, retain=True)


async def _tell_ready(service: _Service, inbox: Subscriber, ready: Callable[[], None], retires: bool) -> None:
    await service.registry_there.wait()
    await inbox.ready()
    if retires:
        await inbox.drained()
    ready()


async def _follow(work: "asyncio.Future[None]") -> None:
    """Fail as the work fails, but do not cancel it."""
    await asyncio.shield(work)
