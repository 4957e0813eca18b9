"""What goes out: each topic's messages in their order, many topics at once, kept until the broker has them.

Bounded: of each topic the newest messages are kept, and topics are as many as there are devices, zones and alarms. What
waits is plain data; only so many senders are at work, however much waits. After a crash the outbox is filled again from
the database, so nothing that was decided is forgotten.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from bus.session import Unreachable
from telemetry.clock import SECOND_US, Now

PER_TOPIC_MAX = 16
"""Messages of one topic that wait; beyond it the oldest is dropped, for a newer one says more.

Only words of zones and alarms come so far. Of the commands to a device at most three wait, because what another
replaces before it is acknowledged is taken back (`rules.book`): none is dropped here of which nobody hears.
"""
SENDERS_MAX = 64
"""Messages under way at a time, each of another topic: more than the session has unanswered at once. One under way
takes ten times the memory of one that waits."""


class Publishes(Protocol):
    """What the outbox needs of a session with the broker."""

    async def publish(
        self, topic: str, payload: bytes | str, qos: int = 1, retain: bool = False, timeout_s: float | None = None
    ) -> None:
        """Returns when the broker has it; raises `Unreachable` if it has not within real seconds."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message. After `expires_us` it is not sent; `sent` is told its id when the broker has it, by the city clock.

    `id` tells it from others of its topic that may be taken back.
    """

    topic: str
    payload: bytes
    retain: bool = False
    id: str = ""
    expires_us: int | None = None
    sent: Callable[[str, int], None] | None = None


class Outbox:
    """Sends parcels through a session; those of one topic in order. `now` is the city clock, which runs at `speed`."""

    def __init__(self, session: Publishes, now: Now, speed: float = 1.0) -> None:
        self._session, self._now, self._speed = session, now, speed
        self._waiting: dict[str, list[Parcel]] = {}
        self._turns: deque[str] = deque()
        """Topics with something to send, in the order of their turns; each that waits is here or being sent."""
        self._senders: set[asyncio.Task[None]] = set()
        self.failed: BaseException | None = None
        """What ended a sender against all expectation; `None` while all is well."""

    def put(self, *parcels: Parcel) -> None:
        """Send parcels, each after those of its topic that wait."""
        for parcel in parcels:
            if parcel.topic in self._waiting:
                waiting = self._waiting[parcel.topic]
                waiting.append(parcel)
                del waiting[:-PER_TOPIC_MAX]
                continue
            self._waiting[parcel.topic] = [parcel]
            self._turns.append(parcel.topic)
            if len(self._senders) < SENDERS_MAX:
                task = asyncio.create_task(self._send(), name="outbox")
                self._senders.add(task)
                task.add_done_callback(self._ended)

    def drop(self, topic: str, name: str) -> None:
        """Take back the parcel of this id if it waits; what is on its way stays so."""
        if (waiting := self._waiting.get(topic)) is not None:
            waiting[:] = [each for each in waiting if each.id != name]

    async def close(self) -> None:
        """Send nothing more."""
        senders = list(self._senders)
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _send(self) -> None:
        """One message of each topic in turn, until nothing waits: from that moment on this is no sender any more."""
        try:
            while self._turns:
                topic = self._turns.popleft()
                waiting = self._waiting[topic]
                if waiting:
                    await self._send_one(waiting.pop(0))
                if waiting:
                    self._turns.append(topic)
                else:
                    del self._waiting[topic]
        finally:
            self._senders.discard(cast(asyncio.Task[None], asyncio.current_task()))

    async def _send_one(self, parcel: Parcel) -> None:
        timeout_s = None
        if parcel.expires_us is not None:
            timeout_s = (parcel.expires_us - self._now()) / SECOND_US / self._speed
            if timeout_s <= 0:
                return
        try:
            await self._session.publish(parcel.topic, parcel.payload, retain=parcel.retain, timeout_s=timeout_s)
        except Unreachable:
            return
        if parcel.sent is not None:
            parcel.sent(parcel.id, self._now())

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.failed = task.exception()
