"""The rules service: one leader at a time decides; others stand by and take over the queue when it is gone.

Whoever leads holds an advisory lock on the very connection that writes what the rules decide. While the database is
away or slow the leader decides on, and its journal keeps what it decides; at the journal's bound it waits.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from zoneinfo import ZoneInfo

import structlog

from bus import inbox as inboxes
from bus.inbox import Subscriber
from bus.session import Publisher, Watcher
from rules import platform_ledger
from rules.counts import Counts
from rules.journal import Journal
from rules.leading import Candidate, Lead
from rules.link import Link
from rules.notices import Notices
from rules.notifying import Notifier
from rules.outbox import Outbox, Parcel
from rules.prober import Prober
from rules.record import write_down
from rules.rulefile.active import ActiveRules
from rules.runner import Decision, Runner, Source, Town
from rules.soundings import QueueBound
from storage import errors, rule_lead
from storage.pool import Connection, Pool
from telemetry import topics
from telemetry.alarms import Alarm
from telemetry.backlog import PROBE_EVERY_S
from telemetry.clock import CityClock, Now
from telemetry.limits import RECEIVE_MAXIMUM

TICK_S = 0.25
"""Without a message the clock is looked at this often, in real seconds."""
STEP_EVERY_S = 0.04
"""Messages that come within this time are one step, in real seconds."""
DELAYED_S = 1.0
"""A step that comes later than this after the last, in real seconds, finds a queue at the broker."""
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
    journal: Journal,
    rules: ActiveRules | None = None,
    notifier: Notifier | None = None,
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
        journal: takes what this process decides while the database is away.
        rules: what to decide by, from a file or not; `None`: the defaults.
        notifier: tells people of alarms; `None`: by the sinks of the rules.
        client_id: the session at the broker that holds the queue; the same for all that may lead.
        counts: where is counted what happens; `None` makes one of its own.
        ready: called once, when this process leads and hears, or stands by for another that leads.
        sources: ask the database for facts about the platform itself.
        bound: what the broker keeps for ingest; `None`: as our own configuration of it says.

    Raises:
        BadAddress: the URL is none.
    """
    notifier, rules = notifier or Notifier(), rules or ActiveRules()
    rules.check()
    service = _Service(
        mqtt_url,
        pool,
        Town(now, lambda: clock.real(now()), clock.speed, lat, lon, timezone),
        client_id,
        journal,
        rules,
        notifier,
        counts or Counts(),
        ready,
        sources,
        bound or QueueBound(),
    )
    try:
        while True:
            await service.work()
    finally:
        await notifier.close()


