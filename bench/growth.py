"""Figure 7: what a message costs as the city grows, from a thousand devices to a hundred thousand."""

import sys
from collections import defaultdict

from bench.field import Field
from bench.figures import Section, Series, Table, Target
from bench.processes import Failed
from bench.traffic import MIXED

SIZES = (1_000, 10_000, 100_000)
MESSAGES = 150_000
GROWTH_PCT_MAX = 20.0

WORDS = """\
The same number of messages, three kinds mixed, at full speed through the broker, from cities of three sizes, in turns.
Each device has been heard once before the measurement begins. CPU is that of the ingest process."""


async def grow(field: Field, rounds: int, share: float = 1.0) -> Section:
    """All sizes, in turns."""
    cpu: dict[int, list[float]] = defaultdict(list)
    peak: dict[int, list[float]] = defaultdict(list)
    messages = int(MESSAGES * share)
    for round_ in range(1, rounds + 1):
        for devices in SIZES:
            cost_us, bytes_ = await _run(field, devices, messages)
            cpu[devices].append(cost_us)
            peak[devices].append(bytes_ / 2**20)
            print(f"  round {round_}: {devices:,} devices: {cost_us:.1f} µs", file=sys.stderr)
    least = Series.of(cpu[SIZES[0]])
    table = Table(["devices", "CPU µs a message", "growth", "peak MiB"])
    for devices in SIZES:
        each = Series.of(cpu[devices])
        growth = (each.over(least).median - 1) * 100
        table.rows.append([f"{devices:,}", each.text(".1f"), f"{growth:+.0f} %", Series.of(peak[devices]).text()])
    growth = (Series.of(cpu[SIZES[-1]]).over(least).median - 1) * 100
    target = Target(7, f"growth from {SIZES[0]:,} to {SIZES[-1]:,} devices", growth, GROWTH_PCT_MAX, False, " %", ".1f")
    return Section("7 · Cost as the city grows", WORDS, table, [target])


async def _run(field: Field, devices: int, messages: int) -> tuple[float, int]:
    """CPU microseconds a message, and the most memory ingest held, in bytes."""
    city = await field.city(devices, MIXED)
    await field.clear(city)
    async with field.ingest(city) as ingest:
        await field.publish(city.source, devices)
        if await city.until_stored(devices) < devices:
            raise Failed("messages of the first time round were lost")
        before = ingest.weigh()
        await field.publish(city.source, messages, first=devices)
        stored = await city.until_stored(devices + messages)
        after = ingest.weigh()
    if stored < devices + messages:
        raise Failed(f"{devices + messages - stored:,} messages of {devices:,} devices were lost")
    return (after.cpu_s - before.cpu_s) * 1e6 / messages, after.peak_bytes
