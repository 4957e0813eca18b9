"""Devices at full speed: a process that publishes readings at QoS 1 as fast as the broker confirms them.

`python -m bench.blaster MQTT_URL MESSAGES DEVICES WINDOW RATE` prints one JSON line when all are confirmed; RATE 0 is
as fast as it goes. It speaks just enough MQTT 3.1.1 to cost the machine little: what is measured is the other side.
"""

import asyncio
import json
import sys
import time

from bus import packets
from bus.address import Address, parse_address
from telemetry import topics

KINDS = ("streetlight", "drain_level", "parking_bay")
BURST = 200
BODIES = {
    "streetlight": b'"level_pct":65,"setpoint_pct":65,"power_w":41.2,"energy_kwh":1234.5,"voltage_v":231.4,"lux":12.5,'
    b'"motion":3,"temp_c":21.5,"lamp_fault":false}',
    "drain_level": b'"level_m":0.734,"flow_l_s":12.5,"rain_mm_h":0.0,"temp_c":11.5,"battery_pct":91}',
    "parking_bay": b'"occupied":true,"confidence_pct":97,"temp_c":11.5,"battery_pct":88}',
}


def kind_of(device: int) -> str:
    return KINDS[device % len(KINDS)]


class Blaster(asyncio.Protocol):
    """One connection with at most `window` publishes under way."""

    def __init__(self, address: Address, messages: int, devices: int, window: int, rate: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._address, self._messages, self._devices = address, messages, devices
        self._window, self._rate = window, rate
        self._sent = self._acknowledged = self._spare = 0
        self._last_ms = [0] * devices
        self._heads = [self._head(device) for device in range(devices)]

    @staticmethod
    def _head(device: int) -> tuple[bytes, bytes]:
        topic = topics.telemetry(kind_of(device), f"device-{device}").encode()
        body = BODIES[kind_of(device)]
        size = 2 + len(topic) + 2 + len(b'{"ts":1700000000000,"seq":100000000,') + len(body)
        head = b"\x32" + packets.length(size) + len(topic).to_bytes(2, "big") + topic
        return head, body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        hello = packets.connect(
            4, "blaster", user=self._address.user, password=self._address.password, clean=True, keep_alive_s=600,
            receive_maximum=0, session_expiry_s=0,
        )  # fmt: skip
        self._transport.write(hello)
        self._welcomed = False

    def data_received(self, data: bytes) -> None:
        if not self._welcomed:
            assert data[:4] == b"\x20\x02\x00\x00", data
            self._welcomed, data = True, data[4:]
            self.begun = time.time()
            self._begun_s = time.monotonic()
            self._tick()
        self._spare += len(data)
        confirmed, self._spare = divmod(self._spare, 4)
        self._acknowledged += confirmed
        if self._acknowledged >= self._messages:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
            self.done.set_result(None)
        elif not self._rate:
            self._fill()

    def _tick(self) -> None:
        """Keep to the rate, if there is one."""
        self._fill()
        if self._rate and self._sent < self._messages:
            asyncio.get_running_loop().call_later(0.002, self._tick)

    def _fill(self) -> None:
        allowed = min(self._messages, self._acknowledged + self._window)
        if self._rate:
            due = int((time.monotonic() - self._begun_s) * self._rate)
            allowed = min(allowed, due)
        elif allowed - self._sent < BURST and allowed < self._messages:
            return
        if allowed <= self._sent:
            return
        now_ms = time.time_ns() // 1_000_000
        parts = []
        for number in range(self._sent, allowed):
            device = number % self._devices
            head, body = self._heads[device]
            self._last_ms[device] = moment_ms = max(now_ms, self._last_ms[device] + 1)
            packet_id = (number % 65_535 + 1).to_bytes(2, "big")
            parts.append(b'%b%b{"ts":%d,"seq":%d,%b' % (head, packet_id, moment_ms, 100_000_000 + number, body))
        self._sent = allowed
        self._transport.write(b"".join(parts))


async def main(url: str, messages: int, devices: int, window: int, rate: float) -> None:
    address = parse_address(url)
    _, blaster = await asyncio.get_running_loop().create_connection(
        lambda: Blaster(address, messages, devices, window, rate), address.host, address.port
    )
    await blaster.done
    took_s = time.time() - blaster.begun
    print(
        json.dumps({"begun": blaster.begun, "rate": messages / took_s, "cpu_us": time.process_time() * 1e6 / messages})
    )


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
