"""Runs a town's devices against a broker: one heap of due moments for all of them, not a task a device.

Some devices have lines of their own, with a Will and perhaps their own credentials; the others share a few gateways,
or speak LoRaWAN behind a network server, which has one line for all.
Everything happens at its due city time, even where the loop gets to it a little later; how much later is the lag.
"""

import asyncio
import heapq
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial

from firmware_sim.carrier import OUTBOX_MAX, Carrier, Speaker, Traffic, Witness
from firmware_sim.chance import Chance
from firmware_sim.city import City, Member
from firmware_sim.faults import DeviceFaults, Faults
from firmware_sim.firmware import KEEP_S, Firmware
from firmware_sim.lorawan.air import Air
from firmware_sim.lorawan.chirpstack import ChirpStack
from firmware_sim.lorawan.end_device import EndDevice
from firmware_sim.lorawan.network_server import Face, NetworkServer
from firmware_sim.lorawan.the_things_stack import TheThingsStack
from firmware_sim.speech import NATIVE, NETWORK_SERVERS, Speech
from firmware_sim.vendors import product_of
from telemetry import topics
from telemetry.clock import DAY_US, SECOND_US, Now

FACES: Mapping[str, Callable[[int], Face]] = {
    "chirpstack": ChirpStack,
    "the_things_stack": lambda _: TheThingsStack(),
}
"""Network servers by name, each made of a town's seed."""
CONNECTIONS = 20
"""Devices with a line of their own."""
GATEWAYS = 4
BOOT_SPREAD_S = 5.0
"""A town is switched on within this real time, not at one blow."""
PATIENCE_S = 5.0
"""At the start a network server waits this real time for its line; afterwards what it says without one is lost."""
DRAIN_S = 5.0
"""At the end the broker has this real time to take what is still in flight."""
_TURNS_MAX = 200
_SLEEP_S_MAX = 0.05
_SLEEP_S_MIN = 0.002
_BUILT_AT_ONCE = 100
_BUILD_S = 0.0002
"""Real time that making a device takes at most: the first ones boot when all are made."""
_TEAR_DAYS_MAX = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """The fleet's figures since its start.

    Args:
        devices: devices of the town.
        published: uplinks handed to the broker, of which `acknowledged` are taken and `in_flight` not yet.
        waiting: uplinks that wait for room on a line.
        observations: observations in the published uplinks, repeats included.
        commands: commands heard.
        reconnects: lines that came back.
        lost: observations that fell out of a device's full store.
        lag_s: real seconds by which the loop is behind the city clock, and its greatest value so far.
    """

    devices: int
    published: int
    acknowledged: int
    in_flight: int
    waiting: int
    observations: int
    commands: int
    reconnects: int
    lost: int
    lag_s: float
    lag_s_max: float


