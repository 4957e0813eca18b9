"""The demo from an empty folder to its last line."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from firmware_sim import fleet, replay
from firmware_sim.speech import NATIVE
from lamplighter import compose, simulating
from lamplighter.clock import real_now, start_clock
from lamplighter.compose import Ground, Place
from lamplighter.demo import options as defaults
from lamplighter.demo.folder import demo_folder
from lamplighter.demo.options import Options
from lamplighter.demo.report import Glance, Ready, Summary, View
from lamplighter.embedded.broker import RunningBroker, embedded_broker
from lamplighter.embedded.ports import LOOPBACK, choose_port
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from lamplighter.http_server import listen
from lamplighter.settings import Settings
from lamplighter.supervise import Crew, crew
from storage import city as stored_city
from storage import errors, figures, migrate, registry, tokens
from storage.pool import connect
from telemetry.clock import DAY_US, MINUTE_US, SECOND_US, CityClock, to_datetime

TOKEN_DAYS = 30
REPLAY_LEAD_US = MINUTE_US
"""A replay's city clock starts so long before its first observation."""
FAST_LEAD_US = SECOND_US
"""A fast city clock starts so much real time ahead, so that the services are up before the city has moved on."""
FLEETING = {"fsync": "off", "full_page_writes": "off", "lamplighter.fleeting": "on"}
"""Settings of a database that is thrown away at the end: it need not survive a power cut."""
SETTLE_S_MAX = 15.0
"""How long what is on its way may take to arrive at the end."""
_SETTLED_S = 0.5
_GLANCE_EVERY_S = 1.0
_LAST_LOOK_S = 2.0
_PASSWORD_BYTES = 12


async def run(options: Options, settings: Settings, view: View) -> None:
    """Run the whole city until it is asked to stop, or `options.for_s` have passed.

    Raises:
        Failure: it cannot start, or one of its parts has died; the sentence says which, and the mend.
    """
    series = await asyncio.to_thread(simulating.open_series, options.replay) if options.replay else None
    http_port = choose_port(options.http_port, settings.http_port, "--http-port")
    mqtt_port = choose_port(options.mqtt_port, defaults.MQTT_PORT, "--mqtt-port", frozenset({http_port}))
    async with crew() as members:
        folder = members.hold(demo_folder(options.data))
        taken = members.hold(listen(LOOPBACK, http_port))
        city = _City(options, settings, series)
        server, broker = await city.start_parts(members, folder, mqtt_port)
        token = await city.furnish(server.url, settings.ttl_s)
        settings = settings.model_copy(update={"rules_journal_dir": folder / "rules"})
        settings = city.with_network_servers(settings, broker.url)
        ground = await members.enter(compose.ground(settings, server.url, broker.url, city.clock))
        await city.serve(members, ground)
        url = await compose.serve_api(members, ground, city.place, taken)
        await city.until_clock_starts()
        view.ready(Ready(url, broker.url, server.url, token, broker.missing))
        await city.live(members, ground, view, options.for_s)


