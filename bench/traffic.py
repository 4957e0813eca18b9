"""What devices send in the benchmarks, as MQTT packets, and the same readings as rows for a binary COPY.

Device `lamp-17` serves the asset with the number 17, so that a contender may take the number from the topic and needs
no look-up. Message number `i` comes from device `i % devices + 1`.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bus import packets
from storage.tables import PG_EPOCH_US
from telemetry import topics

LAMPS = ("streetlight",)
"""One kind alone, the one with the widest row: what the races run on, so that a peer needs one statement only."""
MIXED = ("streetlight", "drain_level", "parking_bay")
"""All kinds in turn, as in a city."""

_PACKET_IDS = 65_535
_BODIES = {
    "streetlight": '"level_pct":{a},"setpoint_pct":{a},"power_w":{b}.2,"energy_kwh":12{b}.5,"voltage_v":23{c}.4,'
    '"lux":1{c}2.5,"motion":{c},"temp_c":{b}.5,"lamp_fault":false}}',
    "drain_level": '"level_m":0.{a},"flow_l_s":{b}.5,"rain_mm_h":0.{c},"temp_c":1{c}.5,"battery_pct":{a}}}',
    "parking_bay": '"occupied":true,"confidence_pct":{a},"temp_c":1{c}.5,"battery_pct":{b}}}',
}


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: how many devices, of which kinds in turn, to clients of which MQTT version (4 is 3.1.1)."""

    devices: int
    kinds: tuple[str, ...] = LAMPS
    version: packets.Version = 4
    array: int = 1
    """Readings of a message; more than one are a backfill."""

    def kind(self, device: int) -> str:
        """The kind of a device, which are numbered from 1."""
        return self.kinds[(device - 1) % len(self.kinds)]

    def device(self, number: int) -> str:
        """The device id."""
        return f"lamp-{number}"

    def registry(self) -> str:
        """The registry's CSV with all devices."""
        rows = [f"asset-{n},{self.kind(n)},{self.device(n)}" for n in range(1, self.devices + 1)]
        return "\n".join(["asset,kind,device", *rows, ""])

    def packets(self, first: int, count: int, moment_ms: int) -> tuple[bytes, list[int]]:
        """So many PUBLISH packets from message `first` on, and where each begins and the last ends.

        All bear the time `moment_ms`, and one more with each time round the devices, so that no two are the same.
        """
        if self.array > 1:
            return self._backfills(first, count, moment_ms)
        heads, parts = _heads(self), []
        for number in range(first, first + count):
            head, body = heads[number % self.devices]
            packet_id = (number % _PACKET_IDS + 1).to_bytes(2, "big")
            stamp = moment_ms + (number - first) // self.devices
            parts.append(
                b'%b%b%b{"ts":%d,"seq":%d,%b' % (head, packet_id, _gap(self), stamp, 100_000_000 + number, body)
            )
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        return b"".join(parts), ends

    def _backfills(self, first: int, count: int, moment_ms: int) -> tuple[bytes, list[int]]:
        """Messages of `array` readings each."""
        parts = []
        for number in range(first, first + count):
            device = number % self.devices + 1
            topic = topics.telemetry(self.kind(device), self.device(device)).encode()
            _, body = _heads(self)[number % self.devices]
            times = range(moment_ms - self.array, moment_ms)
            payload = b"[%b]" % b",".join(b'{"ts":%d,"seq":%d,%b' % (stamp, stamp, body) for stamp in times)
            packet_id = (number % _PACKET_IDS + 1).to_bytes(2, "big")
            rest = len(topic).to_bytes(2, "big") + topic + packet_id + _gap(self) + payload
            parts.append(b"\x32" + packets.length(len(rest)) + rest)
        return b"".join(parts), np.cumsum([0, *map(len, parts)]).tolist()

    def packet_bytes(self) -> float:
        """The mean size of a packet."""
        return len(self.packets(0, self.devices, time.time_ns() // 1_000_000)[0]) / self.devices


@cache
def _heads(source: Source) -> list[tuple[bytes, bytes]]:
    return [_head(source, device) for device in range(1, source.devices + 1)]


def _head(source: Source, device: int) -> tuple[bytes, bytes]:
    """The packet up to its id, and the payload from behind `seq`; sizes never change, since all digits stay as many."""
    kind = source.kind(device)
    topic = topics.telemetry(kind, source.device(device)).encode()
    body = _BODIES[kind].format(a=20 + device % 70, b=10 + device % 80, c=device % 10).encode()
    payload = len(b'{"ts":1700000000000,"seq":100000000,') + len(body)
    size = packets.length(2 + len(topic) + 2 + len(_gap(source)) + payload)
    return b"\x32" + size + len(topic).to_bytes(2, "big") + topic, body


def _gap(source: Source) -> bytes:
    """Between packet id and payload MQTT 5 has properties, here none."""
    return b"\0" if source.version == 5 else b""


COPY_COLUMNS = (
    "observed_at", "asset_id", "received_at", "time_from_receipt", "seq", "level_pct", "setpoint_pct", "power_w",
    "energy_kwh", "voltage_v", "lux", "motion", "temp_c", "lamp_fault",
)  # fmt: skip
_WIRE = (">i8", ">i4", ">i8", ">u1", ">i8", ">f8", ">f8", ">f8", ">f8", ">f8", ">f8", ">i4", ">f8", ">u1")


def copy_rows(devices: int, count: int, start_us: int, step_us: int = 1_000) -> bytes:
    """Street light rows as `COPY streetlight (COPY_COLUMNS) FROM STDIN (FORMAT BINARY)` takes them.

    Message number `i` is row `i`; each time round the devices is `step_us` later.
    """
    number = np.arange(count, dtype=np.int64)
    device = number % devices + 1
    observed = start_us - PG_EPOCH_US + number // devices * step_us
    values: list[NDArray[Any] | int | float] = [
        observed, device, observed, 0, 100_000_000 + number, 20 + device % 70, 20 + device % 70, 10.2 + device % 80,
        1200.5 + number // devices / 100, 230.4, 12.5, device % 10, 10.5 + number % 17, 0,
    ]  # fmt: skip
    layout = [("fields", ">i2")]
    for index, wire in enumerate(_WIRE):
        layout += [(f"size{index}", ">i4"), (f"value{index}", wire)]
    rows = np.empty(count, dtype=layout)
    rows["fields"] = len(_WIRE)
    for index, (wire, value) in enumerate(zip(_WIRE, values, strict=True)):
        rows[f"size{index}"] = np.dtype(wire).itemsize
        rows[f"value{index}"] = value
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
