"""One network server's side of the gateway: its messages, batch by batch, to the city, and only then acknowledged.

A batch is dealt with when the one before has been published, so that what is sent again is not acknowledged before the
first of it is. Uplinks that cannot be read wait for the ledger meanwhile, and hold up only their own batch's
acknowledgement; at `UNBOOKED_BATCHES_MAX` of these nothing more is read, and the rest waits at the server's broker.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from bus.backoff import Backoff
from bus.inbox import Batch, Subscriber
from bus.session import Watcher
from gateway.downlink import Courier, Step
from gateway.events import Heard, Message, Misspoken, Server, Told
from gateway.figures import Figures
from gateway.outlet import Outlet
from gateway.uplink import Outcome, Translator, Unread
from storage import errors
from storage.gateway_booking import Book, Unreadable, by_day
from telemetry import topics
from telemetry.clock import Now
from telemetry.refusals import Reason

UNBOOKED_BATCHES_MAX = 50
PUSH_S = 10.0
"""A network server's broker that does not take a message within this time is not waited for; the rules ask again."""
RETRY_S_MAX = 2.0
COMPLAINT_S = 1.0
"""So often at most the log says what is not understood; all of it is counted, and uplinks are in quarantine with it."""
RECEIVE_MAXIMUM = 2_000
"""Messages that a network server's broker may send ahead of our acknowledgements; more wait there."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Work:
    """All that one batch brings about."""

    messages: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    observations: int = 0


class Station:
    """Translates what one network server says; `name` is the gateway's own for it."""

    def __init__(
        self, name: str, server: Server, translator: Translator, courier: Courier, figures: Figures, now: Now
    ) -> None:
        self.name, self.server, self.translator = name, server, translator
        self._courier, self._figures, self._now = courier, figures, now
        self._unbooked: asyncio.Queue[tuple[list[Unreadable], Batch]] = asyncio.Queue(UNBOOKED_BATCHES_MAX)
        self._complaint_due_s = 0.0
        figures.meet(name)

    async def hear(self, inbox: Subscriber, city: Outlet, outlet: Outlet) -> None:
        """Deal with all that comes, until cancelled."""
        async for batch in inbox:
            work = await self.translate(batch)
            await city.publish(work.messages)
            self._figures.took(self.name, time.monotonic() - batch.arrived_s, work.observations)
            if work.answers and not await outlet.publish(work.answers, PUSH_S):
                self._figures.downlink(self.name, "not_taken")
            if work.unreadable:
                self._figures.unbooked(len(work.unreadable))
                await self._unbooked.put((work.unreadable, batch))
            else:
                batch.ack()

    async def book(self, book: Book) -> None:
        """Book what cannot be read, and acknowledge it then, until cancelled."""
        while True:
            unreadable, batch = await self._unbooked.get()
            for same_day in by_day(unreadable):
                await self._book(book, same_day)
            self._figures.unbooked(-len(unreadable))
            batch.ack()

    async def watch(self, inbox: Subscriber, ear: Watcher | None) -> None:
        """Keep saying whether the server's broker is heard; `ear` is the session that overhears radio gateways."""
        overhears = False
        while True:
            self._figures.connected(self.name, inbox.connected)
            overhears = overhears or (ear is not None and ear.connected)
            if not inbox.connected or (overhears and ear is not None and not ear.connected):
                self.translator.radios.deaf(self.name, self._now())
            await asyncio.sleep(1)

    def overhear(self, topic: str, payload: bytes, retained: bool) -> None:
        """A radio gateway's word: nothing depends on its being understood."""
        with suppress(Misspoken):
            for event in self.server.hear(topic, payload, self._now()).events:
                self._figures.count(self.name, self.translator.take(event, self._now()).fate, 0)

    async def translate(self, batch: Batch) -> _Work:
        """What a batch brings about, once makers' own codecs have said what they make of it."""
        work, now_us, shelf = _Work(), batch.received_us, self.translator.shelf
        topics_heard = [topic.decode("utf-8", "replace") for topic in batch.topics]
        said = [
            self._heard(work, topic, payload, now_us)
            for topic, payload in zip(topics_heard, batch.payloads, strict=True)
        ]
        answers = await shelf.ask(self.translator.questions(event for heard in said for event in heard.events))
        with shelf.holding(answers):
            for topic, payload, heard in zip(topics_heard, batch.payloads, said, strict=True):
                self._take(work, topic, payload, heard, now_us)
        return work

    def _heard(self, work: _Work, topic: str, payload: bytes, now_us: int) -> Heard:
        try:
            return self.server.hear(topic, payload, now_us)
        except Misspoken as error:
            self._complain(topic, error)
            self._misspoken(work, topic, payload, now_us, error)
        except Exception as error:
            self._failed(work, topic, payload, now_us, error)
        return Heard()

    def _take(self, work: _Work, topic: str, payload: bytes, heard: Heard, now_us: int) -> None:
        """Deal with what one message said; whatever that is, it harms no other."""
        try:
            self._do(work, topic, payload, heard, now_us)
        except Exception as error:
            self._failed(work, topic, payload, now_us, error)

    def _do(self, work: _Work, topic: str, payload: bytes, heard: Heard, now_us: int) -> None:
        unread = Unread("", Reason.UNDECODABLE, heard.unread) if heard.unread else None
        missed = heard.missed
        for event in heard.events:
            if isinstance(event, Told):
                self._told(work, event, now_us)
                continue
            outcome = self.translator.take(event, now_us)
            self._count(outcome, missed)
            work.messages += outcome.messages
            work.answers += outcome.answers
            work.observations += outcome.fate == "published"
            missed, unread = 0, outcome.unread or unread
        if unread is not None:
            given = unread.device, unread.reason, unread.detail
            self._refuse(work, Unreadable(topic, *given, payload, now_us))

    def _failed(self, work: _Work, topic: str, payload: bytes, now_us: int, error: Exception) -> None:
        """A mistake of ours: the message is kept like one that cannot be read, and the next one goes on."""
        _log.error("a message failed in a way nobody foresaw", network=self.name, topic=topic[:100], exc_info=error)
        words = f"reading it failed in a way nobody foresaw ({type(error).__name__}: {error})"
        self._misspoken(work, topic, payload, now_us, Misspoken(words))

    def _count(self, outcome: Outcome, missed: int) -> None:
        self._figures.count(self.name, outcome.fate, outcome.missed + missed)
        if outcome.lapsed:
            self._figures.count(self.name, "lapsed")

    def _told(self, work: _Work, told: Told, now_us: int) -> None:
        device = self.translator.device(told.source)
        note = self.translator.notes.get(device)
        step = self._courier.told(self.name, note.kind if note else None, device, told, now_us)
        work.messages += step.answers
        work.answers += step.pushes
        self.count(step)

    def count(self, step: Step) -> None:
        """Count what happened to downlinks."""
        for what in step.happened:
            self._figures.downlink(self.name, what)

    def _complain(self, topic: str, error: Misspoken) -> None:
        if time.monotonic() >= self._complaint_due_s:
            self._complaint_due_s = time.monotonic() + COMPLAINT_S
            _log.warning("a network server is not understood", network=self.name, topic=topic[:100], reason=str(error))

    def _misspoken(self, work: _Work, topic: str, payload: bytes, now_us: int, error: Misspoken) -> None:
        self._figures.count(self.name, "misspoken")
        if self.server.brings_measurements(topic):
            device = self._named(topic)
            self._refuse(work, Unreadable(topic, device, error.reason, str(error), payload, now_us))

    def _named(self, topic: str) -> str:
        """The device that a topic of a message names that is not understood, as far as a device may be called so."""
        parts = topic.split("/")
        name = parts[3].lower() if len(parts) > 3 else ""
        return name if topics.valid_device(name) else ""

    def _refuse(self, work: _Work, unreadable: Unreadable) -> None:
        self._figures.refuse(self.name, unreadable.reason.value)
        work.unreadable.append(unreadable)

    async def _book(self, book: Book, same_day: Sequence[Unreadable]) -> None:
        backoff = Backoff(last_s=RETRY_S_MAX)
        while True:
            try:
                await book.add(same_day)
                return
            except errors.StorageError as error:
                wait_s = backoff.next_s()
                _log.warning("uplinks wait for the ledger", uplinks=len(same_day), reason=str(error))
                await asyncio.sleep(wait_s)
