"""What goes out: each topic's messages in their order, many topics at once, kept until the broker has them.

Bounded: of each topic the newest messages are kept, and topics are as many as there are devices, zones and alarms.
After a crash the outbox is filled again from the database, so nothing that was decided is forgotten.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bus.session import Unreachable
from telemetry.clock import SECOND_US, Now

PER_TOPIC_MAX = 16
"""Messages of one topic that wait; beyond it the oldest is dropped, for a newer one says more."""


class Publishes(Protocol):
    """What the outbox needs of a session with the broker."""

    async def publish(
        self, topic: str, payload: bytes | str, qos: int = 1, retain: bool = False, timeout_s: float | None = None
    ) -> None:
        """Returns when the broker has it; raises `Unreachable` if it has not within real seconds."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message. After `expires_us` it is not sent; `sent` is told when the broker has it, by the city clock.

    `id` tells it from others of its topic that may be taken back.
    """

    topic: str
    payload: bytes
    retain: bool = False
    id: str = ""
    expires_us: int | None = None
    sent: Callable[[int], None] | None = None


class Outbox:
    """Sends parcels through a session; those of one topic in order. `now` is the city clock, which runs at `speed`."""

    def __init__(self, session: Publishes, now: Now, speed: float = 1.0) -> None:
        self._session, self._now, self._speed = session, now, speed
        self._waiting: dict[str, deque[Parcel]] = {}
        self._sending: dict[str, Parcel] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failed: BaseException | None = None
        """What ended the sending to a topic against all expectation; `None` while all is well."""

    def put(self, *parcels: Parcel) -> None:
        """Send parcels, each after those of its topic that wait."""
        for parcel in parcels:
            self._waiting.setdefault(parcel.topic, deque(maxlen=PER_TOPIC_MAX)).append(parcel)
            if parcel.topic not in self._tasks:
                task = asyncio.create_task(self._send(parcel.topic), name=f"outbox {parcel.topic}")
                self._tasks[parcel.topic] = task
                task.add_done_callback(self._ended)

    def holds(self, topic: str, name: str) -> bool:
        """Whether the parcel of this id waits or is on its way."""
        sending = self._sending.get(topic)
        return any(each.id == name for each in (*self._waiting.get(topic, ()), *([sending] if sending else [])))

    def drop(self, topic: str, name: str) -> None:
        """Take back the parcel of this id if it waits; what is on its way stays so."""
        waiting = self._waiting.get(topic)
        if waiting is not None:
            kept = [each for each in waiting if each.id != name]
            waiting.clear()
            waiting.extend(kept)

    async def close(self) -> None:
        """Send nothing more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, topic: str) -> None:
        waiting = self._waiting[topic]
        try:
            while waiting:
                self._sending[topic] = waiting.popleft()
                await self._send_one(self._sending[topic])
        finally:
            del self._tasks[topic], self._waiting[topic]
            self._sending.pop(topic, None)

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
            parcel.sent(self._now())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.failed = task.exception()
