"""The firmware of one simulated device: it reports, keeps what may be lost, obeys commands as leases, and restarts.

Pure: it is told the moment and answers with uplinks; `fleet` carries them to a broker. Everything stands in city time.
"""

from dataclasses import dataclass

import msgspec

from firmware_sim.city import Member
from firmware_sim.faults import DeviceFaults
from firmware_sim.leases import Leases
from firmware_sim.sensors import NEVER_US, sensor
from firmware_sim.store import Kept, Store, uplink_text
from firmware_sim.surroundings import Surroundings
from telemetry import commands, topics
from telemetry.clock import SECOND_US

KEEP_S = 60
"""A device sends this much again after an unclean reconnect (contract §1), in real seconds."""
RESEND_US = 30 * SECOND_US
RESEND_SHARE = 120
"""What nobody has acknowledged is sent again after this city time, but not before this part of `KEEP_S` is over."""
JITTER = 0.2
"""Report intervals vary by this share, so that a town does not speak in chorus."""
VERSIONS = ("1.4.2", "1.4.2", "1.4.2", "1.3.9")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Uplink:
    """A message to publish; `kept` are the observations in it, to be settled by its acknowledgement.

    `readings` counts those that nobody keeps: a network server's. With a `qos` of 0 it is not acknowledged either.
    `ack_lost`: the device will not hear that the broker has it.
    """

    topic: str
    payload: bytes
    retain: bool = False
    kept: tuple[Kept, ...] = ()
    readings: int = 0
    qos: int = 1
    ack_lost: bool = False


