"""How fast makers' own codecs run in their sandbox: uplinks a second, and CPU of the worker a message.

`python -m bench.makers_codecs` lets three ways take turns, round after round: a fresh context a message (the default),
the same with a large file, whose process is copied instead, and a context that is kept. The codec is of the LoRa
Alliance's form, with the fields of a usual level sensor; the large one has ten times as many functions beside it.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from gateway.scripts.vendor import VendorCodec

PAYLOAD = bytes.fromhex("01756403820a0004000005671901ff16")
AT_ONCE = 256
CODEC = """
function decodeUplink(input) {
  var bytes = input.bytes, data = {}, warnings = [];
  for (var i = 0; i < bytes.length; ) {
    var channel = bytes[i++], type = bytes[i++];
    switch (channel) {
      case 0x01: data.battery = bytes[i]; i += 1; break;
      case 0x03: data.distance = readUInt16LE(bytes, i); i += 2; break;
      case 0x04: data.position = bytes[i] === 0 ? "normal" : "tilt"; i += 1; break;
      case 0x05: data.temperature = readInt16LE(bytes, i) / 10; i += 2; break;
      default: warnings.push("channel " + channel + " of type " + type); i = bytes.length;
    }
  }
  return { data: data, warnings: warnings, errors: [] };
}
"""
NUMBERS = """
function readUInt16LE%(n)s(bytes, i) { var value = (bytes[i + 1] << 8) + bytes[i]; return value & 0xffff; }
function readInt16LE%(n)s(bytes, i) { var value = readUInt16LE%(n)s(bytes, i); return (value << 16) >> 16; }
function named%(n)s(code) {
  switch (code) { case 0: return "normal"; case 1: return "tilt"; case 2: return "low"; default: return "unknown"; }
}
"""
WAYS = {
    "fresh": (CODEC + NUMBERS % {"n": ""}, False, 2_000),
    "fresh, large": (CODEC + "".join(NUMBERS % {"n": n} for n in ("", *range(100))), False, 1_000),
    "reused": (CODEC + NUMBERS % {"n": ""}, True, 20_000),
}
"""Source, whether its context is kept, and messages a round."""


async def measured(source: str, reuse: bool, messages: int) -> tuple[float, float]:
    """Messages a second, and microseconds of the worker's CPU a message."""
    codec = VendorCodec(source, reuse=reuse)
    try:
        await codec.uplink(85, PAYLOAD)
        worker = codec.sandbox.worker_pid or 0
        began_s, cpu_s = time.perf_counter(), _cpu_s(worker)
        for block in _blocks(messages):
            await asyncio.gather(*(codec.uplink(85, PAYLOAD) for _ in range(block)))
        took_s, cost_s = time.perf_counter() - began_s, _cpu_s(worker) - cpu_s
    finally:
        await codec.close()
    return messages / took_s, cost_s / messages * 1e6


def _blocks(messages: int) -> Iterator[int]:
    while messages > 0:
        yield min(messages, AT_ONCE)
        messages -= AT_ONCE


def _cpu_s(pid: int) -> float:
    """CPU time of a process and of those it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def _rounds(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, figures in found.items():
            figures.append(await measured(*WAYS[way]))
    for way, figures in found.items():
        rates, costs = zip(*figures, strict=True)
        size = len(WAYS[way][0])
        print(
            f"{way:<14}{size:>7} characters{statistics.median(rates):>9.0f} a second "
            f"({min(rates):.0f} to {max(rates):.0f}){statistics.median(costs):>7.0f} µs of CPU each"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    uvloop.run(_rounds(parser.parse_args().rounds))
