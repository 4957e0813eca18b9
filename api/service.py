"""The API as a service: its application, and what keeps it up to date while it runs."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from api import self_probe
from api.alarm_board import AlarmBoard
from api.app import create_app
from api.backlog import Waiting
from api.board import Board
from api.database import Database
from api.parts import Dark
from api.settings import ApiSettings
from bus.session import Watcher
from storage.pool import Pool
from telemetry import topics
from telemetry.clock import Now

LOOK_EVERY_S = 1.0
HEARD = (topics.zone_parking("+"), topics.alarm("+"), topics.BACKLOG, topics.PROBE)


class ApiService:
    """Serve `app` with any ASGI server, and `run` beside it."""

    def __init__(
        self,
        *,
        pool: Pool,
        mqtt_url: str,
        now: Now,
        real_now: Now,
        dark: Dark,
        settings: ApiSettings | None = None,
        clock_speed: float = 1.0,
        client_id: str = "lamplighter-api",
        registry: CollectorRegistry | None = None,
        own_url: str | None = None,
    ) -> None:
        """
        Args:
            pool: connections to the database; it may be away.
            mqtt_url: the broker that retains the zone topics; it may be away.
            now: the city clock.
            real_now: the machine's clock, microseconds since 1970 UTC; tokens live by it.
            dark: whether it is between dusk and dawn at any time in a span of city time.
            settings: limits and names; `None` means the defaults.
            clock_speed: of the city clock.
            client_id: our name at the broker; two processes need two.
            registry: where `/metrics` reads from; `None` means one of our own.
            own_url: where `app` will answer, so that it can be asked whether it shows what comes; `None`: nobody asks.
        """
        self._settings = settings or ApiSettings()
        self._database = Database(pool)
        self._waiting = Waiting(real_now)
        registry = registry or CollectorRegistry()
        self._sighting = None if own_url is None else self_probe.Sighting(registry)
        self._own_url = own_url
        first_event_id = real_now() // 1_000
        self.board = Board(
            now,
            ttl_s=self._settings.ttl_s,
            speed=clock_speed,
            first_event_id=first_event_id,
            publisher=self._settings.city_name,
        )
        self.alarms = AlarmBoard(first_event_id=first_event_id)
        self._watcher = Watcher(mqtt_url, client_id, HEARD, self._hear, on_connected=self._begin_again)
        self.app = create_app(
            pool=pool,
            board=self.board,
            now=now,
            real_now=real_now,
            dark=dark,
            broker_connected=lambda: self._watcher.connected,
            settings=self._settings,
            registry=registry,
            database=self._database,
            waiting=self._waiting,
            sighting=self._sighting,
            alarm_board=self.alarms,
        )

    async def run(self) -> None:
        """Hear the zone topics, ask after the database, look at the clocks; until cancelled, which ends the streams."""
        try:
            async with self._watcher, asyncio.TaskGroup() as group:
                group.create_task(self._database.keep_probing(), name="database probe")
                group.create_task(self._database.do_awaiting(), name="first readings")
                group.create_task(self._keep_looking(), name="board clock")
                if self._sighting is not None and self._own_url is not None:
                    seeing = self_probe.keep_looking(self._sighting, self._own_url, self._database)
                    group.create_task(seeing, name="self-probe")
        finally:
            self.board.changes.close()
            self.alarms.changes.close()

    def _begin_again(self) -> None:
        """The broker is about to repeat all it retains."""
        self.board.connected(time.monotonic())
        self.alarms.connected(time.monotonic())

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic.startswith(topics.alarm("")):
            self.alarms.receive(topic, payload)
        elif topic == topics.PROBE:
            if self._sighting is not None:
                self._sighting.heard(payload, time.monotonic())
        elif topic != topics.BACKLOG:
            self.board.receive(topic, payload)
        elif not retained:  # what was kept may be from long ago
            self._waiting.receive(payload)

    async def _keep_looking(self) -> None:
        while True:
            away = self._database.away_s >= self._settings.database_away_s
            self.board.look(time.monotonic(), database_away=away)
            self.alarms.look(time.monotonic())
            await asyncio.sleep(LOOK_EVERY_S)