class Firmware:
    """One device. Wake it at `next_us`; it begins to live at `boot_us`.

    Args:
        member: the device and what it serves.
        town: its surroundings.
        faults: what goes wrong with it.
        boot_us: when it is switched on.
        keep_us: `KEEP_S` in city time: at clock speed X it is X times as long.
    """

    def __init__(self, member: Member, town: Surroundings, faults: DeviceFaults, boot_us: int, keep_us: int) -> None:
        self.device = member.device
        self.kind = member.kind
        self.next_us = boot_us
        self.boots = 0
        """How often it has started; the connection tears with every restart."""
        self.reports = 0
        self._faults = faults
        self._chance = faults.chance.of("reports")
        self._sensor = sensor(town, member.traits, faults, boot_us)
        self._own_interval_s = member.report_every_s
        self._leases = Leases(self._sensor.dimmable)
        self.store = Store(keep_us)
        self._patience_us = max(RESEND_US, keep_us // RESEND_SHARE)
        self._attempts = 0
        self._resend_us = NEVER_US
        self._online = False
        self._seq = 0
        self._stamp_ms = 0
        self._report_us = boot_us
        self._reboot_us = NEVER_US
        self._radio_back_us = NEVER_US
        self._version = VERSIONS[self._chance.whole(len(VERSIONS), -1)]
        self._telemetry = topics.telemetry(self.kind, self.device)
        self._status = topics.status(self.kind, self.device)
        self._ack = topics.ack(self.kind, self.device)

    @property
    def lost(self) -> int:
        """Observations that fell out of its full store."""
        return self.store.lost

    @property
    def will(self) -> Uplink:
        """What the broker shall say when the connection tears."""
        return Uplink(self._status, _encode(commands.Status(False, self._version)), retain=True)

    @property
    def _is_connected(self) -> bool:
        """Whether there is a way to the broker."""
        return self._online and self._radio_back_us == NEVER_US

    def wake(self, now_us: int) -> list[Uplink]:
        """Do what is due; the uplinks that follow from it."""
        uplinks: list[Uplink] = []
        if self.boots == 0 or now_us >= self._reboot_us:
            uplinks += self._boot(now_us)
        if now_us >= self._radio_back_us:
            self._radio_back_us = NEVER_US
            uplinks += self._catch_up(now_us, torn=True)
        if now_us >= self._resend_us:
            uplinks += self._send_again(now_us)
        if self._leases.end(now_us) and self._sensor.follow(self._leases.setpoint_pct, now_us):
            self._report_soon(now_us)
        if now_us >= self._sensor.next_change_us and self._sensor.change(now_us):
            if self._sensor.dimmable:
                self._report_soon(now_us)
            else:
                uplinks += self._measure(now_us)
        if now_us >= self._report_us:
            uplinks += self._report(now_us)
        self._plan()
        return uplinks

    def receive(self, payload: bytes, now_us: int) -> list[Uplink]:
        """Take a command; a device that is dead or without radio does not hear it."""
        if self.boots == 0 or self._radio_back_us != NEVER_US or self._faults.silent_until_us(now_us) is not None:
            return []
        answer = self._leases.receive(payload, now_us + self._faults.drift_us(now_us))
        if answer is None:
            return []
        if self._sensor.follow(self._leases.setpoint_pct, now_us):
            self._report_soon(now_us)
        if self._leases.report_every_s is not None:
            self._report_us = min(self._report_us, now_us + self._interval_us())
        self._plan()
        return [Uplink(self._ack, _encode(answer))] if self._online else []

    def connected(self, now_us: int, torn: bool) -> list[Uplink]:
        """The way to the broker is open, `torn` if it broke before: the status, then what may have been lost."""
        self._online = True
        return [self._hello(), *self._catch_up(now_us, torn)] if self.boots else []

    def disconnected(self) -> None:
        """The way to the broker is gone."""
        self._online = False

    def _boot(self, now_us: int) -> list[Uplink]:
        """Start: leases and counter are gone, what was measured is kept in flash."""
        self.boots += 1
        self._seq = 0
        self._leases = Leases(self._sensor.dimmable)
        self._sensor.follow(None, now_us)
        self._report_us = now_us
        self._reboot_us = NEVER_US
        return [self._hello()] if self._online else []

    def _hello(self) -> Uplink:
        return Uplink(self._status, _encode(commands.Status(True, self._version)), retain=True)

    def _report(self, now_us: int) -> list[Uplink]:
        """A regular report, and the time of the next."""
        first = self.boots == 1 and self.reports == 0
        silent_until_us = self._faults.silent_until_us(now_us)
        if silent_until_us is not None:
            self._report_us = silent_until_us
            return []
        self._reboot_us = self._faults.reboot_us(now_us) or NEVER_US
        if self._radio_back_us == NEVER_US:
            self._radio_back_us = self._faults.radio_back_us(now_us) or NEVER_US
        uplinks = self._measure(now_us)
        interval_us = self._interval_us()
        self._report_us = now_us + (int(interval_us * self._chance.between(0.1, 1.0, -2)) if first else interval_us)
        return uplinks

    def _measure(self, now_us: int) -> list[Uplink]:
        """One observation, kept and, if there is a way, sent."""
        if self._faults.silent_until_us(now_us) is not None:
            return []
        self.reports += 1
        self._seq += 1
        self._stamp_ms = max(self._stamp_ms + 1, (now_us + self._faults.drift_us(now_us)) // 1000)
        fields = self._sensor.read(now_us, self.reports)
        kept = self.store.add(_encode({"ts": self._stamp_ms, "seq": self._seq, **fields}), now_us)
        if not self._is_connected:
            return []
        kept.sent_us = now_us
        uplinks = self._send((kept,), now_us)
        return [*uplinks, *uplinks] if self._faults.duplicate(self.reports) else uplinks

    def _catch_up(self, now_us: int, torn: bool) -> list[Uplink]:
        if not self._is_connected:
            return []
        return [uplink for portion in self.store.unsettled(now_us, torn) for uplink in self._send(portion, now_us)]

    def _send_again(self, now_us: int) -> list[Uplink]:
        """What the broker should have acknowledged by now."""
        self._resend_us = NEVER_US
        if not self._is_connected:
            return []  # all of it is sent when the way is open again
        portions = self.store.overdue(now_us, self._patience_us)
        return [uplink for portion in portions for uplink in self._send(portion, now_us)]

    def _send(self, portion: tuple[Kept, ...], now_us: int) -> list[Uplink]:
        """One uplink, or none where it gets lost; where the device will hear nothing of it, it will send it again."""
        self._attempts += 1
        lost, ack_lost = self._faults.lost_uplink(self._attempts), self._faults.lost_ack(self._attempts)
        if lost or ack_lost:
            self._resend_us = min(self._resend_us, now_us + self._patience_us)
            self.next_us = min(self.next_us, self._resend_us)
        if lost:
            return []
        return [Uplink(self._telemetry, uplink_text(portion), kept=portion, ack_lost=ack_lost)]

    def _report_soon(self, now_us: int) -> None:
        """A change of light is told within a quarter of a minute, not by all lamps at once."""
        soon_us = int(self._chance.between(2.0, 15.0, self.reports) * SECOND_US)
        self._report_us = min(self._report_us, now_us + soon_us)

    def _interval_us(self) -> int:
        interval_s = self._leases.report_every_s or self._own_interval_s
        return int(interval_s * self._chance.between(1 - JITTER, 1 + JITTER, self.reports) * SECOND_US)

    def _plan(self) -> None:
        self.next_us = min(
            self._report_us,
            self._sensor.next_change_us,
            self._reboot_us,
            self._radio_back_us,
            self._resend_us,
            self._leases.next_end_us or NEVER_US,
        )


def acknowledged(uplink: Uplink) -> None:
    """The broker has the uplink: if the device hears so, what it carried is settled, though kept for `KEEP_S`."""
    for kept in () if uplink.ack_lost else uplink.kept:
        kept.acknowledged = True
