"""One LoRaWAN device: it joins, reports in its maker's bytes, obeys downlinks, and forgets its session with its power.

Nothing is kept for later: what nobody hears is lost, and shows as a gap of the frame counter.
"""

from firmware_sim.city import Member
from firmware_sim.faults import DeviceFaults
from firmware_sim.firmware import JITTER
from firmware_sim.lorawan.frames import Downlink, Frame
from firmware_sim.sensors import NEVER_US, sensor
from firmware_sim.surroundings import Surroundings
from firmware_sim.vendors.product import Circumstances, Payload, Product, Say, Wish
from telemetry.clock import DAY_US, SECOND_US

POWER_UP_S = 5.0
"""A device asks to join within this time of its power coming."""
JOIN_AGAIN_S, JOIN_AGAIN_S_MAX = 10.0, 3_600.0
"""Who is not answered asks again after this time, and then after twice the time before, up to an hour; ± `JITTER`."""


class EndDevice:
    """One device. Wake it at `next_us`; it is switched on at `boot_us`.

    Args:
        member: the device and what it serves.
        town: its surroundings.
        product: what its maker made of it.
        faults: what goes wrong with it.
        cabinet: what goes wrong with its power; `None`: it has a battery.
        boot_us: when it is switched on.
    """

    def __init__(
        self,
        member: Member,
        town: Surroundings,
        product: Product,
        faults: DeviceFaults,
        cabinet: DeviceFaults | None,
        boot_us: int,
    ) -> None:
        self.eui, self.product, self.faults = member.device.lower(), product, faults
        self.joined = self.asks = False
        """`asks`: it has asked to join, and waits for the answer."""
        self.next_us = boot_us
        self.battery_pct: float | None = None
        """Its charge when it last measured; `None` on the mains."""
        self._cabinet = cabinet
        self._chance = faults.chance.of("lorawan")
        self._sensor = sensor(town, member.traits, faults, boot_us)
        self._interval_s = member.report_every_s
        self._boot_us, self._join_us = boot_us, NEVER_US
        self._report_us = self._edge_us = self._lease_us = self._reset_us = NEVER_US
        self._frames = self._counter = self._requests = self._heard = self._day = 0
        self._owes_acknowledgement = self._commanded = False

    def wake(self, now_us: int) -> list[Frame]:
        """Do what is due; the frames that follow from it, in their order."""
        cut = self._power_cut(now_us)
        if cut is not None and cut[0] <= now_us:
            self.joined = self.asks = False
            self.next_us = self._boot_us = cut[1]
            return []
        if now_us >= self._boot_us:
            self._boot(now_us)
        frames = self._live(now_us) if self.joined else self._ask(now_us)
        self._plan(now_us)
        return frames

    def accept(self, now_us: int) -> list[Frame]:
        """The network server's answer to a join request."""
        self.joined, self.asks = True, False
        self._counter = self._requests = self._day = 0
        if now_us >= self._sensor.next_change_us:
            self._sensor.change(now_us)
        frames = self._say(self.product.hello, now_us) + self._report(now_us)
        self._plan(now_us)
        return frames

    def lost(self, frame: Frame, now_us: int) -> bool:
        """Whether nobody can hear this transmission."""
        return self.faults.lost(frame.draw) or self.faults.radio_back_us(now_us) is not None

    def hears(self, now_us: int) -> bool:
        """Whether a downlink of this moment reaches the device."""
        self._heard += 1
        deaf = self.faults.silent_until_us(now_us) is not None or self.faults.radio_back_us(now_us) is not None
        return self.joined and not deaf and not self.faults.lost(-self._heard)

    def take(self, downlink: Downlink, now_us: int) -> list[Frame]:
        """Obey a downlink; who always listens answers at once, others acknowledge with their next frame."""
        self._owes_acknowledgement |= downlink.confirmed
        wish = self.product.obey(downlink.payload.port, downlink.payload.octets) or Wish()
        if wish.report_every_s:
            self._interval_s = wish.report_every_s
            self._report_us = min(self._report_us, now_us + self._interval_us())
        if wish.setpoint_pct is not None or wish.resume:
            self._commanded = not wish.resume
            self._lease_us = NEVER_US if wish.for_s is None or wish.resume else now_us + wish.for_s * SECOND_US
            self._dim(wish.setpoint_pct, now_us)
        answers = [self._frame(wish.answer)] if wish.answer is not None else []
        if not answers and downlink.confirmed and self.product.listens:
            answers = [self._frame(None)]
        self._plan(now_us)
        return answers

    def _boot(self, now_us: int) -> None:
        """Power is there: session, lease and counter are gone."""
        self.joined = self.asks = self._owes_acknowledgement = self._commanded = False
        self._boot_us = self._lease_us = self._edge_us = NEVER_US
        self._requests = 0
        self._sensor.follow(None, now_us)
        self._join_us = now_us + int(self._chance.between(0.0, POWER_UP_S, self._frames) * SECOND_US)

    def _ask(self, now_us: int) -> list[Frame]:
        if now_us < self._join_us:
            return []
        self._requests += 1
        wait_s = min(JOIN_AGAIN_S * 2.0 ** (self._requests - 1), JOIN_AGAIN_S_MAX)
        wait_s *= self._chance.between(1 - JITTER, 1 + JITTER, self._frames)
        self._join_us = now_us + int(wait_s * SECOND_US)
        self._frames += 1
        self.asks = True
        return [Frame(self._frames, joins=True)]

    def _live(self, now_us: int) -> list[Frame]:
        frames: list[Frame] = []
        if now_us >= self._reset_us:
            self._reset_us, self._counter = NEVER_US, 0
        if now_us >= self._lease_us:
            self._lease_us, self._commanded = NEVER_US, False
            self._dim(None, now_us)
        if now_us >= self._sensor.next_change_us and self._sensor.change(now_us):
            self._edge_us = self._soon_us(now_us) if self._sensor.dimmable else now_us
        if now_us >= self._report_us:
            frames += self._report(now_us)
        elif now_us >= self._edge_us:
            frames += self._say(self.product.edge, now_us)
        return frames

    def _report(self, now_us: int) -> list[Frame]:
        silent_until_us = self.faults.silent_until_us(now_us)
        self._report_us = silent_until_us or now_us + self._interval_us()
        self._boot_us = self.faults.reboot_us(now_us) or NEVER_US
        self._reset_us = self.faults.counter_reset_us(now_us) or NEVER_US
        return self._say(self.product.report, now_us)

    def _say(self, say: Say, now_us: int) -> list[Frame]:
        """What the device measures now, in its maker's words."""
        self._edge_us = NEVER_US
        if self.faults.silent_until_us(now_us) is not None:
            return []
        daily = say is self.product.report and self._day != now_us // DAY_US
        self._day = now_us // DAY_US if daily else self._day
        fields = self._sensor.read(now_us, self._frames)
        self.battery_pct = fields.get("battery_pct")
        clock_us = now_us + self.faults.drift_us(now_us)
        payloads = say(fields, Circumstances(clock_us, self.eui, self._commanded, daily))
        return [self._frame(payload) for payload in payloads]

    def _frame(self, payload: Payload | None) -> Frame:
        self._frames += 1
        frame = Frame(self._frames, self._counter, payload, self._owes_acknowledgement)
        self._counter += 1
        self._owes_acknowledgement = False
        return frame

    def _dim(self, setpoint_pct: float | None, now_us: int) -> None:
        if self._sensor.follow(setpoint_pct, now_us):
            self._edge_us = self._soon_us(now_us)

    def _soon_us(self, now_us: int) -> int:
        """A change of light is told within a quarter of a minute, not by all lamps at once."""
        return now_us + int(self._chance.between(2.0, 15.0, self._frames) * SECOND_US)

    def _interval_us(self) -> int:
        return int(self._interval_s * self._chance.between(1 - JITTER, 1 + JITTER, self._frames) * SECOND_US)

    def _power_cut(self, now_us: int) -> tuple[int, int] | None:
        return None if self._cabinet is None else self._cabinet.power_cut(now_us)

    def _plan(self, now_us: int) -> None:
        work = (self._report_us, self._edge_us, self._lease_us, self._reset_us, self._sensor.next_change_us)
        self.next_us = min(self._boot_us, *work) if self.joined else min(self._boot_us, self._join_us)
        cut = self._power_cut(now_us)
        if cut is not None:
            self.next_us = min(self.next_us, cut[0])
