"""A backlog: uplinks of a thousand lamps at full speed, as `python -m tests.chaos.flood URL START_MS UPLINKS EACH`.

Speaks just enough MQTT 3.1.1, over one connection, and prints how many uplinks the broker has acknowledged. Reading `n`
is of the moment START_MS + n ms; EACH of them make an uplink, and uplink `u` comes from lamp `u % 1000`. With more than
one they are padded to nearly the size that is still taken.
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
        acknowledged = self._bytes // 4 - 1
        if acknowledged >= self._uplinks:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
        elif acknowledged >= 0:
            self._fill(min(self._uplinks, acknowledged + self._window))

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(max(0, self._bytes // 4 - 1))

    def _fill(self, until: int) -> None:
        if until - self._sent < self._burst and until < self._uplinks:
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


async def main(url: str, start_ms: int, uplinks: int, each: int) -> None:
    address = parse_address(url)
    _, flood = await asyncio.get_running_loop().create_connection(
        lambda: Flood(address, start_ms, uplinks, each), address.host, address.port
    )
    print(await flood.done)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:])))
