"""What a device's firmware watches: one lamp, one manhole or one bay with its state of the moment and its faults.

Each knows when it changes by itself (`next_change_us`), changes (`change`), is read (`read`) and may obey (`follow`).
"""

from typing import Protocol

from firmware_sim import behaviours
from firmware_sim.behaviours import BayTraits, DrainTraits, Fields, LampTraits
from firmware_sim.city import Traits
from firmware_sim.faults import DeviceFaults
from firmware_sim.surroundings import Surroundings

NEVER_US = 2**62
"""A moment that does not come."""


class Sensor(Protocol):
    """What firmware needs of the thing it watches."""

    next_change_us: int
    """When it next changes by itself."""
    dimmable: bool
    """Whether `setpoint_pct` means anything to it."""

    def change(self, now_us: int) -> bool:
        """Live on to a moment at or after `next_change_us`; whether that is to be reported at once."""

    def read(self, now_us: int, report: int) -> Fields:
        """The fields of the report with this number."""

    def follow(self, setpoint_pct: float | None, now_us: int) -> bool:
        """Obey a setpoint, or return to the own default with `None`; whether the output changed."""


class Lamp:
    """A luminaire with its controller."""

    dimmable = True

    def __init__(self, town: Surroundings, traits: LampTraits, faults: DeviceFaults, now_us: int) -> None:
        self._town, self._traits, self._faults = town, traits, faults
        self._asked: float | None = None
        self._setpoint_pct = 0.0
        self._read_us = now_us
        start_wh = traits.rated_w * traits.chance.between(2_000.0, 16_000.0, -5)
        self._state = behaviours.LampState(0.0, start_wh, now_us)
        self.next_change_us = now_us
        self.change(now_us)

    def change(self, now_us: int) -> bool:
        """Switch by the own clock, unless a setpoint holds."""
        self.next_change_us = behaviours.lamp_next_default_us(self._town, self._traits, now_us)
        return self._output(now_us)

    def follow(self, setpoint_pct: float | None, now_us: int) -> bool:
        """Obey, or return to dusk-to-dawn."""
        self._asked = setpoint_pct
        return self._output(now_us)

    def read(self, now_us: int, report: int) -> Fields:
        """The controller's reading; motion counts since the last one."""
        self._set(self._state.level_pct, now_us)
        fields = behaviours.lamp_fields(self._town, self._traits, self._state, self._read_us, now_us)
        self._read_us = now_us
        fields["setpoint_pct"] = self._setpoint_pct
        if self._faults.out_of_range(report):
            fields["level_pct"] = 255.0
        return fields

    def _output(self, now_us: int) -> bool:
        default = behaviours.lamp_default_pct(self._town, self._traits, now_us)
        self._setpoint_pct = default if self._asked is None else self._asked
        level = self._setpoint_pct
        if self._faults.not_dimming and level > 0:
            level = 100.0
        changed = level != self._state.level_pct
        self._set(level, now_us)
        return changed

    def _set(self, level_pct: float, now_us: int) -> None:
        failed = self._faults.lamp_failed(now_us)
        self._state = behaviours.lamp_set(self._traits, self._state, level_pct, now_us, failed)


class Drain:
    """A manhole with its level sensor."""

    dimmable = False

    def __init__(self, town: Surroundings, traits: DrainTraits, faults: DeviceFaults) -> None:
        self._town, self._traits, self._faults = town, traits, faults
        self._frozen: Fields | None = None
        self.next_change_us = NEVER_US

    def change(self, now_us: int) -> bool:
        """Water only speaks when it is measured."""
        return False

    def follow(self, setpoint_pct: float | None, now_us: int) -> bool:
        """There is nothing to set."""
        return False

    def read(self, now_us: int, report: int) -> Fields:
        """The sensor's reading."""
        traits = self._traits
        fields = behaviours.drain_fields(self._town, traits, now_us)
        if self._faults.stuck:
            self._frozen = self._frozen or {name: fields[name] for name in fields if name in ("level_m", "distance_m")}
            fields |= self._frozen
        if "distance_m" in fields and self._faults.lost_echo(report):
            fields["distance_m"] = round(traits.sensor_height_m + 0.8, 3)
        if self._faults.weak_battery:
            fields["battery_pct"] = _weak(traits.chance.unit(-7))
        if self._faults.out_of_range(report):
            fields["temp_c"] = 327.67
        return fields


class Bay:
    """A parking bay with its ground sensor."""

    dimmable = False

    def __init__(self, town: Surroundings, traits: BayTraits, faults: DeviceFaults, now_us: int) -> None:
        self._town, self._traits, self._faults = town, traits, faults
        self._state = behaviours.bay_begins(town, traits, now_us)
        self.next_change_us = self._state.until_us

    def change(self, now_us: int) -> bool:
        """A car comes or goes; a stuck sensor does not notice, another misses it now and then."""
        while self._state.until_us <= now_us:
            self._state = behaviours.bay_next(self._town, self._traits, self._state)
        self.next_change_us = self._state.until_us
        return not (self._faults.stuck or self._faults.missed_edge(self._state.visit))

    def follow(self, setpoint_pct: float | None, now_us: int) -> bool:
        """There is nothing to set."""
        return False

    def read(self, now_us: int, report: int) -> Fields:
        """The sensor's word on the bay."""
        occupied = self._faults.stuck or self._state.occupied
        fields = behaviours.bay_fields(self._town, self._traits, occupied, now_us)
        if self._faults.weak_battery:
            fields["battery_pct"] = _weak(self._traits.chance.unit(-7))
        if self._faults.out_of_range(report):
            fields["confidence_pct"] = 255.0
        return fields


def sensor(town: Surroundings, traits: Traits, faults: DeviceFaults, now_us: int) -> Sensor:
    """The sensor that these traits describe, as it stands at a moment."""
    if isinstance(traits, LampTraits):
        return Lamp(town, traits, faults, now_us)
    if isinstance(traits, DrainTraits):
        return Drain(town, traits, faults)
    return Bay(town, traits, faults, now_us)


def _weak(share: float) -> float:
    """A charge between 2 and 9 %."""
    return round(2.0 + 7.0 * share, 1)
