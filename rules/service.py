"""The rules service: one leader at a time decides; others stand by and take over the queue when it is gone.

Whoever leads holds an advisory lock on the very connection that writes what the rules decide. While the database is
away free places still move; all else waits, within a bound here, beyond it at the broker.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from zoneinfo import ZoneInfo

import msgspec
import structlog

from bus import inbox as inboxes
from bus.inbox import Subscriber
from bus.session import Publisher
from rules import platform_ledger, prober
from rules.counts import Counts
from rules.notices import Notices
from rules.outbox import Outbox
from rules.prober import Prober
from rules.runner import Runner, Source, Town
from rules.soundings import QueueBound
from storage import errors, rule_state
from storage.pool import Connection, Pool
from telemetry import topics
from telemetry.clock import CityClock, Now
from telemetry.limits import RECEIVE_MAXIMUM
from telemetry.thresholds import Thresholds

STAND_BY_S = 2.0
"""Who stands by asks this often whether it may lead, in real seconds."""
TICK_S = 0.25
"""Without a message the clock is looked at this often, in real seconds."""
STEP_EVERY_S = 0.04
"""Messages that come within this time are one step, in real seconds."""
DELAYED_S = 1.0
"""A step that comes later than this after the last, in real seconds, finds a queue at the broker."""
RETRY_S = 1.0
"""While the database is away it is asked this often, in real seconds."""
SOURCES: tuple[Source, ...] = (platform_ledger.facts,)
"""Where facts about the platform itself come from, as far as the database knows them."""

_log = structlog.get_logger(__name__)


async def run(
    *,
    mqtt_url: str,
    pool: Pool,
    now: Now,
    clock: CityClock,
    lat: float,
    lon: float,
    timezone: ZoneInfo,
    thresholds: Thresholds | None = None,
    client_id: str = "rules",
    counts: Counts | None = None,
    ready: Callable[[], None] = lambda: None,
    sources: Sequence[Source] = SOURCES,
    bound: QueueBound | None = None,
) -> None:
    """Decide until cancelled, whatever goes away meanwhile.

    Args:
        mqtt_url: the broker, with a user who may read telemetry, acks and alarms and write commands, alarms and zones.
        pool: the database; the leader keeps one connection of it for itself.
        now: the city clock.
        clock: the same clock as plain data; timers and repeats follow its speed.
        lat: latitude of the city in WGS 84 degrees, for the sun.
        lon: longitude of the city.
        timezone: the city's wall clock, for the dimming program.
        thresholds: the figures to decide by; `None`: the defaults.
        client_id: the session at the broker that holds the queue; the same for all that may lead.
        counts: where is counted what happens; `None` makes one of its own.
        ready: called once, when this process leads and hears, or stands by for another that leads.
        sources: ask the database for facts about the platform itself.
        bound: what the broker keeps for ingest; `None`: as our own configuration of it says.

    Raises:
        BadAddress: the URL is none.
        ValueError: a step of the dimming program has no valid time of day.
    """
    town = Town(now, lambda: clock.real(now()), clock.speed, lat, lon, timezone, versioned(thresholds or Thresholds()))
    service = _Service(mqtt_url, pool, town, client_id, counts or Counts(), ready, sources, bound or QueueBound())
    while True:
        await service.lead(await service.stand_by())


def versioned(thresholds: Thresholds) -> Thresholds:
    """The thresholds under a version that names their content: the defaults have their own, others a digest."""
    if thresholds == Thresholds():
        return thresholds
    digest = hashlib.sha256(_content(thresholds)).hexdigest()[:8]
    return replace(thresholds, version=f"{thresholds.version}+{digest}")


class _Service:
    """Stands by, leads, and stands by again."""

    def __init__(
        self,
        mqtt_url: str,
        pool: Pool,
        town: Town,
        client_id: str,
        counts: Counts,
        ready: Callable[[], None],
        sources: Sequence[Source],
        bound: QueueBound,
    ) -> None:
        self._sources, self._bound = sources, bound
        self._mqtt_url, self._pool, self._town, self._client_id = mqtt_url, pool, town, client_id
        self._counts, self._ready = counts, ready
        self._told_ready = False

    async def stand_by(self) -> Connection:
        """Wait until this process may lead."""
        while True:
            try:
                conn = await rule_state.lead(self._pool)
                if conn is not None:
                    return conn
                self._tell_ready()
            except errors.StorageError as error:
                _log.warning("rules wait for the database", reason=str(error))
            await asyncio.sleep(STAND_BY_S)

    async def lead(self, conn: Connection) -> None:
        """Decide until another leads."""
        held: Connection | None = conn
        _log.info("rules lead", client=self._client_id)
        self._counts.leading = True
        async with AsyncExitStack() as stack:
            leader = await self._open(stack)
            while held is not None:
                await self._work(leader, held)
                held = await self._regain(leader)
        self._counts.leading, self._counts.backlog = False, None
        _log.warning("another leads the rules", client=self._client_id)

    async def _work(self, leader: "_Leader", conn: Connection) -> None:
        """Decide for as long as the connection lasts."""
        try:
            await leader.work(conn)
        except errors.StorageError as error:
            _log.warning("rules without database", reason=str(error))
        finally:
            await rule_state.step_down(self._pool, conn)

    async def _open(self, stack: AsyncExitStack) -> "_Leader":
        """Sessions with the broker and what works on them; all ends with the stack."""
        leader = _Leader(self._town, self._counts, self._tell_ready, self._sources, self._bound)
        publisher = Publisher(
            self._mqtt_url,
            f"{self._client_id}-out",
            filters=[topics.alarm("+"), topics.radio_gateway("+"), *prober.FILTERS],
            on_message=leader.hear,
            on_connected=leader.session_connected,
        )
        uplinks = [topics.telemetry("+", "+"), topics.ack("+", "+")]
        inbox = Subscriber(
            self._mqtt_url,
            self._client_id,
            uplinks,
            now=self._town.now,
            on_connected=leader.inbox_connected,
        )
        leader.open(publisher, inbox)
        await stack.enter_async_context(publisher)
        await stack.enter_async_context(inbox)
        leader.probe(publisher, self._mqtt_url, f"{self._client_id}-watch")
        stack.push_async_callback(leader.close)
        return leader

    async def _regain(self, leader: "_Leader") -> Connection | None:
        """Lead on once the database is back, `None` if another does by then; free places move on meanwhile."""
        regaining = asyncio.create_task(self._ask_again())
        try:
            await leader.meanwhile(regaining)
            return await regaining
        except BaseException:
            regaining.cancel()
            await asyncio.wait({regaining})
            if not regaining.cancelled() and not regaining.exception() and (conn := regaining.result()) is not None:
                await rule_state.step_down(self._pool, conn)
            raise

    async def _ask_again(self) -> Connection | None:
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                return await rule_state.lead(self._pool)
            except errors.StorageError:
                continue

    def _tell_ready(self) -> None:
        if not self._told_ready:
            self._told_ready = True
            self._ready()


class _Leader:
    """The loop from messages to decisions, over as many connections to the database as it takes."""

    outbox: Outbox
    _inbox: Subscriber
    _runner: Runner
    _notices: Notices

    def __init__(
        self,
        town: Town,
        counts: Counts,
        tell_ready: Callable[[], None],
        sources: Sequence[Source],
        bound: QueueBound,
    ) -> None:
        self._sources = sources
        self._prober = Prober(town.now, town.real_now, bound)
        self._town, self._counts, self._tell_ready = town, counts, tell_ready
        self._connected_anew = False
        self._last_step_s = self._measured_s = time.monotonic()

    def open(self, publisher: Publisher, inbox: Subscriber) -> None:
        """Work on these sessions."""
        self._inbox = inbox
        self.outbox = Outbox(publisher, self._town.now, self._town.speed)
        self._notices = Notices(self.outbox)
        self._runner = Runner(self._town, self.outbox, self._notices, self._counts, self._sources)

    def probe(self, publisher: Publisher, mqtt_url: str, client_id: str) -> None:
        """Sound the queues of ingest."""
        tasks = (self._prober.probe(publisher), self._prober.listen(mqtt_url, client_id))
        self._probing = [asyncio.create_task(each, name="probes") for each in tasks]

    async def close(self) -> None:
        """Send nothing more."""
        for task in self._probing:
            task.cancel()
        await asyncio.gather(*self._probing, return_exceptions=True)
        await self.outbox.close()

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message on an alarm's topic, about a radio gateway, or about the queue of ingest."""
        if topic.startswith(topics.alarm("")):
            self._notices.heard(topic, payload, retained)
        elif topics.parse_radio_gateway(topic) is not None:
            self._runner.radio_words.heard(topic, payload)
        else:
            self._prober.heard(topic, payload)

    def session_connected(self) -> None:
        """The session that publishes stands anew."""
        self._notices.connected(time.monotonic())
        self._runner.radio_words.connected(time.monotonic())
        self._prober.connected()

    def inbox_connected(self) -> None:
        """The subscription stands anew."""
        self._connected_anew = True

    async def work(self, conn: Connection) -> None:
        """Decide for as long as the connection lasts.

        Raises:
            StorageError: it does no longer.
        """
        await self._introduce(conn)
        await self._runner.load(conn)
        while True:
            batches = await self._gather()
            self._watch_inbox()
            self._watch_queue()
            await self._runner.look(conn)
            self._runner.take(batches)
            if self._runner.must_record():
                await self._runner.write(conn)
            if self._inbox.connected:
                self._tell_ready()
            if self.outbox.failed is not None:
                raise self.outbox.failed
            for task in self._probing:
                if task.done():
                    task.result()

    async def meanwhile(self, regaining: "asyncio.Task[Connection | None]") -> None:
        """Follow what is said until the database is there again."""
        while not regaining.done():
            self._watch_queue()
            self._runner.tell_unrecorded()
            if self._runner.loaded and self._runner.has_room:
                batches = await self._gather()
                self._watch_inbox()
                self._runner.take_unrecorded(batches)
            else:
                await asyncio.wait({regaining}, timeout=TICK_S)
                self._prober.inflow.unheard(time.monotonic())

    async def _introduce(self, conn: Connection) -> None:
        """Keep the version of the rules that decide from now on."""
        thresholds = self._town.thresholds
        with errors.translated():
            await rule_state.put_version(
                conn,
                version=thresholds.version,
                content=_content(thresholds).decode(),
                author="lamplighter",
                at_us=self._town.now(),
            )

    async def _gather(self) -> list[inboxes.Batch]:
        """The messages of the next step, none if none come within a tick."""
        pause_s = self._last_step_s + STEP_EVERY_S - time.monotonic()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        batches: list[inboxes.Batch] = []
        with suppress(TimeoutError):
            batches.append(await asyncio.wait_for(self._inbox.next_batch(), TICK_S))
        while self._inbox.waiting and sum(map(len, batches)) < RECEIVE_MAXIMUM // 4:
            batches.append(await self._inbox.next_batch())
        messages, size = sum(map(len, batches)), sum(each.size for each in batches)
        self._prober.inflow.heard(messages, size, time.monotonic())
        return batches

    def _watch_queue(self) -> None:
        """Look how much waits for ingest, every so often."""
        real_s = time.monotonic()
        if self._runner.loaded and real_s - self._measured_s >= prober.PROBE_EVERY_S:
            self._measured_s = real_s
            self._runner.take_facts(self._prober.facts())
            self._counts.probes, self._counts.backlog = self._prober.probes, self._prober.backlog

    def _watch_inbox(self) -> None:
        """Tell the runner how well we hear."""
        hearing, real_s = self._runner.hearing, time.monotonic()
        assert hearing is not None, "it was loaded"
        if not self._inbox.connected:
            hearing.disconnected(real_s)
        elif self._connected_anew:
            self._connected_anew = False
            hearing.connected(self._inbox.resumed, self._town.now(), real_s)
        if real_s - self._last_step_s > DELAYED_S:
            hearing.delayed(real_s)
        self._last_step_s = real_s


def _content(thresholds: Thresholds) -> bytes:
    return msgspec.json.encode(thresholds)
