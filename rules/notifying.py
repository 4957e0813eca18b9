"""Telling people of alarms through apprise: e-mail, SMS gateways, chat, webhooks.

Each sink has a queue and a thread of its own: one that fails or hangs delays no other, and is tried again until it
takes the message. It needs neither the broker nor the database.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bus.backoff import Backoff
from telemetry.alarms import Alarm, Severity, State
from telemetry.limits import NOTIFICATIONS_WAITING_MAX
from telemetry.thresholds import Notifications

AGAIN_FIRST_S, AGAIN_LAST_S = 0.5, 60.0
"""A sink that fails is tried again after a wait between these, in real seconds."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told, as text. `kind` is one of apprise's: `info`, `success`, `warning`, `failure`."""

    title: str
    body: str
    kind: str


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


def through_apprise(url: str) -> Send:
    """Sends to an apprise URL.

    Raises:
        ValueError: apprise does not know such a URL.
    """
    import apprise  # takes a tenth of a second, which commands that notify nobody need not pay

    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        raise ValueError("apprise does not know such a URL")

    def send(message: Message) -> bool:
        return bool(plugin.notify(body=message.body, title=message.title, notify_type=message.kind))

    return send


class Notifier:
    """Tells the sinks of each route that matches of alarms that are raised and cleared."""

    def __init__(self, sinks: Mapping[str, Sink], notifications: Notifications) -> None:
        self._sinks, self._routes = sinks, notifications.routes

    def take(self, changed: Sequence[Alarm]) -> None:
        """These alarms have just been raised, or cleared, or replaced by the next one, in order."""
        raised = {(each.subject, each.type) for each in changed if _is_raised(each)}
        for alarm in changed:
            replaced = alarm.state == State.NORMAL and (alarm.subject, alarm.type) in raised
            if alarm.state == State.SHELVED or replaced:
                continue
            message = words(alarm)
            for name in self._names(alarm):
                self._sinks[name].put(message)

    async def close(self) -> None:
        """Send nothing more."""
        for sink in self._sinks.values():
            await sink.close()

    def _names(self, alarm: Alarm) -> list[str]:
        found: dict[str, None] = {}
        for route in self._routes:
            if alarm.type in (route.types or (alarm.type,)) and alarm.severity in (
                route.severities or (alarm.severity,)
            ):
                found |= dict.fromkeys(route.to)
        return [name for name in found if name in self._sinks]


def words(alarm: Alarm) -> Message:
    """What people are told of an alarm as it is now."""
    what = f"{alarm.type.replace('_', ' ')}, {alarm.asset or alarm.subject}"
    if not _is_raised(alarm):
        return Message(f"Over: {what}", f"Over since {alarm.cleared_at:{_TIME}}.\nAlarm {alarm.id}", "success")
    why = [f"{name}: {_listed(alarm.why.get(name, {}))}" for name in ("inputs", "thresholds")]
    body = "\n".join([f"Since {alarm.observed_at:{_TIME}}.", *why, f"Alarm {alarm.id}"])
    return Message(f"{alarm.severity}: {what}", body, _KINDS[Severity(alarm.severity)])


_TIME = "%Y-%m-%d %H:%M:%S UTC"
_KINDS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


def _is_raised(alarm: Alarm) -> bool:
    return alarm.cleared_at is None


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
