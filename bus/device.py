"""A device's line to the broker, or a gateway's for many devices: publishes in order without waiting, hears commands.

MQTT 3.1.1 with clean sessions. What is to be sent again after a torn connection is the caller's matter, for it is the
device that remembers; the line only tells when it stands, when it is lost, and what the broker has taken.
"""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn, Self

from bus import connection as connections
from bus import packets
from bus.address import parse_address
from bus.reconnecting import Stands, stay_connected

IN_FLIGHT_MAX = 1_000
"""Publishes that wait for the broker's word; at the bound the line has no room, and the caller waits."""
PACKET_IDS = 65_534
"""Packet ids for publishes are 1 to this."""
TORN = "torn on purpose"

OnMessage = Callable[[str, bytes, bool], None]
"""Takes (topic, payload, retained)."""


class Line:
    """A connection that comes back by itself: `async with` it, then `send` while it is up.

    Args:
        url: the broker; its user and password hold where `user` is not given.
        client_id: unique at the broker.
        user: (name, password) of this device.
        will: published by the broker if the line tears.
        filters: topics to hear, at QoS 1.
        on_message: gets what `filters` bring.
        on_up: called when the line stands; true if it tore before, so that messages may be lost.
        on_down: called when it is lost; what was in flight is forgotten.
        on_taken: called with the token of each message that the broker has taken.
        in_flight_max: bound of what waits for the broker's word.

    Raises:
        BadAddress: the URL is none.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        user: tuple[str, str] | None = None,
        will: packets.Will | None = None,
        filters: Sequence[str] = (),
        on_message: OnMessage | None = None,
        on_up: Callable[[bool], None] | None = None,
        on_down: Callable[[], None] | None = None,
        on_taken: Callable[[object], None] | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> None:
        if not 0 < in_flight_max < PACKET_IDS:
            raise ValueError("in_flight_max does not fit MQTT's packet ids")
        self._address = parse_address(url)
        self._terms = connections.Terms(client_id, tuple(filters), user, will)
        self.on_message, self._on_up, self._on_down, self._on_taken = on_message, on_up, on_down, on_taken
        self._in_flight_max = in_flight_max
        self._in_flight: dict[int, object] = {}
        self._packet_id = 0
        self._wire: connections.Connection | None = None
        self._changed = asyncio.Event()
        self._torn = False
        self._task: asyncio.Task[NoReturn] | None = None
        self.connections = 0
        """How often the line has stood up."""

    async def __aenter__(self) -> Self:
        client_id = self._terms.client_id
        staying = stay_connected(client_id, self._address, self._live)
        self._task = asyncio.create_task(staying, name=f"line {client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def up(self) -> bool:
        """Whether the line stands."""
        return self._wire is not None

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not answered yet."""
        return len(self._in_flight)

    @property
    def has_room(self) -> bool:
        """Whether the line stands and may take another message."""
        return self._wire is not None and len(self._in_flight) < self._in_flight_max and not self._wire.choked

    async def room(self) -> None:
        """Wait until the line has room."""
        while not self.has_room:
            self._changed.clear()
            await self._changed.wait()

    async def settled(self) -> None:
        """Wait until the broker has taken everything, or the line is down."""
        while self._in_flight and self._wire is not None:
            self._changed.clear()
            await self._changed.wait()

    def send(self, topic: str, payload: bytes, *, retain: bool = False, token: object = None) -> None:
        """Publish at QoS 1, in the order of the calls; `token` comes back through `on_taken`.

        Raises:
            RuntimeError: the line has no room; ask `has_room` or wait for `room`.
        """
        if not self.has_room or self._wire is None:
            raise RuntimeError("the line has no room")
        packet_id = self._packet_id
        while True:
            packet_id = packet_id % PACKET_IDS + 1
            if packet_id not in self._in_flight:
                break
        self._packet_id = packet_id
        self._in_flight[packet_id] = token
        self._wire.write(packets.publish(topic.encode(), packet_id, payload, retain))

    def toss(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 0: nobody tells whether it arrives.

        Raises:
            RuntimeError: the line does not stand.
        """
        if self._wire is None:
            raise RuntimeError("the line does not stand")
        self._wire.write(packets.publish(topic.encode(), 0, payload, False))

    def tear(self) -> None:
        """Drop the connection without farewell, as a power cut does: the broker publishes the Will."""
        if self._wire is not None:
            self._wire.abort(TORN)

    async def close(self) -> None:
        """Say farewell and stay away; no Will is published."""
        task, self._task = self._task, None
        if self._wire is not None:
            self._wire.leave()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _live(self, stands: Stands) -> str:
        """One connection, until it is lost."""
        wire = await connections.connect(4, self._address, self._terms, self._deliver)
        try:
            wire.on_unchoked = self._changed.set
            self._wire = wire
            self.connections += 1
            self._changed.set()
            stands()
            if self._on_up is not None:
                self._on_up(self._torn)
            self._torn = True
            return await wire.closed
        finally:
            self._wire = None
            wire.leave()
            self._in_flight.clear()
            self._changed.set()
            if self._on_down is not None:
                self._on_down()

    def _deliver(self, wire: connections.Connection, arrivals: packets.Arrivals) -> None:
        for packet_id in arrivals.taken:
            token = self._in_flight.pop(packet_id, None)
            if token is not None and self._on_taken is not None:
                self._on_taken(token)
        self._changed.set()
        if self.on_message is not None:
            heard = zip(arrivals.topics, arrivals.payloads, arrivals.headers, strict=True)
            for topic, payload, header in heard:
                self.on_message(topic.decode("utf-8", "replace"), payload, bool(header & packets.RETAINED))
        wire.acknowledge(list(filter(None, arrivals.packet_ids)))
