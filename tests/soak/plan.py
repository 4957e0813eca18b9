"""What a soak does, all of it drawn from the seed: the town, its troubles, and which strike comes when."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from firmware_sim.city import City
from firmware_sim.faults import Faults
from telemetry.clock import DAY_US, SECOND_US, to_us

START_US = to_us(datetime(2026, 9, 16, 13, tzinfo=UTC))
"""A Wednesday in September, three o'clock in the afternoon on the town's clocks: five hours before it gets dark."""
FAULTS = Faults(
    silent_per_day=0.02,
    radio_loss_per_day=0.2,
    reboot_per_day=0.05,
    disconnect_per_day=4.0 / 5.0,
    duplicate_per_report=0.02,
    loss_per_uplink=0.1,
    lost_ack_per_uplink=0.02,
    stuck_share=0.004,
    lamp_failure_per_day=0.005,
    not_dimming_share=0.002,
    lost_echo_per_report=0.0,
    clock_drift_ppm_max=2_000.0,
)
"""Far more than a town that is looked after has; a tenth of all uplinks is lost on the way and sent again."""
LONG = {
    "first": ("ingest_killed",) * 3 + ("rules_killed",) * 3 + ("api_killed",) * 2 + ("upkeep_killed",),
    "then": ("broker_killed",) * 2
    + ("broker_restarted",) * 2
    + ("database_killed",) * 2
    + ("database_restarted", "disk_full", "ingest_frozen", "ingest_frozen", "rules_frozen"),
}
SHORT = {
    "first": ("ingest_killed", "rules_killed", "api_killed"),
    "then": ("broker_killed", "database_killed", "disk_full", "ingest_frozen"),
}
FIRST, THEN = (0.06, 0.35), (0.38, 0.74)
"""Shares of the soak: services are killed first, so that those that live at the end have lived through the rest, which
hits the servers; the last quarter is calm."""
BURSTS = (0.22, 0.52)
"""When cloudbursts begin: the floods of both rise while things are struck."""


@dataclass(frozen=True)
class Strike:
    """At `at_s` real seconds after the devices have begun."""

    at_s: float
    what: str


@dataclass(frozen=True)
class Plan:
    """A soak of `minutes` real time; the city's time runs `speed` times as fast."""

    minutes: float
    devices: int
    speed: float
    seed: int
    full: bool = True

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.minutes * 60

    @property
    def connections(self) -> int:
        """Devices with a line of their own, which all join at once."""
        return min(300, self.devices // 4)

    @property
    def end_us(self) -> int:
        """The city's time at the end."""
        return START_US + int(self.seconds * self.speed * SECOND_US)

    @property
    def asset_days(self) -> float:
        """Of the city's time."""
        return self.devices * (self.end_us - START_US) / DAY_US

    @cached_property
    def city(self) -> City:
        """The town, with a flood in each of the bursts."""
        at = (START_US + int(share * self.seconds * self.speed * SECOND_US) for share in BURSTS)
        return City(self.devices, self.seed, cloudbursts_us=tuple(at))

    @cached_property
    def strikes(self) -> tuple[Strike, ...]:
        """In their order, about evenly through their share of the time, each a little earlier or later."""
        chance = random.Random(f"soak {self.seed}")
        found = []
        for part, (begin, end) in (("first", FIRST), ("then", THEN)):
            names = list((LONG if self.full else SHORT)[part])
            chance.shuffle(names)
            each_s = (end - begin) * self.seconds / len(names)
            for number, name in enumerate(names):
                at_s = begin * self.seconds + (number + chance.uniform(0, 0.5)) * each_s
                found.append(Strike(round(at_s, 1), name))
        return tuple(found)

    @property
    def calm_s(self) -> float:
        """From then on nothing is struck any more."""
        return THEN[1] * self.seconds
