"""Runs a town's devices against a broker: one heap of due moments for all of them, not a task a device.

Some devices have lines of their own, with a Will and perhaps their own credentials; the others share a few gateways.
Everything happens at its due city time, even where the loop gets to it a little later; how much later is the lag.
"""

import asyncio
import heapq
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from firmware_sim.carrier import OUTBOX_MAX, Carrier, Traffic
from firmware_sim.chance import Chance
from firmware_sim.city import City, Member
from firmware_sim.faults import DeviceFaults, Faults
from firmware_sim.firmware import KEEP_S, Firmware
from telemetry import topics
from telemetry.clock import DAY_US, SECOND_US, Now

CONNECTIONS = 20
"""Devices with a line of their own."""
GATEWAYS = 4
BOOT_SPREAD_S = 5.0
"""A town is switched on within this real time, not at one blow."""
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
    on_progress: Callable[[Progress], None] | None = None,
    progress_every_s: float = 1.0,
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
        on_progress: told the figures about every `progress_every_s` real seconds.
    """
    fleet = _Fleet(city, now, speed, faults or Faults())
    await fleet.build(connections, gateways)
    async with AsyncExitStack() as lines:
        await fleet.open(lines, url, passwords or {})
        await fleet.live(stop, on_progress, progress_every_s)
        return await fleet.settle()


class _Fleet:
    def __init__(self, city: City, now: Now, speed: float, faults: Faults) -> None:
        self._city, self._now, self._speed, self._faults = city, now, speed, faults
        self._traffic = Traffic()
        self._devices: list[Firmware] = []
        self._planned_us: list[int] = []
        self._boots: list[int] = []
        self._number: dict[str, int] = {}
        self._carrier_of: list[Carrier] = []
        self._own: list[Carrier] = []
        self._gateways: list[Carrier] = []
        self._heap: list[tuple[int, int]] = []
        """(due, number of the device) or (due, −1 − number) for a tearing line."""
        self._lag_s = self._lag_s_max = 0.0

    async def build(self, connections: int, gateways: int) -> None:
        """Make the devices and divide them among lines."""
        own = set(own_lines(self._city, connections))
        if len(own) < self._city.devices:
            self._gateways = [Carrier(self._now, self._traffic, self._hear_far) for _ in range(max(1, gateways))]
        start_us = self._now() + int(self._city.devices * _BUILD_S * self._speed * SECOND_US)
        for number, member in enumerate(self._city.members()):
            if number % _BUILT_AT_ONCE == 0:
                await asyncio.sleep(0)
            self._add(number, member, member.device in own, start_us)

    def _add(self, number: int, member: Member, own: bool, start_us: int) -> None:
        chance = Chance.seeded("faults", self._city.seed, member.device)
        faults = DeviceFaults(self._faults, chance)
        boot_us = start_us + int(chance.between(0.0, BOOT_SPREAD_S, -9) * self._speed * SECOND_US)
        keep_us = int(KEEP_S * self._speed * SECOND_US)
        device = Firmware(member, self._city.town, faults, boot_us, keep_us)
        carrier = Carrier(self._now, self._traffic, self._hear) if own else self._gateways[number % len(self._gateways)]
        if own:
            self._own.append(carrier)
            self._plan_tear(number, faults, boot_us)
        carrier.devices.append(device)
        self._carrier_of.append(carrier)
        self._number[member.device] = number
        self._devices.append(device)
        self._boots.append(1)
        self._planned_us.append(device.next_us)
        heapq.heappush(self._heap, (device.next_us, number))

    async def open(self, lines: AsyncExitStack, url: str, passwords: Mapping[str, str]) -> None:
        """Connect all lines; they stand up in the background."""
        for carrier in self._own:
            device = carrier.devices[0].device
            user = (device, passwords[device]) if device in passwords else None
            await lines.enter_async_context(carrier.open(url, device, user, [topics.command("+", device)]))
        run_id = secrets.token_hex(4)
        for nth, carrier in enumerate(self._gateways):
            hears = [topics.command("+", "+")] if nth == 0 else []
            await lines.enter_async_context(carrier.open(url, f"sim-gateway-{run_id}-{nth}", None, hears))

    async def live(
        self, stop: asyncio.Event, on_progress: Callable[[Progress], None] | None, progress_every_s: float
    ) -> None:
        """Wake devices when they are due, until stopped."""
        loop = asyncio.get_running_loop()
        told_s = loop.time()
        while not stop.is_set():
            turns = self._turn()
            for carrier in (*self._gateways, *self._own):
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
        device, carrier = self._devices[number], self._carrier_of[number]
        carrier.submit(device.wake(due_us))
        if device.boots > self._boots[number]:
            self._boots[number] = device.boots
            if len(carrier.devices) == 1:
                carrier.tear()
        self._planned_us[number] = device.next_us
        heapq.heappush(self._heap, (device.next_us, number))

    def _hear_far(self, name: str, kind: str, payload: bytes) -> None:
        """A gateway hears all commands; those to devices with lines of their own are not its business."""
        number = self._number.get(name)
        if number is not None and self._carrier_of[number] in self._gateways:
            self._hear(name, kind, payload)

    def _hear(self, name: str, kind: str, payload: bytes) -> None:
        """Give a command to its device; the answer goes the way of its observations, so that the order holds."""
        number = self._number.get(name)
        if number is None or self._devices[number].kind != kind:
            return
        self._traffic.commands += 1
        device = self._devices[number]
        self._carrier_of[number].submit(device.receive(payload, self._now()))
        if device.next_us != self._planned_us[number]:
            self._planned_us[number] = device.next_us
            heapq.heappush(self._heap, (device.next_us, number))

    def _tear(self, number: int, due_us: int) -> None:
        self._carrier_of[number].tear()
        chance = Chance.seeded("faults", self._city.seed, self._devices[number].device)
        self._plan_tear(number, DeviceFaults(self._faults, chance), due_us)

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
                for carrier in (*self._gateways, *self._own):
                    if carrier.line is None or not carrier.line.up:
                        continue
                    if carrier in self._own:
                        carrier.submit([carrier.devices[0].will])
                    await carrier.shorter(1)
                    await carrier.line.settled()
        except TimeoutError:
            pass
        return self.progress()

    def progress(self) -> Progress:
        """The figures of this moment."""
        carriers = [carrier for carrier in (*self._gateways, *self._own) if carrier.line is not None]
        traffic = self._traffic
        return Progress(
            devices=len(self._devices),
            published=traffic.published,
            acknowledged=traffic.acknowledged,
            in_flight=sum(each.line.in_flight for each in carriers if each.line),
            waiting=sum(len(each.outbox) for each in carriers),
            observations=traffic.observations,
            commands=traffic.commands,
            reconnects=sum(max(0, each.line.connections - 1) for each in carriers if each.line),
            lost=sum(each.store.lost for each in self._devices),
            lag_s=round(self._lag_s, 3),
            lag_s_max=round(self._lag_s_max, 3),
        )
