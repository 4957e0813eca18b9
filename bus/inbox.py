"""The inbox of a service: messages in batches, acknowledged only when the service says so.

The broker's persistent session is the queue. What is not acknowledged comes again after a loss of the connection; how
much the broker sends ahead is bounded by MQTT 5's receive maximum, and by reading no further where it knows none.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from bus import connection as connections
from bus import packets
from bus.address import Address, parse_address
from bus.connection import KEEP_ALIVE_S
from bus.reconnecting import Stands, stay_connected
from telemetry.clock import Now
from telemetry.limits import BATCH_AGE_MS_MAX, BATCH_ROWS_MAX, INBOX_BYTES_MAX, PACKET_BYTES_MAX, RECEIVE_MAXIMUM
from telemetry.observation import count_observations
from telemetry.topics import TELEMETRY_SUFFIX

COALESCE_S = 0.005
"""After a read the next one waits this long, so that it brings many messages."""
MESSAGES_AT_ONCE = 2_000
"""A batch is given no further read once it has so many."""
SESSION_EXPIRY_S = 7 * 24 * 3600
"""How long the broker keeps the session of a service that is away (MQTT 5; in 3.1.1 the broker's own setting)."""
QUIET_S = 2.0
"""A broker that has sent nothing for so long, though all is acknowledged, holds nothing more."""

_REDELIVERED = bytes(packets.REDELIVERED | 0x30 | 0x02 | retained for retained in (0, packets.RETAINED))
"""Headers of a message of QoS 1 that the broker has sent before."""
_ending = itemgetter(slice(-len(TELEMETRY_SUFFIX), None))

T = TypeVar("T")


class Closed(Exception):
    """The subscriber has been closed; no batch will come."""


@dataclass(slots=True)
class Read:
    """The messages of one read; `arrived_s` is real monotonic time, `connection` takes the acknowledgements.

    `uplinks` and `received` are counted as in a `Batch`.
    """

    arrivals: packets.Arrivals
    received_us: int
    arrived_s: float
    connection: connections.Connection | None
    uplinks: int = field(init=False)
    received: int = field(init=False)

    def __post_init__(self) -> None:
        self.uplinks, self.received = count_received(self.arrivals.topics, self.arrivals.payloads)


class Batch:
    """Messages in order of arrival, one entry a message in each list.

    `received_us` is the city's time at which they were read (several reads within `BATCH_AGE_MS_MAX` are one batch and
    share the last one's), `arrived_s` the real monotonic time of the first read, `size` their bytes on the wire.
    `uplinks` counts the messages on telemetry topics, `received` the observations that they bring, before any of them
    is decoded: the ledger's `received`.
    """

    __slots__ = ("_acks", "_headers", "arrived_s", "payloads", "received", "received_us", "size", "topics", "uplinks")

    def __init__(self, reads: Sequence[Read]) -> None:
        self.topics: list[bytes] = _joined([read.arrivals.topics for read in reads])
        self.payloads: list[bytes] = _joined([read.arrivals.payloads for read in reads])
        self.received_us = reads[-1].received_us
        self.arrived_s = reads[0].arrived_s
        self.size = sum(read.arrivals.size for read in reads)
        self.uplinks = sum(read.uplinks for read in reads)
        self.received = sum(read.received for read in reads)
        self._headers = b"".join([bytes(read.arrivals.headers) for read in reads])
        self._acks = [(read.connection, read.arrivals.packet_ids) for read in reads]

    def __len__(self) -> int:
        return len(self.payloads)

    @property
    def retained(self) -> list[bool]:
        """Whether each message was kept by the broker from before we subscribed."""
        return [header & packets.RETAINED != 0 for header in self._headers]

    @property
    def redelivered(self) -> bool:
        """Whether the broker says of any message that it was sent before."""
        return any(header in self._headers for header in _REDELIVERED)

    def ack(self) -> None:
        """Acknowledge all messages. Those of a lost connection come again and need another acknowledgement."""
        acknowledge([self])


def acknowledge(batches: Iterable[Batch]) -> None:
    """Acknowledge the messages of several batches in one write; a batch is acknowledged once, a repeat does nothing."""
    by_connection: dict[connections.Connection, list[bytes]] = {}
    for batch in batches:
        for connection, packet_ids in batch._acks:
            if connection is not None:
                by_connection.setdefault(connection, []).extend(filter(None, packet_ids))
        batch._acks = []
    for connection, packet_ids in by_connection.items():
        connection.acknowledge(packet_ids)


async def forget(url: str, client_id: str) -> None:
    """Have the broker forget a session and all that it holds for it.

    Raises:
        BadAddress: the URL is none.
        Lost: the broker cannot be reached, or says no.
    """
    terms = connections.Terms(client_id, clean=True)
    connection = await connections.connect(4, parse_address(url), terms, lambda _, __: None)
    connection.leave()
    await connection.closed


def count_received(topic_names: Sequence[bytes], payloads: Sequence[bytes]) -> tuple[int, int]:
    """How many of these messages are uplinks, and how many observations those bring, by their outer form alone."""
    uplinks = list(map(_ending, topic_names)).count(TELEMETRY_SUFFIX)
    if uplinks < len(payloads):
        named = zip(topic_names, payloads, strict=True)
        payloads = [payload for name, payload in named if name.endswith(TELEMETRY_SUFFIX)]
    objects = [payload[:1] for payload in payloads].count(b"{")
    if objects == uplinks:
        return uplinks, uplinks
    return uplinks, sum(map(count_observations, payloads))


class Subscriber:
    """A session with the broker that outlives connections: `async with` it, then take batches.

    `filters` may be shared subscriptions. A `clean` session is forgotten by the broker with the connection. `now` is
    the city clock. `on_connected` is called whenever the subscription stands anew. A subscriber that `retires` ends its
    subscriptions and is sent what the broker holds for it: `drained` waits for the last of that.

    Raises:
        BadAddress: the URL is none.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        filters: Sequence[str],
        receive_maximum: int = RECEIVE_MAXIMUM,
        *,
        now: Now,
        clean: bool = False,
        on_connected: Callable[[], None] | None = None,
        keep_alive_s: int = KEEP_ALIVE_S,
        retires: bool = False,
    ) -> None:
        self._address: Address = parse_address(url)
        self._terms = connections.Terms(
            client_id,
            tuple(filters),
            retiring=retires,
            clean=clean,
            receive_maximum=receive_maximum,
            keep_alive_s=keep_alive_s,
            session_expiry_s=0 if clean else SESSION_EXPIRY_S,
            coalesce_s=COALESCE_S,
        )
        self._now, self._on_connected = now, on_connected
        self._reads: deque[Read] = deque()
        self._waiting_messages = self._waiting_bytes = 0
        self._heard_s = 0.0
        self._something = asyncio.Event()
        self._ready = asyncio.Event()
        self._connection: connections.Connection | None = None
        self._source: connections.Connection | None = None
        """Whom we read from: from its first messages on, which may come before its subscription stands."""
        self._task: asyncio.Task[NoReturn] | None = None

    async def __aenter__(self) -> Self:
        staying = stay_connected(self._terms.client_id, self._address, self._live)
        self._task = asyncio.create_task(staying, name=f"inbox {self._terms.client_id}")
        self._task.add_done_callback(lambda _: self._something.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether the subscription stands at this moment."""
        return self._ready.is_set()

    @property
    def resumed(self) -> bool:
        """Whether the broker had kept our session, and with it the queue, when the present connection was made."""
        return self._connection is not None and self._connection.opened.done() and self._connection.opened.result()

    @property
    def waiting(self) -> int:
        """Messages that have been read and not yet taken."""
        return self._waiting_messages

    @property
    def heard_s(self) -> float:
        """When the last read came, in real monotonic seconds."""
        return self._heard_s

    async def ready(self) -> None:
        """Wait until the subscription stands."""
        await self._ready.wait()

    async def drained(self) -> None:
        """Wait until all is acknowledged, nothing has come for `QUIET_S`, and the broker has not only been slow."""
        quiet_since_s, asked = time.monotonic(), 0
        while True:
            await asyncio.sleep(QUIET_S / 20)
            line = self._connection
            if line is None or line.unacknowledged or self._reads or self._heard_s > quiet_since_s:
                quiet_since_s, asked = time.monotonic(), 0
            elif not asked and time.monotonic() - quiet_since_s >= QUIET_S:
                asked = line.ping()
            elif asked and line.pongs >= asked:
                return

    async def close(self) -> None:
        """Leave the broker, keep the session; batches taken already can no longer be acknowledged."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._something.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        try:
            return await self.next_batch()
        except Closed:
            raise StopAsyncIteration from None

    async def next_batch(self) -> Batch:
        """The messages that wait, as soon as there is one: those read within `BATCH_AGE_MS_MAX` of the first.

        No read is added to `MESSAGES_AT_ONCE`, `BATCH_ROWS_MAX` observations or `PACKET_BYTES_MAX`: who takes a batch
        has bounded work.

        Raises:
            Closed: the subscriber has been closed.
        """
        while not self._reads:
            if self._task is None:
                raise Closed
            if self._task.done():
                self._task.result()
            self._something.clear()
            await self._something.wait()
        first = self._reads.popleft()
        reads, until_s = [first], first.arrived_s + BATCH_AGE_MS_MAX / 1000
        messages, observations, size = len(first.arrivals.payloads), first.received, first.arrivals.size
        while messages < MESSAGES_AT_ONCE and observations < BATCH_ROWS_MAX and size < PACKET_BYTES_MAX:
            if not self._reads or self._reads[0].arrived_s > until_s:
                break
            read = self._reads.popleft()
            messages += len(read.arrivals.payloads)
            observations += read.received
            size += read.arrivals.size
            reads.append(read)
        batch = Batch(reads)
        self._waiting_messages -= len(batch)
        self._waiting_bytes -= batch.size
        if self._source is not None:
            self._source.hold(self._full)
        return batch

    def _deliver(self, connection: connections.Connection, arrivals: packets.Arrivals) -> None:
        self._source, self._heard_s = connection, time.monotonic()
        self._reads.append(Read(arrivals, self._now(), self._heard_s, connection))
        self._waiting_messages += len(arrivals.payloads)
        self._waiting_bytes += arrivals.size
        if self._full:
            connection.hold(True)
        self._something.set()

    @property
    def _full(self) -> bool:
        """Whether what waits is beyond a bound, so that nothing more is read.

        A broker that keeps to the receive maximum never gets beyond it: then its other words are read on.
        """
        return self._waiting_messages > self._terms.receive_maximum or self._waiting_bytes >= INBOX_BYTES_MAX

    async def _live(self, stands: Stands) -> str:
        """One connection, until it is lost."""
        try:
            self._connection = self._source = await self._connect()
            stands()
            self._ready.set()
            self._connection.hold(self._full)
            if self._on_connected is not None:
                self._on_connected()
            return await self._connection.closed
        finally:
            self._ready.clear()
            if self._connection is not None:
                self._connection.leave()
                self._connection = None

    async def _connect(self) -> connections.Connection:
        """MQTT 5 for its back-pressure, else 3.1.1."""
        try:
            return await connections.connect(5, self._address, self._terms, self._deliver)
        except connections.VersionRefused:
            return await connections.connect(4, self._address, self._terms, self._deliver)


def _joined(lists: list[list[T]]) -> list[T]:
    return lists[0] if len(lists) == 1 else list(chain.from_iterable(lists))
