"""A network server with its devices: frames in, events out; downlinks in, frames to devices; in city time.

It joins devices, knows copies of a frame that several radio gateways heard as one, sends downlinks (to who always
listens at once, to others after their next uplink), and tells what became of them. How all that is said is the `Face`.
A frame counter that begins anew is let through, as where its check is switched off for a device.
"""

import heapq
import itertools
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from firmware_sim.chance import Chance
from firmware_sim.firmware import Uplink
from firmware_sim.lorawan.air import Air, RadioGateway
from firmware_sim.lorawan.end_device import EndDevice
from firmware_sim.lorawan.frames import Downlink, Frame, Order, Reception
from firmware_sim.sensors import NEVER_US
from telemetry.clock import DAY_US, SECOND_US

JOIN_ACCEPT_US = 5 * SECOND_US
DOWNLINK_US = 1 * SECOND_US
"""A device that hears a downlink answers after this time."""
FRAME_GAP_US = 2 * SECOND_US
"""A device that has several frames to send sends one in this time."""
CLASS_C_TIMEOUT_US = 10 * SECOND_US
"""A device that always listens has this time to acknowledge."""
AGAIN_S = (3.0, 12.0)
"""A repeated frame, or a copy that is late, comes after so many seconds."""
STATS_US = 30 * SECOND_US
QUEUE_MAX = 32
"""Downlinks that wait for one device; at the bound the oldest is dropped."""


@dataclass(slots=True, eq=False)
class Session:
    """A device as its network server knows it; `address` and `key` (16 hexadecimal digits) change with each join.

    `introduced`: the application has been told of the join. `waits`: the confirmed downlink that is on its way.
    """

    device: EndDevice
    name: str
    address: str = ""
    key: str = ""
    introduced: bool = False
    number: int = -1
    status_day: int = -1
    down_counter: int = 0
    queue: deque[Downlink] = field(default_factory=lambda: deque(maxlen=QUEUE_MAX))
    waits: Downlink | None = None
    planned_us: int = NEVER_US
    free_us: int = 0
    """When the device may send its next frame."""


