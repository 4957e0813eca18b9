"""How uplinks get to the broker: from a device on a line of its own, many behind one, or a network server."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from bus.device import Line
from bus.packets import Will
from firmware_sim.firmware import Uplink, acknowledged
from telemetry.clock import Now

OUTBOX_MAX = 5_000
"""Uplinks that wait for room on the line; at the bound the fleet waits and falls behind, which it says."""


class Speaker(Protocol):
    """What has something to say: a device, or a network server."""

    @property
    def next_us(self) -> int:
        """When it wants to be woken."""

    @property
    def boots(self) -> int:
        """How often it has started."""

    @property
    def lost(self) -> int:
        """Observations that it had to forget before they were acknowledged."""

    @property
    def will(self) -> Uplink | None:
        """What the broker shall say when its line tears."""

    def wake(self, now_us: int) -> list[Uplink]:
        """Do what is due."""

    def connected(self, now_us: int, torn: bool) -> list[Uplink]:
        """The way to the broker is open, `torn` if it broke before."""

    def disconnected(self) -> None:
        """The way to the broker is gone."""


class Witness(Protocol):
    """Who keeps a record of what is sent to the broker, and of what it has acknowledged."""

    def sent(self, uplink: Uplink) -> None:
        """It is on its way to the broker."""

    def taken(self, uplink: Uplink) -> None:
        """The broker has it and said so, whether or not the device hears that."""


@dataclass(slots=True)
class Traffic:
    """What has gone over all lines so far."""

    published: int = 0
    acknowledged: int = 0
    observations: int = 0
    commands: int = 0
    dropped: int = 0


class Carrier:
    """One line with the devices behind it, or a network server.

    When the line is lost its outbox is forgotten: each device remembers its own observations and says them again.
    `on_message` is told topic and payload of everything that is heard and not retained.
    """

    def __init__(
        self,
        now: Now,
        traffic: Traffic,
        on_message: Callable[[str, bytes], None],
        witness: Witness | None = None,
    ) -> None:
        self.devices: list[Speaker] = []
        self.outbox: deque[Uplink] = deque()
        self.line: Line | None = None
        self._moved = asyncio.Event()
        self._now, self._traffic, self._on_message, self._witness = now, traffic, on_message, witness

    def open(self, url: str, client_id: str, user: tuple[str, str] | None, filters: Iterable[str]) -> Line:
        """The carrier's line, not yet connected; with a single device it carries that one's Will."""
        said = self.devices[0].will if len(self.devices) == 1 else None
        will = None if said is None else Will(said.topic, said.payload, said.retain)
        self.line = Line(
            url,
            client_id,
            user=user,
            will=will,
            filters=tuple(filters),
            on_message=self._hear,
            on_up=self._up,
            on_down=self._down,
            on_taken=self._taken,
        )
        return self.line

    @property
    def full(self) -> bool:
        """Whether the outbox is at its bound."""
        return len(self.outbox) >= OUTBOX_MAX

    async def shorter(self, count: int) -> None:
        """Wait until fewer than `count` uplinks wait; the loss of the line empties the outbox."""
        while len(self.outbox) >= count:
            self._moved.clear()
            await self._moved.wait()

    def submit(self, uplinks: Iterable[Uplink]) -> None:
        """Send, or put in line; without a connection what is no observation is dropped, without room what is QoS 0."""
        if self.line is None or not self.line.up:
            self._traffic.dropped += sum(1 for each in uplinks if not each.kept)
            return
        for each in uplinks:
            if not each.qos:
                self._toss(self.line, each)
            elif self.outbox or not self.line.has_room:
                self.outbox.append(each)
            else:
                self._send(self.line, each)

    def tear(self) -> None:
        """Drop the connection without farewell."""
        if self.line is not None:
            self.line.tear()

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if not retained:
            self._on_message(topic, payload)

    def _send(self, line: Line, uplink: Uplink) -> None:
        line.send(uplink.topic, uplink.payload, retain=uplink.retain, token=uplink)
        if self._witness is not None:
            self._witness.sent(uplink)
        self._traffic.published += 1
        self._traffic.observations += len(uplink.kept) + uplink.readings

    def _toss(self, line: Line, uplink: Uplink) -> None:
        """Nobody acknowledges this one, so it counts as taken."""
        if not line.has_room:
            self._traffic.dropped += 1
            return
        line.toss(uplink.topic, uplink.payload)
        self._traffic.published += 1
        self._traffic.acknowledged += 1
        self._traffic.observations += uplink.readings

    def _taken(self, token: object) -> None:
        assert isinstance(token, Uplink)
        acknowledged(token)
        if self._witness is not None:
            self._witness.taken(token)
        self._traffic.acknowledged += 1
        line = self.line
        while self.outbox and line is not None and line.has_room:
            self._send(line, self.outbox.popleft())
        self._moved.set()

    def _up(self, torn: bool) -> None:
        now_us = self._now()
        for device in self.devices:
            self.submit(device.connected(now_us, torn))

    def _down(self) -> None:
        self.outbox.clear()
        self._moved.set()
        for device in self.devices:
            device.disconnected()
