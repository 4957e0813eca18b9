"""A simulated town behind both network servers, on bad air: it joins at one blow, and no uplink is unaccounted for."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from bus.session import Watcher
from firmware_sim import fleet
from firmware_sim.city import City, write_csv
from firmware_sim.faults import Faults
from firmware_sim.speech import parse_speech
from gateway.repeats import FRAMES_BACK_MAX
from telemetry.clock import HOUR_US, MINUTE_US
from tests.integration.gateway.conftest import Gateway, Town, now
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually

TOWN = City(devices=300, seed=11)
SPEED = 400.0
LIVES_S = 5.0
BAD_AIR = Faults(
    loss_per_frame=0.1,
    repeat_per_frame=0.1,
    late_copy_per_frame=0.05,
    again_per_frame=0.05,
    counter_reset_per_day=0.3,
    power_cut_per_day=0.5,
    gateway_outage_per_day=0.5,
)
SPEECH = parse_speech("chirpstack=2,the_things_stack=1")
TOLD = ("published", "held", "without_reading", "duplicate")
"""What can become of an uplink that the gateway can read."""


@dataclass
class Ear:
    """What the network servers said, as another client of their broker hears it."""

    uplinks: int = 0
    joined: Counter[str] = field(default_factory=Counter)
    counters: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, topic: str, payload: bytes, retained: bool) -> None:
        device, event = topic.split("/")[3], topic.split("/")[-1]
        said = json.loads(payload)
        if event == "join":
            self.joined[device] += 1
        elif event == "up":
            self.uplinks += 1
            message = said.get("uplink_message", said)
            session = message.get("session_key_id", said.get("devAddr"))
            self.counters[device, session].append(message.get("f_cnt", message.get("fCnt", 0)))

    @property
    def missed(self) -> int:
        """Frames that nobody heard, between two of one session that somebody did."""
        gaps = 0
        for counters in self.counters.values():
            newest = counters[0]
            for counter in counters[1:]:
                gaps += max(0, counter - newest - 1)
                newest = counter if counter > newest or newest - counter > FRAMES_BACK_MAX else newest
        return gaps


@pytest.fixture
def city() -> str:
    return write_csv(TOWN.rows())


async def test_every_uplink_that_reached_a_network_server_is_accounted_for_once(
    town: Town, gateway: Gateway, own_broker: BrokerPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "BOOT_SPREAD_S", 0.0)  # power comes everywhere at the same moment
    start_us, began_ns = now() - 2 * HOUR_US, time.monotonic_ns()
    ear, stop = Ear(), asyncio.Event()

    def city_now() -> int:
        return start_us + int((time.monotonic_ns() - began_ns) * SPEED) // 1_000

    leaves = ("application/+/device/+/event/", "v3/+/devices/+/")
    filters = [leaf + event for leaf in leaves for event in ("up", "join")]
    async with Watcher(own_broker.url, "ear", filters, ear.hear) as watcher:
        await watcher.ready()
        asyncio.get_running_loop().call_later(LIVES_S, stop.set)
        await fleet.run(own_broker.url, TOWN, city_now, speed=SPEED, stop=stop, faults=BAD_AIR, speech=SPEECH)
        assert city_now() < now() - 5 * MINUTE_US, "it lives in the past, so that nothing lies ahead of the clock"

        def counted(fate: str) -> int:
            return sum(count for (_, name), count in gateway.figures.totals.items() if name == fate)

        async def all_told() -> None:
            before = ear.uplinks
            await asyncio.sleep(0.5)  # what is still on its way to the ear is on its way to the gateway too
            assert sum(map(counted, TOLD)) == ear.uplinks == before > 500

        await eventually(all_told, seconds=20)
    fates = {fate: counted(fate) for fate in TOLD}
    assert len(ear.joined) > 0.95 * TOWN.devices, "the others are behind a radio gateway or cabinet that is out"
    assert counted("joined") == ear.joined.total()
    assert fates["duplicate"] > 0.05 * ear.uplinks
    assert counted("missed") == ear.missed > 0.05 * ear.uplinks
    await town.ledger(received=fates["published"], stored=fates["published"], duplicate=0, quarantined=0)