class _Service:
    """Stands by, leads, and stands by again."""

    def __init__(
        self,
        mqtt_url: str,
        pool: Pool,
        town: Town,
        client_id: str,
        journal: Journal,
        rules: ActiveRules,
        notifier: Notifier,
        counts: Counts,
        ready: Callable[[], None],
        sources: Sequence[Source],
        bound: QueueBound,
    ) -> None:
        self._sources, self._bound, self._notifier, self._rules = sources, bound, notifier, rules
        self._mqtt_url, self._pool, self._town, self._client_id = mqtt_url, pool, town, client_id
        self._counts, self._ready = counts, ready
        counts.notifications = notifier.counts
        self._told_ready = False
        self._candidate = Candidate(pool, journal, town.now, self._tell_ready)

    async def work(self) -> None:
        """Stand by until this process may lead, and lead until another does or the database fails at the beginning."""
        lead = await self._candidate.stand_by()
        _log.info("rules lead", client=self._client_id, term=lead.term)
        self._counts.leading = True
        try:
            async with AsyncExitStack() as stack:
                leader = await self._open(stack, lead)
                await leader.work()
        except rule_lead.Overtaken:
            _log.warning("another leads the rules", client=self._client_id)
        except errors.StorageError as error:
            _log.warning("rules without database", reason=str(error))
        finally:
            self._counts.leading, self._counts.backlog = False, None

    async def _open(self, stack: AsyncExitStack, lead: Lead) -> "_Leader":
        """What it takes to lead, all of which ends with the stack: journal, connection, sessions with the broker."""
        candidate = self._candidate
        stack.callback(candidate.journal.close)
        link = Link(lead.conn, lambda: candidate.regain(lead.term))
        stack.push_async_callback(link.close)
        leader = _Leader(self._town, self._counts, self._tell_ready, self._bound, link, candidate, lead.term)
        publisher = Watcher(
            self._mqtt_url,
            f"{self._client_id}-out",
            [topics.alarm("+"), topics.radio_gateway("+"), topics.RULES_TERM],
            leader.hear,
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
        leader.open(publisher, inbox, self._notifier, self._sources, self._rules)
        await leader.load(lead.conn)
        await stack.enter_async_context(publisher)
        await stack.enter_async_context(inbox)
        leader.probe(self._mqtt_url, self._client_id)
        stack.push_async_callback(leader.close)
        return leader

    def _tell_ready(self) -> None:
        if not self._told_ready:
            self._told_ready = True
            self._ready()


class _Leader:
    """The loop from messages to decisions, with a database or without."""

    outbox: Outbox
    _inbox: Subscriber
    _runner: Runner
    _notices: Notices

    def __init__(
        self,
        town: Town,
        counts: Counts,
        tell_ready: Callable[[], None],
        bound: QueueBound,
        link: Link,
        candidate: Candidate,
        term: int,
    ) -> None:
        self._prober = Prober(town.now, town.real_now, bound)
        self._town, self._counts, self._tell_ready = town, counts, tell_ready
        self._link, self._candidate, self._journal, self._term = link, candidate, candidate.journal, term
        self._latest_term = term
        self._unrecorded: Decision | None = None
        self._connected_anew = False
        self._last_step_s = self._measured_s = time.monotonic()

    def open(
        self,
        publisher: Publisher,
        inbox: Subscriber,
        notifier: Notifier,
        sources: Sequence[Source],
        rules: ActiveRules,
    ) -> None:
        """Work on these sessions."""
        self._inbox = inbox
        self.outbox = Outbox(publisher, self._town.now, self._town.speed)
        self._notices = Notices(self.outbox)
        self._runner = Runner(self._town, self.outbox, self._notices, notifier, self._counts, sources, rules)

    def probe(self, mqtt_url: str, client_id: str) -> None:
        """Sound the queues of ingest."""
        tasks = (
            self._prober.probe(mqtt_url, f"{client_id}-probe"),
            self._prober.listen(mqtt_url, f"{client_id}-watch"),
        )
        self._probing = [asyncio.create_task(each, name="probes") for each in tasks]

    async def close(self) -> None:
        """Send nothing more; say farewell where nothing is left behind."""
        for task in self._probing:
            task.cancel()
        await asyncio.gather(*self._probing, return_exceptions=True)
        await self.outbox.close()
        if self._link.free and self._journal.empty and self._unrecorded is None:
            with suppress(errors.StorageError):
                await self._link.do(lambda conn: rule_lead.end(conn, self._term))

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message on an alarm's topic, about a radio gateway, or who leads."""
        if topic.startswith(topics.alarm("")):
            self._notices.heard(topic, payload, retained)
        elif topics.parse_radio_gateway(topic) is not None:
            self._runner.radio_words.heard(topic, payload)
        elif topic == topics.RULES_TERM:
            self._latest_term = max(self._latest_term, int(payload)) if payload.isdigit() else self._latest_term

    def session_connected(self) -> None:
        """The session that publishes stands anew."""
        self._notices.connected(time.monotonic())
        self._runner.radio_words.connected(time.monotonic())

    def inbox_connected(self) -> None:
        """The subscription stands anew."""
        self._connected_anew = True

    async def load(self, conn: Connection) -> None:
        """Take up what the database holds, and say at the broker who leads now.

        Raises:
            StorageError: the database does not answer.
        """
        await self._runner.load(conn)
        self._tell_term()

    async def work(self) -> None:
        """Decide until another leads.

        Raises:
            Overtaken: another does.
        """
        while True:
            await self._watch_lead()
            if self._journal.full or self._unrecorded is not None:
                await asyncio.sleep(TICK_S)
                self._prober.inflow.unheard(time.monotonic())
            else:
                batches = await self._gather()
                self._watch_inbox()
                self._watch_queue()
                if self._link.free and self._journal.empty:
                    await self._link.do(self._runner.look)
                self._runner.take(batches)
            if self._unrecorded is not None or self._runner.must_record():
                await self._record()
            if self._inbox.connected:
                self._tell_ready()
            if self.outbox.failed is not None:
                raise self.outbox.failed
            for task in self._probing:
                if task.done():
                    task.result()

    async def _watch_lead(self) -> None:
        """Empty the journal into the database when that is back; act no more once another has been heard to lead."""
        self._link.tend()
        if self._latest_term > self._term:
            if not self._link.free or await self._link.do(self._present_term) != self._term:
                raise rule_lead.Overtaken
            self._tell_term()  # what the broker retains was said of another database
        if self._link.free and not self._journal.empty:
            self._link.begin(lambda conn: self._candidate.catch_up(conn, self._term))

    async def _present_term(self, conn: Connection) -> int:
        return (await rule_lead.term(conn)).number

    def _tell_term(self) -> None:
        self._latest_term = self._term
        self.outbox.put(Parcel(topics.RULES_TERM, str(self._term).encode(), retain=True))

    async def _record(self) -> None:
        """Make durable what has been decided, in the database or else in the journal, and let it go out."""
        begun_s = time.monotonic()
        decision = self._unrecorded = self._unrecorded or self._runner.decide()
        changed: list[Alarm] | None = None
        if self._link.free and self._journal.empty:
            changed = await self._link.do(lambda conn: write_down(conn, self._term, decision.record))
        if changed is None:
            try:
                await self._journal.append(self._term, decision.record)
            except OSError as error:
                _log.error("the rules' journal cannot be written", reason=str(error), folder=str(self._journal.folder))
                return
            self._counts.journaled += 1
        self._unrecorded = None
        self._counts.journal_bytes = self._journal.size
        self._counts.record_s += time.monotonic() - begun_s
        self._runner.settle(decision, changed)

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
        if real_s - self._measured_s >= PROBE_EVERY_S:
            self._measured_s = real_s
            self._runner.take_facts(self._prober.facts())
            self._counts.probes, self._counts.backlog = self._prober.probes, self._prober.backlog

    def _watch_inbox(self) -> None:
        """Tell the runner how well we hear."""
        hearing, real_s = self._runner.hearing, time.monotonic()
        if not self._inbox.connected:
            hearing.disconnected(real_s)
        elif self._connected_anew:
            self._connected_anew = False
            hearing.connected(self._inbox.resumed, self._town.now(), real_s)
        if real_s - self._last_step_s > DELAYED_S:
            hearing.delayed(real_s)
        self._last_step_s = real_s
