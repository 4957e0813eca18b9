"""What goes wrong with devices in the field, as named probabilities; the default is a town that is looked after.

`Faults` is the dial; `DeviceFaults` is what one device, cabinet or radio gateway draws from it, each answer a pure
function of the moment.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

from firmware_sim.chance import Chance
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities 0–1: `_per_day` of a device and day, `_per_report` of a report, `_share` of all devices.

    Those of LoRaWAN (the last seven) are `_per_frame` of a frame, or of a cabinet's or radio gateway's day.

    silent_per_day: the device is dead for 1 to 12 hours and measures nothing.
    radio_loss_per_day: the radio is away for 5 to 90 minutes; the device measures on and catches up afterwards.
    reboot_per_day: a restart: leases and the counter `seq` are lost, the status is said again.
    disconnect_per_day: the connection tears without farewell (own connections only: the Will speaks).
    duplicate_per_report: the same report is sent twice.
    loss_per_uplink: an uplink is lost before the broker; nobody acknowledges it, and the device sends it again.
    lost_ack_per_uplink: the broker has the uplink, the device does not hear so, and sends it again.
    stuck_share: the sensor repeats one reading for ever (drain: distance or level, bay: occupied).
    lamp_failure_per_day: the light source dies and is replaced after 1 to 4 days.
    not_dimming_share: the driver gives full light whatever it is told, unless told to be off.
    lost_echo_per_report: a drain's distance sensor misses the water and sees as far as it can.
    missed_edge_per_change: a bay's change is not noticed; the next heartbeat tells.
    out_of_range_per_report: a value outside its field's range, which the platform has to quarantine.
    weak_battery_share: the battery is nearly empty.
    clock_drift_ppm_max: how wrong a device's clock may run; it is set right once a day.
    loss_per_frame: no radio gateway hears an uplink, or the device does not hear a downlink.
    repeat_per_frame: the device sends the frame again, with the same frame counter.
    late_copy_per_frame: a radio gateway hands its copy in when the network server no longer waits for copies; the
        server takes it for a second uplink.
    again_per_frame: the network server publishes the uplink twice.
    counter_reset_per_day: a device's frame counter begins anew, without a join.
    gateway_outage_per_day: a radio gateway is away for 10 to 120 minutes; who is heard by no other is silent.
    power_cut_per_day: a cabinet is without power for 1 to 30 minutes; then all its lamps join at once.
    """

    silent_per_day: float = 0.002
    radio_loss_per_day: float = 0.02
    reboot_per_day: float = 0.01
    disconnect_per_day: float = 0.5
    duplicate_per_report: float = 0.002
    loss_per_uplink: float = 0.0
    lost_ack_per_uplink: float = 0.0
    stuck_share: float = 0.002
    lamp_failure_per_day: float = 0.0004
    not_dimming_share: float = 0.001
    lost_echo_per_report: float = 0.0005
    missed_edge_per_change: float = 0.005
    out_of_range_per_report: float = 0.0
    weak_battery_share: float = 0.004
    clock_drift_ppm_max: float = 20.0
    loss_per_frame: float = 0.01
    repeat_per_frame: float = 0.005
    late_copy_per_frame: float = 0.002
    again_per_frame: float = 0.001
    counter_reset_per_day: float = 0.0005
    gateway_outage_per_day: float = 0.01
    power_cut_per_day: float = 0.002

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "clock_drift_ppm_max" and not 0.0 <= value <= 1.0:
                raise ValueError(f"{each.name} is a probability between 0 and 1, not {value}")


NONE = Faults(**{each.name: 0.0 for each in fields(Faults)})
"""A town in which nothing ever goes wrong."""


