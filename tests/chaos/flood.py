"""A backlog: uplinks of a thousand lamps, as `python -m tests.chaos.flood URL START_MS UPLINKS EACH PER_S`.

PER_S of them come a second, or with 0 as many as the broker takes. Speaks just enough MQTT 3.1.1, over one connection,
and prints how many uplinks the broker has acknowledged. Reading `n` is of the moment START_MS + n ms; EACH of them make
an uplink, padded to nearly the size that is still taken where it is more than one; `u` comes from lamp `u % 1000`.
"""

import asyncio
import sys

from bus import packets
from bus.address import Address, parse_address
from telemetry import topics
from telemetry.limits import PAYLOAD_BYTES_MAX

LAMPS = 1_000
WINDOW = 4_000
BURST = 250


def registry() -> str:
    """The lamps' rows of the registry, without the header."""
    return "".join(f"flood-{number},streetlight,,,,,flood-{number}\n" for number in range(LAMPS))


class Flood(asyncio.Protocol):
    """One connection with at most `WINDOW` publishes under way; `done` gives how many were acknowledged."""

    def __init__(self, address: Address, start_ms: int, uplinks: int, each: int) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.due = uplinks
        self._address, self._start_ms, self._uplinks, self._each = address, start_ms, uplinks, each
        self._window, self._burst = max(10, WINDOW // each), max(1, BURST // each)
        self._sent = self._bytes = 0
        self._topics = [topics.telemetry("streetlight", f"flood-{number}").encode() for number in range(LAMPS)]
        self._padding = (PAYLOAD_BYTES_MAX - 1_000) // each - 75 if each > 1 else 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        hello = packets.connect(
            4, "flood", user=self._address.user, password=self._address.password, clean=True, keep_alive_s=0,
            receive_maximum=0, session_expiry_s=0,
        )  # fmt: skip
        self._transport.write(hello)

    def data_received(self, data: bytes) -> None:
        """CONNACK and every PUBACK have four bytes each."""
        self._bytes += len(data)
        if self._bytes // 4 - 1 >= self._uplinks:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
        else:
            self.advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(max(0, self._bytes // 4 - 1))

    def advance(self) -> None:
        """Send what is due, as far as the window has room."""
        acknowledged = self._bytes // 4 - 1
        until = min(self.due, acknowledged + self._window)
        if acknowledged < 0 or (until - self._sent < self._burst and until < self._uplinks):
            return
        parts = []
        for number in range(self._sent, until):
            topic, payload = self._topics[number % LAMPS], self._payload(number)
            size = packets.length(len(topic) + len(payload) + 4)
            packet_id = number % 65_535 + 1
            parts += [b"\x32", size, len(topic).to_bytes(2, "big"), topic, packet_id.to_bytes(2, "big"), payload]
        self._sent = until
        self._transport.write(b"".join(parts))

    def _payload(self, uplink: int) -> bytes:
        if self._each == 1:
            return b'{"ts": %d, "level_pct": 50, "energy_kwh": %d}' % (self._start_ms + uplink, uplink)
        numbers = range(uplink * self._each, (uplink + 1) * self._each)
        text = b'{"ts": %d, "level_pct": 50, "energy_kwh": %d, "padding": "%b"}'
        return b"[%b]" % b",".join([text % (self._start_ms + n, n, b"x" * self._padding) for n in numbers])


async def main(url: str, start_ms: int, uplinks: int, each: int, per_s: int) -> None:
    address, loop = parse_address(url), asyncio.get_running_loop()
    _, flood = await loop.create_connection(lambda: Flood(address, start_ms, uplinks, each), address.host, address.port)
    began_s = loop.time()
    while per_s and not flood.done.done():
        flood.due = min(uplinks, int((loop.time() - began_s) * per_s))
        flood.advance()
        await asyncio.sleep(0.1)
    print(await flood.done)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:])))
