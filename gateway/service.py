"""The gateway service: several network servers on one side, the city's broker on the other, for as long as it runs.

One process at a time: its sessions at the brokers are its own by name. What it must remember of devices is retained by
the city's broker and read back at the start.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import structlog

from bus.inbox import Subscriber
from bus.session import Watcher
from gateway import notes as noted
from gateway.chirpstack import ChirpStack
from gateway.downlink import Bounded, Courier, Step
from gateway.events import Network, Server
from gateway.figures import Figures
from gateway.models import Models
from gateway.notes import Note
from gateway.outlet import Outlet
from gateway.radios import Radios
from gateway.scripts.shelf import Frames, Shelf, said
from gateway.sparkplug import Sparkplug
from gateway.station import PUSH_S, RECEIVE_MAXIMUM, Station
from gateway.the_things_stack import TheThingsStack
from gateway.uplink import Translator
from storage import codecs, errors, registry
from storage.gateway_booking import Book
from storage.pool import Pool, lent
from telemetry import radio, topics
from telemetry.clock import Now

SERVERS: dict[str, Callable[[Models], Server]] = {
    "chirpstack": lambda _: ChirpStack(),
    "the_things_stack": lambda _: TheThingsStack(),
    "sparkplug": lambda models: Sparkplug(models.sparkplug),
}
"""The kinds of network servers."""
REGISTRY_LOOK_S = 2.0
"""So often the registry's version is looked at, in real seconds."""
TICK_S = 1.0
"""So often it is looked which commands have run out, in real seconds."""
NOTES_QUIET_S = 0.3
"""When the broker has sent no retained note for so long, it has sent all."""
PATIENCE_S = 5.0
"""So long the start waits for the network servers' brokers; then it goes on without them, until they come."""

_log = structlog.get_logger(__name__)