class DeviceFaults:
    """The faults of one device.

    `stuck`: the sensor repeats one reading for ever. `not_dimming`: the lamp gives all or nothing. `weak_battery`: the
    battery is nearly empty.
    """

    def __init__(self, faults: Faults, chance: Chance) -> None:
        self.faults, self.chance = faults, chance
        self.stuck = chance.happens(faults.stuck_share, -1)
        self.not_dimming = chance.happens(faults.not_dimming_share, -2)
        self.weak_battery = chance.happens(faults.weak_battery_share, -3)
        self._drift_ppm = chance.between(-1.0, 1.0, -4) * faults.clock_drift_ppm_max
        self._spells: dict[str, tuple[int, list[tuple[int, int]]]] = {}
        """By name: a day, and the spells (begin, end) that may hold on it; they are asked for at every report."""

    def drift_us(self, moment_us: int) -> int:
        """How far the device's clock is ahead; it starts every UTC day right."""
        return int(self._drift_ppm * (moment_us % DAY_US) / 1_000_000)

    def silent_until_us(self, moment_us: int) -> int | None:
        """When the device comes back to life, `None` while it lives."""
        return self._within("silent", self.faults.silent_per_day, moment_us)

    def radio_back_us(self, moment_us: int) -> int | None:
        """When the radio is back, `None` while it is there."""
        return self._within("radio", self.faults.radio_loss_per_day, moment_us)

    def reboot_us(self, moment_us: int) -> int | None:
        """The reboot of this UTC day if it is still to come."""
        return self._once("reboot", self.faults.reboot_per_day, moment_us)

    def disconnect_us(self, moment_us: int) -> int | None:
        """The torn connection of this UTC day if it is still to come."""
        return self._once("disconnect", self.faults.disconnect_per_day, moment_us)

    def lamp_failed(self, moment_us: int) -> bool:
        """Whether the light source is dead."""
        return self._within("lamp", self.faults.lamp_failure_per_day, moment_us) is not None

    def duplicate(self, report: int) -> bool:
        """Whether the report with this number is sent twice."""
        return self._at("duplicate", self.faults.duplicate_per_report, report)

    def lost_uplink(self, attempt: int) -> bool:
        """Whether the attempt with this number to send does not get to the broker."""
        return self._at("uplink", self.faults.loss_per_uplink, attempt)

    def lost_ack(self, attempt: int) -> bool:
        """Whether the broker's word on the attempt with this number does not get to the device."""
        return self._at("ack", self.faults.lost_ack_per_uplink, attempt)

    def lost_echo(self, report: int) -> bool:
        """Whether the distance sensor misses the water."""
        return self._at("echo", self.faults.lost_echo_per_report, report)

    def missed_edge(self, change: int) -> bool:
        """Whether the bay's change with this number is not noticed."""
        return self._at("edge", self.faults.missed_edge_per_change, change)

    def out_of_range(self, report: int) -> bool:
        """Whether the report carries a value outside its range."""
        return self._at("range", self.faults.out_of_range_per_report, report)

    def lost(self, frame: int) -> bool:
        """Whether nobody hears the frame with this number."""
        return self._at("loss", self.faults.loss_per_frame, frame)

    def repeated(self, frame: int) -> bool:
        """Whether the frame is sent again."""
        return self._at("repeat", self.faults.repeat_per_frame, frame)

    def late_copy(self, frame: int) -> bool:
        """Whether a copy of the frame comes too late to be known as one."""
        return self._at("late copy", self.faults.late_copy_per_frame, frame)

    def said_again(self, frame: int) -> bool:
        """Whether the network server says the frame twice."""
        return self._at("again", self.faults.again_per_frame, frame)

    def counter_reset_us(self, moment_us: int) -> int | None:
        """The reset of the frame counter on this UTC day if it is still to come."""
        return self._once("counter", self.faults.counter_reset_per_day, moment_us)

    def gateway_back_us(self, moment_us: int) -> int | None:
        """When this radio gateway is back, `None` while it is there."""
        return self._within("gateway", self.faults.gateway_outage_per_day, moment_us)

    def power_cut(self, moment_us: int) -> tuple[int, int] | None:
        """This cabinet's power cut (begin, end) that holds, or is the next until the end of the next UTC day."""
        if self.faults.power_cut_per_day <= 0.0:
            return None
        spells = self._of_day("power", self.faults.power_cut_per_day, moment_us // DAY_US + 1)
        return min((spell for spell in spells if spell[1] > moment_us), default=None)

    def _at(self, name: str, probability: float, number: int) -> bool:
        return probability > 0.0 and _source(self.chance, name).happens(probability, number)

    def _once(self, name: str, probability: float, moment_us: int) -> int | None:
        """A moment of the day that is drawn once, if it is not past."""
        day = moment_us // DAY_US
        source = _source(self.chance, name)
        if not source.happens(probability, 2 * day):
            return None
        at_us = day * DAY_US + int(source.unit(2 * day + 1) * DAY_US)
        return at_us if at_us > moment_us else None

    def _within(self, name: str, probability: float, moment_us: int) -> int | None:
        """The end of a spell that began today or before and holds now."""
        if probability <= 0.0:
            return None
        spells = self._of_day(name, probability, moment_us // DAY_US)
        return next((end_us for begin_us, end_us in spells if begin_us <= moment_us < end_us), None)

    def _of_day(self, name: str, probability: float, today: int) -> list[tuple[int, int]]:
        day, spells = self._spells.get(name, (None, []))
        if day != today:
            spells = self._spells_of(name, probability, today)
            self._spells[name] = (today, spells)
        return spells

    def _spells_of(self, name: str, probability: float, today: int) -> list[tuple[int, int]]:
        source, (days_back, least_us, most_us) = _source(self.chance, name), _SPELLS[name]
        spells = []
        for day in range(today - days_back, today + 1):
            if source.happens(probability, 3 * day):
                begin_us = day * DAY_US + int(source.unit(3 * day + 1) * DAY_US)
                spells.append((begin_us, begin_us + int(source.between(least_us, most_us, 3 * day + 2))))
        return spells


_SPELLS = {
    "silent": (1, 1 * HOUR_US, 12 * HOUR_US),
    "radio": (1, 5 * MINUTE_US, 90 * MINUTE_US),
    "lamp": (4, 1 * DAY_US, 4 * DAY_US),
    "gateway": (1, 10 * MINUTE_US, 120 * MINUTE_US),
    "power": (2, 1 * MINUTE_US, 30 * MINUTE_US),
}
"""What lasts: begun at most so many days ago, for at least and at most so long."""


@lru_cache(maxsize=200_000)
def _source(chance: Chance, name: str) -> Chance:
    return chance.of(name)


DRIFT_S_MAX = 60.0
assert Faults().clock_drift_ppm_max * DAY_US / 1_000_000 < DRIFT_S_MAX * SECOND_US, "the contract allows 5 min"
