"""The standing self-probe: a probe every second into ingest's own queues, and what has become of it.

It needs only the broker: neither ingest nor the database has to be there, for that is when it matters. It has a session
of its own, so that a probe never waits behind thousands of alarms and commands, for that is when it matters, too.
"""

import asyncio
import secrets
import time
from contextlib import suppress

import msgspec
import structlog

from bus.session import Publisher, Unreachable, Watcher
from rules.inflow import Inflow
from rules.platform_alarms import Fact
from rules.queue_filling import QueueFilling
from rules.soundings import QueueBound, Soundings
from telemetry import backlog, topics
from telemetry.backlog import PROBE_EVERY_S, Backlog
from telemetry.clock import Now

UNANSWERED_S = 5.0
"""A probe that the broker does not acknowledge within this time is sent again under its number."""
FILTERS = (topics.settled("+"),)
SECRETS = (topics.SYS_DROPPED, *topics.SYS_STORED)
"""What a broker may keep to itself."""
SECRETIVE_S = 10.0
"""A broker that has not taken a subscription to it within this time, in real seconds, is not asked again."""

_log = structlog.get_logger(__name__)


class Prober:
    """Probes, and knows how much waits. `now` is the city clock, which names alarms; `real_now` is the real one."""

    def __init__(self, now: Now, real_now: Now, bound: QueueBound) -> None:
        self._now, self._real_now = now, real_now
        self.inflow = Inflow(time.monotonic())
        self._soundings = Soundings(bound, self.inflow)
        self._filling = QueueFilling(bound)
        self.backlog: Backlog | None = None
        """How much waits by the last measure; `None` while no ingest process has said anything."""
        self.probes = 0
        """Probes that the broker has acknowledged."""

    def connected(self) -> None:
        """The session stands anew."""
        self._soundings.begin(secrets.token_hex(4))

    def heard(self, topic: str, payload: bytes) -> None:
        """A message on one of the filters."""
        process = topics.parse_settled(topic)
        try:
            if process is None:
                self._soundings.broker_says(topic, int(payload))
            elif payload:
                self._soundings.settled(process, backlog.decode_settled(payload))
            else:
                self._soundings.forget(process)
        except (ValueError, msgspec.DecodeError):
            return

    async def probe(self, mqtt_url: str, client_id: str) -> None:
        """Send probes, hear what became of them and say how much waits, until cancelled."""
        async with Watcher(
            mqtt_url,
            client_id,
            FILTERS,
            lambda topic, payload, _: self.heard(topic, payload),
            on_connected=self.connected,
        ) as session:
            while True:
                await session.ready()
                await self._send(session)
                await asyncio.sleep(PROBE_EVERY_S)

    async def listen(self, mqtt_url: str, client_id: str) -> None:
        """Hear what the broker says of itself, until cancelled; in a session of its own, for some do not answer."""
        async with Watcher(
            mqtt_url, client_id, SECRETS, lambda topic, payload, _: self.heard(topic, payload)
        ) as session:
            with suppress(TimeoutError):
                await asyncio.wait_for(session.ready(), SECRETIVE_S)
                await asyncio.Event().wait()
        _log.info("the broker does not say what it stores and drops", client=client_id)

    async def _send(self, publisher: Publisher) -> None:
        probe = self._soundings.probe(self._real_now())
        try:
            await publisher.publish(topics.PROBE, backlog.encode(probe), timeout_s=UNANSWERED_S)
            self._soundings.sent(probe, time.monotonic())
            self.probes += 1
            if self.backlog is not None:
                said = backlog.encode(self.backlog)
                await publisher.publish(topics.BACKLOG, said, retain=True, timeout_s=UNANSWERED_S)
            for process in self._soundings.forgotten(self._real_now()):
                await publisher.publish(topics.settled(process), b"", retain=True, timeout_s=UNANSWERED_S)
        except Unreachable:
            return

    def facts(self) -> list[Fact]:
        """Measure, and say what it means."""
        real_s = time.monotonic()
        self.backlog = self._soundings.measure(real_s, self._real_now())
        return [] if self.backlog is None else [self._filling.judge(self.backlog, real_s, self._now())]