class _City:
    """One run: the simulated town, the series that is played, and the clock of both."""

    def __init__(self, options: Options, settings: Settings, series: replay.Replay | None) -> None:
        self._options, self._series = options, series
        self._town = simulating.town(settings, options.simulated, options.seed)
        self.place = Place(self._town.lat, self._town.lon, self._town.timezone)
        self._passwords = self._draw_passwords()
        self.clock: CityClock
        self._stop = asyncio.Event()
        self._players: list[asyncio.Task[object]] = []
        self._lag_s: dict[str, float] = {}

    async def start_parts(self, members: Crew, folder: Path, mqtt_port: int) -> tuple[RunningPostgres, RunningBroker]:
        """Start database and broker; without the broker all ends, without the database the city goes on."""
        careless = FLEETING if self._options.data is None else {}
        server = await members.enter(embedded_postgres(folder, settings=careless))
        members.serve("database", server.keep_up())
        broker = await members.enter(embedded_broker(folder, port=mqtt_port, devices=self._passwords))
        members.watch(broker.child)
        return server, broker

    async def furnish(self, url: str, ttl_s: int) -> str:
        """Bring the schema, the registry, the clock and an admin's token into the database; returns the token."""
        await migrate.migrate(url, timezone=self.place.timezone, ttl_s=ttl_s)
        rows = simulating.registry_csv(self._town, self._series, self._options.speech)
        with errors.translated():
            async with await connect(url, application="lamplighter demo") as connection:
                self.clock = self._start_clock()
                await stored_city.set_clock(connection, self.clock)
                await registry.import_csv(connection, rows, self.clock.start_us)
                expires_us = real_now() + TOKEN_DAYS * DAY_US
                _, secret = await tokens.issue(
                    connection, role="admin", name="demo", expires_us=expires_us, real_now_us=real_now()
                )
        return secret

    def with_network_servers(self, settings: Settings, mqtt_url: str) -> Settings:
        """The settings by which the gateway hears the network servers that the devices stand behind."""
        spoken = [name for name in self._options.speech.parts if name != NATIVE and self._options.simulated]
        return settings.model_copy(update={"gateway_networks": tuple(f"{name}={mqtt_url}" for name in spoken)})

    async def serve(self, members: Crew, ground: Ground) -> None:
        """Start the services behind the API."""
        self._account = await compose.serve_ingest(members, ground)
        if ground.settings.gateway_networks:
            await compose.serve_gateway(members, ground)
        await compose.serve_rules(members, ground, self.place)
        compose.serve_upkeep(members, ground)

    async def until_clock_starts(self) -> None:
        """Wait for the moment at which a fast city clock starts."""
        await asyncio.sleep(max(0, self.clock.anchor_us - real_now()) / SECOND_US)

    async def live(self, members: Crew, ground: Ground, view: View, for_s: float | None) -> None:
        """Let the devices live until asked to stop; then let what is on its way arrive, and say how it went."""
        began_s, began_us = time.monotonic(), self.clock.start_us
        members.serve("simulator", self._simulate(ground))
        if view.is_live:
            members.serve("view", self._keep_looking(ground, view, began_us))
        try:
            await members.until_asked_to_stop(for_s)
        except asyncio.CancelledError:  # a part has died, and all end; how it went until then is still to be had
            with suppress(errors.StorageError, TimeoutError):
                async with asyncio.timeout(_LAST_LOOK_S):
                    view.finished(await self._summary(ground, began_us, time.monotonic() - began_s))
            raise
        seconds = time.monotonic() - began_s
        await self._settle()
        if view.is_live:
            await members.end("view")
        view.finished(await self._summary(ground, began_us, seconds))

    async def _summary(self, ground: Ground, began_us: int, seconds: float) -> Summary:
        return Summary(
            seconds=seconds,
            received=self._account.total.received,
            devices=self._options.simulated,
            city_us=ground.now(),
            figures=await self._figures(ground, began_us),
        )

    async def _simulate(self, ground: Ground) -> None:
        """Devices and replay; when they are through, nothing more comes, and the city lives on."""
        async with asyncio.TaskGroup() as group:
            if self._options.simulated:
                self._players.append(group.create_task(self._run_fleet(ground)))
            if self._series is not None:
                self._players.append(group.create_task(self._play(self._series, ground)))
        await asyncio.Event().wait()

    async def _run_fleet(self, ground: Ground) -> object:
        return await fleet.run(
            ground.mqtt_url,
            self._town,
            ground.now,
            speed=self.clock.speed,
            stop=self._stop,
            passwords=self._passwords,
            speech=self._options.speech,
            on_progress=lambda progress: self._lag_s.update(fleet=progress.lag_s),
        )

    async def _play(self, series: replay.Replay, ground: Ground) -> object:
        return await replay.run(
            series,
            ground.mqtt_url,
            ground.now,
            speed=self.clock.speed,
            stop=self._stop,
            on_progress=lambda progress: self._lag_s.update(replay=progress.lag_s),
        )

    async def _settle(self) -> None:
        """Stop the devices, and wait until nothing comes any more and nothing is in flight."""
        self._stop.set()
        deadline_s = time.monotonic() + SETTLE_S_MAX
        if self._players:
            await asyncio.wait(self._players, timeout=SETTLE_S_MAX)
        received, still_s = -1, 0.0
        while time.monotonic() < deadline_s and still_s < _SETTLED_S:
            await asyncio.sleep(0.1)
            moved = self._account.total.received != received or self._account.in_flight
            received, still_s = self._account.total.received, 0.0 if moved else still_s + 0.1

    async def _keep_looking(self, ground: Ground, view: View, began_us: int) -> None:
        looked_s, received = time.monotonic(), 0
        while True:
            await asyncio.sleep(_GLANCE_EVERY_S)
            try:
                found = await self._figures(ground, began_us)
            except errors.StorageError:
                continue  # the last glance stays until the database is back
            now_s, now_received = time.monotonic(), self._account.total.received
            view.glance(
                Glance(
                    city_us=ground.now(),
                    speed=self.clock.speed,
                    per_s=(now_received - received) / (now_s - looked_s),
                    figures=found,
                    devices=self._options.simulated,
                    lag_s=max(self._lag_s.values(), default=0.0),
                )
            )
            looked_s, received = now_s, now_received

    async def _figures(self, ground: Ground, began_us: int) -> figures.Figures:
        with errors.translated():
            async with ground.pool.connection() as connection:
                return await figures.read(connection, began_us, real_now())

    def _start_clock(self) -> CityClock:
        """As the options say; a replay begins just before its first observation."""
        start, speed = self._options.start, self._options.speed
        if start is None and self._series is not None:
            start = to_datetime(self._series.start_us - REPLAY_LEAD_US)
        clock = start_clock(start, speed)
        if clock.is_real:
            return clock
        return CityClock(clock.start_us, clock.anchor_us + FAST_LEAD_US, speed)

    def _draw_passwords(self) -> Mapping[str, str]:
        lines = fleet.own_lines(self._town) if self._options.simulated else []
        return {device: secrets.token_urlsafe(_PASSWORD_BYTES) for device in lines}