class Face(Protocol):
    """How a network server speaks; each answers with messages to publish, none where it is silent on a thing."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics of commands."""

    @property
    def tries(self) -> int:
        """How often it sends a confirmed downlink by itself."""

    def name(self, eui: str) -> str:
        """What a device is called in topics."""

    def order(self, topic: str, payload: bytes) -> Order | None:
        """A command; `None` if it is none."""

    def up(self, session: Session, frame: Frame, heard: list[Reception], copy: str, now_us: int) -> list[Uplink]:
        """An uplink; `copy` is a UUID of these receptions."""

    def joined(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """A device has joined."""

    def condition(self, session: Session, copy: str, now_us: int) -> list[Uplink]:
        """What a device says of its battery, once a day."""

    def repeated(self, session: Session, now_us: int) -> list[Uplink]:
        """A frame came again, and was dropped."""

    def queued(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """A downlink waits."""

    def sent(self, session: Session, downlink: Downlink, gateway: str, now_us: int) -> list[Uplink]:
        """A radio gateway has taken a downlink."""

    def answered(self, session: Session, downlink: Downlink, heard: bool, now_us: int) -> list[Uplink]:
        """The device has acknowledged a downlink, or has not; after the last of `tries` it is given up."""

    def expired(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        """A downlink's time ran out before it could be sent."""

    def alive(self, gateway: str, now_us: int) -> list[Uplink]:
        """A radio gateway's word of twice a minute."""

    def connected(self, gateway: str, online: bool) -> list[Uplink]:
        """Whether a radio gateway is there."""


class NetworkServer:
    """One network server. Wake it at `next_us`; `add` its devices first."""

    will: Uplink | None = None
    boots = 1
    lost = 0
    """A network server keeps nothing that it could lose."""

    def __init__(self, face: Face, air: Air, chance: Chance, now_us: int) -> None:
        self.face = face
        self._air, self._chance = air, chance
        self._sessions: dict[str, Session] = {}
        self._due: list[tuple[int, int, Callable[[int], list[Uplink]]]] = []
        self._tick = itertools.count()
        self._there = {gateway.eui: not gateway.away(now_us) for gateway in air.gateways}
        for gateway in air.gateways:
            self._later(now_us + STATS_US, partial(self._stats, gateway))

    @property
    def next_us(self) -> int:
        """When something is due."""
        return self._due[0][0]

    def add(self, device: EndDevice) -> None:
        """Register a device."""
        session = Session(device, self.face.name(device.eui))
        self._sessions[session.name] = session
        self._plan(session)

    def wake(self, now_us: int) -> list[Uplink]:
        """Do what is due until now; the messages that follow from it."""
        said: list[Uplink] = []
        while self._due[0][0] <= now_us:
            due_us, _, work = heapq.heappop(self._due)
            said += work(due_us)
        return said

    def receive(self, topic: str, payload: bytes, now_us: int) -> list[Uplink]:
        """Take a command."""
        order = self.face.order(topic, payload)
        session = self._sessions.get(order.name) if order is not None else None
        if order is None or session is None:
            return []
        if order.replaces:
            session.queue.clear()
        said: list[Uplink] = []
        for downlink in order.downlinks:
            session.queue.append(downlink)
            said += self.face.queued(session, downlink, now_us)
        if session.device.product.listens:
            said += self._send(session, now_us)
        return said

    def connected(self, now_us: int, torn: bool) -> list[Uplink]:
        """The way to the broker is open: which radio gateways are there is retained, and said anew."""
        return [said for eui, there in self._there.items() for said in self.face.connected(eui, there)]

    def disconnected(self) -> None:
        """The way to the broker is gone: what happens meanwhile is lost."""

    def _later(self, due_us: int, work: Callable[[int], list[Uplink]]) -> None:
        heapq.heappush(self._due, (due_us, next(self._tick), work))

    def _plan(self, session: Session) -> None:
        if session.device.next_us != session.planned_us:
            session.planned_us = session.device.next_us
            self._later(session.planned_us, partial(self._wake, session))

    def _wake(self, session: Session, now_us: int) -> list[Uplink]:
        if now_us != session.planned_us:
            return []  # it has been planned anew since
        session.planned_us = NEVER_US
        self._transmit(session, session.device.wake(now_us), now_us)
        self._plan(session)
        return []

    def _transmit(self, session: Session, frames: list[Frame], now_us: int) -> None:
        """One frame after the other, the first when those before it are out."""
        for frame in frames:
            at_us = max(now_us, session.free_us)
            session.free_us = at_us + FRAME_GAP_US
            self._later(at_us, partial(self._carry, session, frame))

    def _carry(self, session: Session, frame: Frame, now_us: int) -> list[Uplink]:
        """One transmission through the air."""
        device = session.device
        if not frame.joins and frame.transmission == 0 and device.faults.repeated(frame.number):
            again = Frame(frame.number, frame.counter, frame.payload, frame.acknowledges, transmission=1)
            self._later(self._soon_us(session, frame, now_us), partial(self._carry, session, again))
        heard = [] if device.lost(frame, now_us) else self._air.heard(device.eui, frame.draw, now_us)
        if not heard:
            return []
        if frame.joins:
            self._later(now_us + JOIN_ACCEPT_US, partial(self._accept, session))
            return []
        if frame.number <= session.number:
            return self.face.repeated(session, now_us)
        session.number = frame.number
        return self._heard(session, frame, heard, now_us) if device.joined else []

    def _heard(self, session: Session, frame: Frame, heard: list[Reception], now_us: int) -> list[Uplink]:
        faults, copy = session.device.faults, self._copy(session, frame.number)
        said = [] if session.introduced else self.face.joined(session, self._copy(session, frame.number, 1), now_us)
        session.introduced = True
        up = self.face.up(session, frame, heard, copy, now_us)
        said += up * 2 if faults.said_again(frame.number) else up
        if faults.late_copy(frame.number):
            self._later(self._soon_us(session, frame, now_us), partial(self._late, session, frame, heard[-1:]))
        if session.status_day != now_us // DAY_US:
            session.status_day = now_us // DAY_US
            said += self.face.condition(session, self._copy(session, frame.number, 2), now_us)
        if session.waits is not None and (frame.acknowledges or not session.device.product.listens):
            said += self._settle(session, session.waits, frame.acknowledges, now_us)
        elif session.waits is None:
            said += self._send(session, now_us)
        return said

    def _late(self, session: Session, frame: Frame, heard: list[Reception], now_us: int) -> list[Uplink]:
        return self.face.up(session, frame, heard, self._copy(session, frame.number, 3), now_us)

    def _accept(self, session: Session, now_us: int) -> list[Uplink]:
        device = session.device
        if not device.asks or device.faults.radio_back_us(now_us) is not None:
            return []
        fresh = self._chance.of(device.eui, session.number)
        session.address, session.key = f"{fresh.key >> 39:08x}", f"{fresh.key:016x}"
        session.introduced, session.down_counter, session.waits = False, 0, None
        self._transmit(session, device.accept(now_us), now_us)
        self._plan(session)
        return []

    def _send(self, session: Session, now_us: int) -> list[Uplink]:
        """Send the next downlink of the queue, if the device can be sent one."""
        said: list[Uplink] = []
        while session.queue and session.waits is None and session.device.joined:
            downlink = session.queue.popleft()
            if downlink.expires_us is not None and downlink.expires_us <= now_us:
                said += self.face.expired(session, downlink, now_us)
                continue
            return said + self._send_one(session, downlink, now_us)
        return said

    def _send_one(self, session: Session, downlink: Downlink, now_us: int) -> list[Uplink]:
        heard = self._air.heard(session.device.eui, -1 - session.down_counter, now_us)
        if not heard:
            session.queue.appendleft(downlink)
            return []
        downlink.counter, downlink.tries = session.down_counter, downlink.tries + 1
        session.down_counter += 1
        said = self.face.sent(session, downlink, heard[0].gateway, now_us)
        if downlink.confirmed:
            session.waits = downlink
            if session.device.product.listens:
                self._later(now_us + CLASS_C_TIMEOUT_US, partial(self._time_out, session, downlink, downlink.tries))
        if session.device.hears(now_us):
            self._transmit(session, session.device.take(downlink, now_us), now_us + DOWNLINK_US)
            self._plan(session)
        if not downlink.confirmed and session.device.product.listens and session.queue:
            self._later(now_us + DOWNLINK_US, partial(self._send, session))
        return said

    def _time_out(self, session: Session, downlink: Downlink, tries: int, now_us: int) -> list[Uplink]:
        if session.waits is not downlink or downlink.tries != tries:
            return []
        return self._settle(session, downlink, False, now_us)

    def _settle(self, session: Session, downlink: Downlink, heard: bool, now_us: int) -> list[Uplink]:
        """What became of a confirmed downlink is known; the next may go."""
        session.waits = None
        said = self.face.answered(session, downlink, heard, now_us)
        if not heard and downlink.tries < self.face.tries:
            session.queue.appendleft(downlink)
        return said + self._send(session, now_us)

    def _stats(self, gateway: RadioGateway, now_us: int) -> list[Uplink]:
        self._later(now_us + STATS_US, partial(self._stats, gateway))
        there, was = not gateway.away(now_us), self._there[gateway.eui]
        self._there[gateway.eui] = there
        said = self.face.connected(gateway.eui, there) if there != was else []
        return said + (self.face.alive(gateway.eui, now_us) if there else [])

    def _soon_us(self, session: Session, frame: Frame, now_us: int) -> int:
        chance = session.device.faults.chance.of("again")
        return now_us + int(chance.between(*AGAIN_S, frame.number) * SECOND_US)

    def _copy(self, session: Session, number: int, which: int = 0) -> str:
        """A UUID for a frame, or for what is said of it."""
        chance = self._chance.of("copy", session.name, session.key, number, which)
        return str(uuid.UUID(int=chance.key << 64 | chance.of("low").key, version=4))