def own_lines(city: City, connections: int = CONNECTIONS) -> list[str]:
    """The devices that get a line of their own: evenly from the town, so all kinds are among them."""
    members = [member.device for member in city.members()]
    count = min(connections, len(members))
    return [members[nth * len(members) // count] for nth in range(count)]


async def run(
    url: str,
    city: City,
    now: Now,
    *,
    speed: float = 1.0,
    stop: asyncio.Event,
    connections: int = CONNECTIONS,
    gateways: int = GATEWAYS,
    passwords: Mapping[str, str] | None = None,
    faults: Faults | None = None,
    speech: Speech | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    progress_every_s: float = 1.0,
    witness: Witness | None = None,
) -> Progress:
    """Run the town until `stop` is set; returns the final figures.

    Args:
        url: the broker, with a user who may publish as any device.
        city: the town.
        now: the city clock, which runs `speed` times as fast as real time.
        speed: see `now`.
        stop: ends the run; what is in flight gets `DRAIN_S` to arrive.
        connections: how many devices get a line of their own.
        gateways: over how many lines the others go.
        passwords: by device, for those of `own_lines` that log in as themselves; the others use the user of `url`.
        faults: what goes wrong; `None` is the mild default.
        speech: what the devices speak; `None`: all of them the city's own topics.
        on_progress: told the figures about every `progress_every_s` real seconds.
        witness: is told what is sent and what the broker has acknowledged; `None`: nobody.
    """
    fleet = _Fleet(city, now, speed, faults or Faults(), speech or Speech(), witness)
    await fleet.build(connections, gateways)
    async with AsyncExitStack() as lines:
        await fleet.open(lines, url, passwords or {})
        await fleet.live(stop, on_progress, progress_every_s)
        return await fleet.settle()


class _Fleet:
    def __init__(
        self, city: City, now: Now, speed: float, faults: Faults, speech: Speech, witness: Witness | None
    ) -> None:
        self._city, self._now, self._speed, self._faults, self._speech = city, now, speed, faults, speech
        self._witness = witness
        self._traffic = Traffic()
        self._speakers: list[Speaker] = []
        self._planned_us: list[int] = []
        self._boots: list[int] = []
        self._carrier_of: list[Carrier] = []
        self._number: dict[str, int] = {}
        self._firmware: dict[int, Firmware] = {}
        """Who speaks the city's own topics, by number."""
        self._own: dict[str, Carrier] = {}
        self._gateways: list[Carrier] = []
        self._servers: dict[str, NetworkServer] = {}
        self._server_lines: dict[str, Carrier] = {}
        self._heap: list[tuple[int, int]] = []
        """(due, number of the device) or (due, −1 − number) for a tearing line."""
        self._lag_s = self._lag_s_max = 0.0

    async def build(self, connections: int, gateways: int) -> None:
        """Make the devices and divide them among lines."""
        own = set(own_lines(self._city, connections))
        if len(own) < self._city.devices and NATIVE in self._speech.parts:
            self._gateways = [self._carrier(self._hear_far) for _ in range(max(1, gateways))]
        start_us = self._now() + int(self._city.devices * _BUILD_S * self._speed * SECOND_US)
        air = Air(self._faults, self._city.seed)
        for name in self._speech.parts.keys() & FACES.keys():
            chance = Chance.seeded("network server", self._city.seed, name)
            self._servers[name] = NetworkServer(FACES[name](self._city.seed), air, chance, start_us)
        for number, member in enumerate(self._city.members()):
            if number % _BUILT_AT_ONCE == 0:
                await asyncio.sleep(0)
            language = self._speech.of(member.device, self._city.seed)
            if language == NATIVE:
                self._add(number, member, member.device in own, start_us)
            else:
                self._servers[language].add(self._end_device(member, start_us))
        for name, server in self._servers.items():
            take = partial(self._order, len(self._speakers), server)
            self._server_lines[name] = self._carrier(take)
            self._speak(server, self._server_lines[name])

    def _carrier(self, on_message: Callable[[str, bytes], None]) -> Carrier:
        return Carrier(self._now, self._traffic, on_message, self._witness)

    def _end_device(self, member: Member, start_us: int) -> EndDevice:
        faults = self._faults_of(member.device)
        cabinet = self._faults_of(member.cabinet) if member.cabinet else None
        return EndDevice(
            member, self._city.town, product_of(member), faults, cabinet, self._boot_us(faults.chance, start_us)
        )

    def _add(self, number: int, member: Member, own: bool, start_us: int) -> None:
        faults = self._faults_of(member.device)
        boot_us = self._boot_us(faults.chance, start_us)
        device = Firmware(member, self._city.town, faults, boot_us, int(KEEP_S * self._speed * SECOND_US))
        carrier = self._carrier(self._hear) if own else self._gateways[number % len(self._gateways)]
        number = self._speak(device, carrier)
        self._number[member.device], self._firmware[number] = number, device
        if own:
            self._own[member.device] = carrier
            self._plan_tear(number, faults, boot_us)

    def _speak(self, speaker: Speaker, carrier: Carrier) -> int:
        """Wake it from now on, and let the carrier carry what it says; its number."""
        carrier.devices.append(speaker)
        self._carrier_of.append(carrier)
        self._speakers.append(speaker)
        self._boots.append(1)
        self._planned_us.append(speaker.next_us)
        number = len(self._speakers) - 1
        heapq.heappush(self._heap, (speaker.next_us, number))
        return number

    def _faults_of(self, name: str) -> DeviceFaults:
        return DeviceFaults(self._faults, Chance.seeded("faults", self._city.seed, name))

    def _boot_us(self, chance: Chance, start_us: int) -> int:
        return start_us + int(chance.between(0.0, BOOT_SPREAD_S, -9) * self._speed * SECOND_US)

    async def open(self, lines: AsyncExitStack, url: str, passwords: Mapping[str, str]) -> None:
        """Connect all lines; they stand up in the background, but a network server, which keeps nothing, waits."""
        for device, carrier in self._own.items():
            user = (device, passwords[device]) if device in passwords else None
            await lines.enter_async_context(carrier.open(url, device, user, [topics.command("+", device)]))
        run_id = secrets.token_hex(4)
        for nth, carrier in enumerate(self._gateways):
            hears = [topics.command("+", "+")] if nth == 0 else []
            await lines.enter_async_context(carrier.open(url, f"sim-gateway-{run_id}-{nth}", None, hears))
        for name, carrier in self._server_lines.items():
            hears = list(self._servers[name].face.filters)
            line = await lines.enter_async_context(carrier.open(url, f"sim-{name}-{run_id}", None, hears))
            with suppress(TimeoutError):
                await asyncio.wait_for(line.room(), PATIENCE_S)

    @property
    def _carriers(self) -> list[Carrier]:
        return [*self._gateways, *self._server_lines.values(), *self._own.values()]

    async def live(
        self, stop: asyncio.Event, on_progress: Callable[[Progress], None] | None, progress_every_s: float
    ) -> None:
        """Wake devices when they are due, until stopped."""
        loop = asyncio.get_running_loop()
        told_s, carriers = loop.time(), self._carriers
        while not stop.is_set():
            turns = self._turn()
            for carrier in carriers:
                if carrier.full:
                    await carrier.shorter(OUTBOX_MAX)
            if on_progress is not None and loop.time() - told_s >= progress_every_s:
                told_s = loop.time()
                on_progress(self.progress())
            await asyncio.sleep(0 if turns == _TURNS_MAX else self._pause_s())

    def _turn(self) -> int:
        """Wake the devices that are due, in their order, at most `_TURNS_MAX`; how many there were."""
        now_us = self._now()
        turns = 0
        heap = self._heap
        while heap and heap[0][0] <= now_us and turns < _TURNS_MAX:
            due_us, number = heapq.heappop(heap)
            turns += 1
            if number < 0:
                self._tear(-1 - number, due_us)
            elif due_us == self._planned_us[number]:
                self._wake(number, due_us)
        behind_us = self._now() - heap[0][0] if heap else 0
        self._lag_s = max(0.0, behind_us / SECOND_US / self._speed)
        self._lag_s_max = max(self._lag_s_max, self._lag_s)
        return turns

    def _wake(self, number: int, due_us: int) -> None:
        speaker, carrier = self._speakers[number], self._carrier_of[number]
        carrier.submit(speaker.wake(due_us))
        if speaker.boots > self._boots[number]:
            self._boots[number] = speaker.boots
            if len(carrier.devices) == 1:
                carrier.tear()
        self._plan(number)

    def _plan(self, number: int) -> None:
        due_us = self._speakers[number].next_us
        self._planned_us[number] = due_us
        heapq.heappush(self._heap, (due_us, number))

    def _order(self, number: int, server: NetworkServer, topic: str, payload: bytes) -> None:
        """Give a command to a network server."""
        self._traffic.commands += 1
        self._carrier_of[number].submit(server.receive(topic, payload, self._now()))
        self._plan(number)

    def _hear_far(self, topic: str, payload: bytes) -> None:
        """A gateway hears all commands; those to devices with lines of their own are not its business."""
        found = topics.parse_device(topic)
        if found is not None and found.device not in self._own:
            self._hear(topic, payload)

    def _hear(self, topic: str, payload: bytes) -> None:
        """Give a command to its device; the answer goes the way of its observations, so that the order holds."""
        found = topics.parse_device(topic)
        number = None if found is None else self._number.get(found.device)
        if found is None or number is None or self._firmware[number].kind != found.kind:
            return
        self._traffic.commands += 1
        device = self._firmware[number]
        self._carrier_of[number].submit(device.receive(payload, self._now()))
        if device.next_us != self._planned_us[number]:
            self._plan(number)

    def _tear(self, number: int, due_us: int) -> None:
        self._carrier_of[number].tear()
        self._plan_tear(number, self._faults_of(self._firmware[number].device), due_us)

    def _plan_tear(self, number: int, faults: DeviceFaults, after_us: int) -> None:
        """Plan the next torn connection of a device with a line of its own, if the next weeks bring one."""
        for day in range(after_us // DAY_US, after_us // DAY_US + _TEAR_DAYS_MAX):
            due_us = faults.disconnect_us(max(after_us, day * DAY_US))
            if due_us is not None:
                heapq.heappush(self._heap, (due_us, -1 - number))
                return

    def _pause_s(self) -> float:
        if not self._heap:
            return _SLEEP_S_MAX
        wait_s = (self._heap[0][0] - self._now()) / SECOND_US / self._speed
        return min(max(wait_s, _SLEEP_S_MIN), _SLEEP_S_MAX)

    async def settle(self) -> Progress:
        """Let the broker take what is in flight, and have the own lines say that they leave."""
        try:
            async with asyncio.timeout(DRAIN_S):
                for carrier in self._carriers:
                    if carrier.line is None or not carrier.line.up:
                        continue
                    if len(carrier.devices) == 1 and (will := carrier.devices[0].will) is not None:
                        carrier.submit([will])
                    await carrier.shorter(1)
                    await carrier.line.settled()
        except TimeoutError:
            pass
        return self.progress()

    def progress(self) -> Progress:
        """The figures of this moment."""
        carriers = [carrier for carrier in self._carriers if carrier.line is not None]
        traffic = self._traffic
        return Progress(
            devices=self._city.devices,
            published=traffic.published,
            acknowledged=traffic.acknowledged,
            in_flight=sum(each.line.in_flight for each in carriers if each.line),
            waiting=sum(len(each.outbox) for each in carriers),
            observations=traffic.observations,
            commands=traffic.commands,
            reconnects=sum(max(0, each.line.connections - 1) for each in carriers if each.line),
            lost=sum(each.lost for each in self._speakers),
            lag_s=round(self._lag_s, 3),
            lag_s_max=round(self._lag_s_max, 3),
        )


assert tuple(FACES) == NETWORK_SERVERS, "what can be spoken is spoken"
