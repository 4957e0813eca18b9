"""What was really the case in the simulated town: which drains were flooded when, and which alarms are true.

Asked of the simulator's own pure functions, not of anything that it has sent.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from firmware_sim.behaviours import DrainTraits, LampTraits, battery_pct, drain_level_m
from firmware_sim.chance import Chance
from firmware_sim.city import Member
from firmware_sim.faults import DeviceFaults
from telemetry.alarms import AlarmType
from telemetry.clock import MINUTE_US, SECOND_US
from tests.soak.plan import FAULTS, START_US, Plan

NOISE_M = 0.02
"""A few times the noise of a level sensor."""
HIGH_S, OVERFLOW_S = 30 * 60, 15 * 60
"""A flood that lasts so long above the crown, or the ground, has to be alarmed while it lasts: two report intervals,
the delay of the stage, and what the loss of a tenth of all uplinks costs."""
MARGIN_US = 20 * MINUTE_US
"""An alarm may speak of so much earlier a time: three report intervals, a wrong clock."""
SLOW_CLOCK_US = 3 * MINUTE_US
"""And be raised so much too early by a device's clock that goes slow."""
RISING_US, RISING_WINDOWS_US = 30 * MINUTE_US, (5 * MINUTE_US, 10 * MINUTE_US)
BATTERY_LOW_PCT = 20.0


@dataclass(frozen=True)
class Flood:
    """A drain's water at or above the crown (`drain_high`) or the ground (`drain_overflow`) for a time."""

    asset: str
    type: AlarmType
    begin_us: int
    end_us: int


@dataclass(frozen=True)
class Alarm:
    """An alarm as the platform has recorded it.

    `asset` is `None` for the platform's own, `cleared_us` while it stands.
    """

    asset: str | None
    type: AlarmType
    observed_us: int
    raised_us: int
    cleared_us: int | None = None


class Truth:
    """Of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.members = {member.asset: member for member in plan.city.members()}
        self._judges: dict[AlarmType, Callable[[Member, DeviceFaults, Alarm], bool]] = {
            AlarmType.DRAIN_HIGH: lambda member, _, alarm: self._reaches(member, alarm, _drain(member).crown_m),
            AlarmType.DRAIN_OVERFLOW: lambda member, _, alarm: self._reaches(member, alarm, _drain(member).ground_m),
            AlarmType.DRAIN_RISING_FAST: lambda member, _, alarm: self._rises_fast(member, alarm),
            AlarmType.SENSOR_FAULT: lambda _, faults, __: faults.stuck,
            AlarmType.PARKING_BAY_STUCK: lambda _, faults, __: faults.stuck,
            AlarmType.BATTERY_LOW: lambda member, faults, alarm: faults.weak_battery or _battery_is_low(member, alarm),
            AlarmType.LAMP_FAULT: lambda _, faults, alarm: any(map(faults.lamp_failed, _minutes(alarm))),
            AlarmType.LAMP_NOT_FOLLOWING: lambda _, faults, __: faults.not_dimming,
            AlarmType.DEVICE_SILENT: lambda _, faults, alarm: any(_unheard(faults, at) for at in _minutes(alarm)),
            AlarmType.COMMAND_FAILED: lambda _, faults, alarm: any(_unheard(faults, at) for at in _minutes(alarm)),
        }

    def is_true(self, alarm: Alarm) -> bool:
        """Whether it speaks of something that was the case; of what the simulator has none, never."""
        member = self.members.get(alarm.asset or "")
        judge = self._judges.get(alarm.type)
        return member is not None and judge is not None and judge(member, self._faults(member), alarm)

    @cached_property
    def floods(self) -> list[Flood]:
        """Those that the platform must have alarmed: long enough, and the device could see and say it.

        A sensor that looks down from the lid is blind before the water reaches the ground, so it sees no overflow.
        """
        found = []
        for member in self.members.values():
            faults = self._faults(member)
            if not isinstance(member.traits, DrainTraits) or faults.stuck:
                continue
            stages = [(AlarmType.DRAIN_HIGH, member.traits.crown_m, HIGH_S)]
            if member.traits.reports == "level_m":
                stages.append((AlarmType.DRAIN_OVERFLOW, member.traits.ground_m, OVERFLOW_S))
            for stage, height_m, least_s in stages:
                for begin_us, end_us in self._spells(member, height_m + NOISE_M):
                    known = range(begin_us - MARGIN_US, end_us, MINUTE_US)
                    if end_us - begin_us >= least_s * SECOND_US and not any(_unheard(faults, at) for at in known):
                        found.append(Flood(member.asset, stage, begin_us, end_us))
        return found

    def stuck_sensors(self) -> int:
        """How many bays' and drains' sensors repeat one word."""
        return sum(self._faults(each).stuck for each in self.members.values() if each.kind != "streetlight")

    def _faults(self, member: Member) -> DeviceFaults:
        return DeviceFaults(FAULTS, Chance.seeded("faults", self._plan.seed, member.device))

    def _level_m(self, member: Member, at_us: int) -> float:
        return drain_level_m(self._plan.city.town, _drain(member), at_us)

    def _reaches(self, member: Member, alarm: Alarm, height_m: float) -> bool:
        return any(self._level_m(member, at) >= height_m - NOISE_M for at in _minutes(alarm))

    def _rises_fast(self, member: Member, alarm: Alarm) -> bool:
        """At the rate of the last minutes the ground is reached within half an hour, give or take a quarter."""
        for at, window_us in itertools.product(_minutes(alarm), RISING_WINDOWS_US):
            level_m = self._level_m(member, at)
            risen_m = level_m - self._level_m(member, at - window_us)
            if level_m + 1.25 * risen_m * RISING_US / window_us >= _drain(member).ground_m - NOISE_M:
                return True
        return False

    def _spells(self, member: Member, height_m: float) -> Iterator[tuple[int, int]]:
        """When the water stands so high, by the minute; a spell is over a while before the end."""
        at_us = np.arange(START_US, self._plan.end_us - MARGIN_US, MINUTE_US)
        above = np.array([self._level_m(member, int(at)) >= height_m for at in at_us], np.int8)
        edges = np.diff(above, prepend=0, append=0)
        for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            yield int(at_us[begin]), int(at_us[end - 1])


def _drain(member: Member) -> DrainTraits:
    assert isinstance(member.traits, DrainTraits)
    return member.traits


def _minutes(alarm: Alarm) -> range:
    """From a little before what it speaks of until it was raised, by whatever clock."""
    begin_us = min(alarm.observed_us, alarm.raised_us) - MARGIN_US
    return range(begin_us, alarm.raised_us + SLOW_CLOCK_US + 1, MINUTE_US)


def _battery_is_low(member: Member, alarm: Alarm) -> bool:
    return not isinstance(member.traits, LampTraits) and any(
        battery_pct(member.traits.chance, at) <= BATTERY_LOW_PCT for at in _minutes(alarm)
    )


def _unheard(faults: DeviceFaults, at_us: int) -> bool:
    return faults.silent_until_us(at_us) is not None or faults.radio_back_us(at_us) is not None