async def run(
    *,
    mqtt_url: str,
    networks: Sequence[Network],
    models: Models,
    pool: Pool,
    now: Now,
    figures: Figures | None = None,
    client_id: str = "gateway",
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Translate until cancelled.

    Args:
        mqtt_url: the city's broker, with the platform's user.
        networks: the network servers, each with a name of its own.
        models: which codec reads which device.
        pool: the database: for the registry, and to book what cannot be read.
        now: the city clock.
        figures: where is counted; `None` makes one of its own.
        client_id: how the sessions at the brokers begin: they own what waits there.
        ready: called once, when the city's broker hears and the network servers do, or have not within `PATIENCE_S`.

    Raises:
        BadAddress: a URL is none.
    """
    figures = figures or Figures()
    radios = Radios()
    notes = await _read_notes(mqtt_url, f"{client_id}-notes", radios, now)
    servers = {each.name: SERVERS[each.kind](models) for each in networks}
    courier = Courier(servers, models.writer)
    stations = [
        Station(each.name, servers[each.name], Translator(each.name, models, notes, radios), courier, figures, now)
        for each in networks
    ]
    service = _Service(stations, courier, notes, models.shelf, now)
    await service.look_at_registry(pool)
    async with models.shelf, AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        city = await stack.enter_async_context(Outlet(mqtt_url, f"{client_id}-city"))
        inboxes = []
        for station, network in zip(stations, networks, strict=True):
            name = f"{client_id}-{network.name}"
            outlet = await stack.enter_async_context(Outlet(network.url, f"{name}-out"))
            inbox = Subscriber(network.url, name, station.server.filters, RECEIVE_MAXIMUM, now=now)
            inboxes.append(await stack.enter_async_context(inbox))
            service.outlets[station.name] = outlet
            group.create_task(station.hear(inbox, city, outlet), name=f"hear {station.name}")
            group.create_task(station.book(Book(pool, name)), name=f"book {station.name}")
            ear = await _listen_to_radios(stack, station, network.url, f"{name}-radio")
            group.create_task(station.watch(inbox, ear), name=f"watch {station.name}")
        commands = Subscriber(mqtt_url, f"{client_id}-commands", [topics.command("+", "+")], RECEIVE_MAXIMUM, now=now)
        await stack.enter_async_context(commands)
        group.create_task(service.obey(commands, city), name="obey")
        group.create_task(service.expire(city), name="expire")
        group.create_task(_tell_radios(radios, city, now), name="radios")
        group.create_task(service.follow_registry(pool), name="registry")
        await commands.ready()
        await _wait_for(inboxes)
        ready()


async def _wait_for(inboxes: Sequence[Subscriber]) -> None:
    """Wait for the network servers' brokers, but not for ever."""
    waits = [asyncio.create_task(each.ready()) for each in inboxes]
    await asyncio.wait(waits, timeout=PATIENCE_S)
    for wait in waits:
        wait.cancel()


class _Service:
    """What all networks share: commands, the registry, the notes."""

    def __init__(
        self, stations: Sequence[Station], courier: Courier, notes: dict[str, Note], shelf: Shelf, now: Now
    ) -> None:
        self._stations = {each.name: each for each in stations}
        self._courier, self._notes, self._shelf, self._now = courier, notes, shelf, now
        self._version: int | None = None
        self.outlets: dict[str, Outlet] = {}

    async def obey(self, commands: Subscriber, city: Outlet) -> None:
        """Carry the city's commands to the devices that a network serves; other devices hear for themselves."""
        async for batch in commands:
            now_us, given = self._now(), []
            for name, payload in zip(batch.topics, batch.payloads, strict=True):
                topic = topics.parse_device(name.decode("utf-8", "replace"))
                note = None if topic is None else self._notes.get(topic.device)
                if topic is not None and note is not None and note.network in self._stations:
                    given.append((topic, payload, note))
            wanted = [each for _, payload, note in given for each in self._courier.wanted(payload, note, now_us)]
            frames = await self._frames(wanted)
            steps = []
            with self._shelf.holding(frames=frames):
                for topic, payload, note in given:
                    step = self._courier.command(topic.kind, topic.device, payload, note, now_us)
                    step.network = note.network
                    steps.append(step)
            await self._carry(steps, city)
            batch.ack()

    async def expire(self, city: Outlet) -> None:
        """Let go of commands whose time has run out."""
        while True:
            await asyncio.sleep(TICK_S)
            now_us = self._now()
            frames = await self._frames(self._courier.wanted_again(now_us))
            with self._shelf.holding(frames=frames):
                steps = self._courier.expire(now_us)
            await self._carry(steps, city)

    async def _frames(self, wanted: Sequence[Bounded]) -> Frames:
        """What makers' own codecs write."""
        return await self._shelf.ask_wanted((model, said(settings)) for model, settings in wanted)

    async def _carry(self, steps: Sequence[Step], city: Outlet) -> None:
        for name, station in self._stations.items():
            of_network = [step for step in steps if step.network == name]
            for step in of_network:
                station.count(step)
            pushes = [message for step in of_network for message in step.pushes]
            if pushes and not await self.outlets[name].publish(pushes, PUSH_S):
                station.count(Step(happened=["not_taken"]))
                _log.warning("a network server takes no downlinks", network=name)
        await city.publish([message for step in steps for message in step.answers])

    async def follow_registry(self, pool: Pool) -> None:
        """Have names and assets as they are."""
        while True:
            await asyncio.sleep(REGISTRY_LOOK_S)
            try:
                await self.look_at_registry(pool)
            except errors.StorageError as error:
                _log.warning("registry not read", reason=str(error))

    async def look_at_registry(self, pool: Pool) -> None:
        """Read the registry if it has moved; raises `StorageError`."""
        async with lent(pool) as conn:
            version = await registry.version(conn)
            if version == self._version:
                return
            loaded = await registry.load(conn)
            kept = await codecs.load(conn)
        self._version = version
        for complaint in await self._shelf.fill(kept):
            _log.warning("a maker's codec cannot be used", reason=complaint)
        for station in self._stations.values():
            station.translator.use(loaded)


async def _listen_to_radios(stack: AsyncExitStack, station: Station, url: str, client_id: str) -> Watcher | None:
    """The session that overhears a network server's radio gateways; a broker that refuses it refuses nothing else."""
    if not station.server.overheard:
        return None
    return await stack.enter_async_context(Watcher(url, client_id, station.server.overheard, station.overhear))


async def _tell_radios(radios: Radios, city: Outlet, now: Now) -> None:
    """Keep saying which radio gateways are out."""
    while True:
        await asyncio.sleep(TICK_S)
        await city.publish(list(radios.words(now())))


async def _read_notes(mqtt_url: str, client_id: str, radios: Radios, now: Now) -> dict[str, Note]:
    """What was retained of devices, and of radio gateways, before our start."""
    found: dict[str, Note] = {}
    heard = 0

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        nonlocal heard
        heard += 1
        note = noted.read(topic, payload)
        if note is not None:
            found[note[0]] = note[1]
        gateway, word = topics.parse_radio_gateway(topic), radio.decode(payload)
        if gateway is not None and word is not None:
            radios.recall(gateway, word, now())

    async with Watcher(mqtt_url, client_id, [topics.gateway_note("+"), topics.radio_gateway("+")], hear) as watcher:
        await watcher.ready()
        before = -1
        while before != heard:
            before = heard
            await asyncio.sleep(NOTES_QUIET_S)
    return found
