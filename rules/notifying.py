"""Telling people of alarms through apprise: e-mail, SMS gateways, chat, webhooks.

Each sink has a queue and a thread of its own: one that fails or hangs delays no other, and is tried again until it
takes the message. It needs neither the broker nor the database.
"""

import asyncio
import os
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import structlog

from bus.backoff import Backoff
from rules.messages import Message
from rules.telling import Circumstances, Teller, Told
from telemetry.alarms import Alarm
from telemetry.limits import NOTIFICATIONS_WAITING_MAX
from telemetry.thresholds import Sink as Place

AGAIN_FIRST_S, AGAIN_LAST_S = 0.5, 60.0
"""A sink that fails is tried again after a wait between these, in real seconds."""

_log = structlog.get_logger(__name__)


Send = Callable[[Message], bool]
"""Sends a message, and may take its time; returns whether it was taken. Whatever it raises counts as a failure."""


class Waits(Protocol):
    """Waits that grow from failure to failure."""

    def next_s(self) -> float:
        """The next wait in real seconds."""

    def succeeded(self) -> None:
        """Begin anew with the shortest."""


class Sink:
    """One place to which messages go, in order. `counts`: `sent`, `failed` attempts, and `dropped` at the bound."""

    def __init__(self, name: str, send: Send, counts: Counter[str] | None = None, waits: Waits | None = None) -> None:
        self._name, self._send = name, send
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._waits = waits or Backoff(AGAIN_FIRST_S, AGAIN_LAST_S, random.random)
        self._waiting: deque[Message] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sink {name}")
        self._task: asyncio.Task[None] | None = None

    def put(self, message: Message) -> None:
        """Send a message after those that wait; never waits itself. At the bound the oldest is dropped."""
        if len(self._waiting) >= NOTIFICATIONS_WAITING_MAX:
            self._waiting.popleft()
            self.counts["dropped"] += 1
        self._waiting.append(message)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"sink {self._name}")

    async def close(self) -> None:
        """Send nothing more; an attempt under way is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            message = self._waiting[0]
            reason = await loop.run_in_executor(self._thread, self._attempt, message)
            if reason is None:
                self.counts["sent"] += 1
                self._waits.succeeded()
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
                continue
            self.counts["failed"] += 1
            wait_s = self._waits.next_s()
            _log.warning("a notification was not taken", sink=self._name, reason=reason, again_in_s=round(wait_s, 1))
            await asyncio.sleep(wait_s)

    def _attempt(self, message: Message) -> str | None:
        """Why it failed, `None` if it did not."""
        try:
            return None if self._send(message) else "the sink did not take it"
        except Exception as error:  # plugins raise whatever their libraries do
            return f"{type(error).__name__}: {error}"


def through_apprise(place: Place) -> Send:
    """Sends to a sink's apprise URL as it is at the time: one that is mended or changed holds from the next attempt."""
    import apprise  # takes a tenth of a second, which commands that notify nobody need not pay

    def plugin() -> apprise.NotifyBase:
        made = apprise.Apprise.instantiate(url_of(place))
        if not isinstance(made, apprise.NotifyBase):
            raise ValueError("apprise does not know such a URL")
        return made

    def send(message: Message) -> bool:
        return bool(plugin().notify(body=message.body, title=message.title, notify_type=message.kind))

    try:
        plugin()  # now, since the first time takes longer than an alarm may
    except ValueError as error:
        _log.error(
            "a sink of notifications cannot be used yet", sink=place.url_file or place.url_env, reason=str(error)
        )
    return send


class Notifier:
    """Has each sink of the rule file told what the teller decides. `counts`: what became of messages, by sink."""

    def __init__(self, opened: Callable[[Place], Send] = through_apprise, platform_url: str | None = None) -> None:
        """`platform_url` is where people reach the platform; with it a message leads to the page of its alarm."""
        self._opened = opened
        self._platform_url = platform_url.rstrip("/") if platform_url else None
        self._teller = Teller()
        self._places: Mapping[str, Place] = {}
        self._sinks: dict[str, Sink] = {}
        self._retired: list[Sink] = []
        self.counts: dict[str, Counter[str]] = {}

    def adopt(self, places: Mapping[str, Place]) -> None:
        """Send to these sinks from now on; those that stay the same keep what waits for them."""
        if places == self._places:
            return
        for name in [name for name in self._sinks if places.get(name) != self._places.get(name)]:
            self._retired.append(self._sinks.pop(name))
        for name, place in places.items():
            if name not in self._sinks:
                self._sinks[name] = Sink(name, self._opened(place), self.counts.setdefault(name, Counter()))
        self._places = places

    def remember(self, alarms: Sequence[Alarm], told: Sequence[tuple[str, str, int]]) -> None:
        """Take up the alarms that stand, and who was told of them: (alarm, sink, when)."""
        self._teller.remember(alarms, told)

    def told(self) -> set[tuple[str, str, int]]:
        """Who was told of the alarms that stand: (alarm, sink, when)."""
        return self._teller.told()

    def take(self, changed: Sequence[Alarm], given: Circumstances) -> None:
        """These alarms have just changed, in order."""
        self._put(self._teller.take(changed, given))

    def look(self, given: Circumstances) -> None:
        """Time has passed."""
        self._put(self._teller.look(given))

    async def close(self) -> None:
        """Send nothing more."""
        for sink in (*self._sinks.values(), *self._retired):
            await sink.close()

    def _put(self, said: Sequence[Told]) -> None:
        for each in said:
            if (sink := self._sinks.get(each.sink)) is not None:
                sink.put(self._with_link(each.message))

    def _with_link(self, message: Message) -> Message:
        if message.alarm is None or self._platform_url is None:
            return message
        return replace(message, body=f"{message.body}\n{self._platform_url}/ops/alarms/{quote(message.alarm)}")


def unusable(places: Mapping[str, Place]) -> dict[str, str]:
    """The sinks whose URL cannot be had here, with the reason."""
    found = {}
    for name, place in places.items():
        try:
            url_of(place)
        except ValueError as error:
            found[name] = str(error)
    return found


def url_of(place: Place) -> str:
    """The secret URL of a sink.

    Raises:
        ValueError: neither its file nor its variable has one.
    """
    if place.url_env:
        url = os.environ.get(place.url_env, "").strip()
        if not url:
            raise ValueError(f"the environment variable {place.url_env} is not set")
        return url
    try:
        lines = Path(place.url_file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"the file {place.url_file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the file {place.url_file} is not UTF-8 text") from None
    if not lines or not lines[0].strip():
        raise ValueError(f"the file {place.url_file} is empty")
    return lines[0].strip()
