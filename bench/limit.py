"""Figure 4: with the broker out of the way, how near ingest comes to what the database server itself can take."""

import asyncio
import signal
import sys
import time

import psycopg

from bench.field import City, Field, told
from bench.figures import Section, Series, Table, Target
from bench.processes import Failed
from bench.traffic import COPY_COLUMNS, copy_rows

MESSAGES = 200_000
SHARE_OF_COPY_MIN = 0.65
COPY = f"COPY streetlight ({', '.join(COPY_COLUMNS)}) FROM STDIN (FORMAT BINARY)"

WORDS = """\
A process of ours plays the broker and sends as fast as ingest acknowledges; ingest is the service as it is: it checks
ranges, recognises what is there already, keeps the latest reading of each device and the ledger, and acknowledges after
the commit. Beside it the physical limit: the same rows, encoded before, by one binary COPY in one transaction, which
does none of this."""


async def approach(field: Field, rounds: int, share: float = 1.0) -> Section:
    """COPY and ingest in turns."""
    city, messages = await field.city(), int(MESSAGES * share)
    copied, stored, cpu = [], [], []
    for round_ in range(1, rounds + 1):
        await field.clear(city)
        copied.append(messages / await asyncio.to_thread(_copy, city, messages))
        await field.clear(city)
        rate, cpu_us = await _ingest(field, city, messages)
        stored.append(rate)
        cpu.append(cpu_us)
        print(f"  round {round_}: COPY {copied[-1]:,.0f}/s, ingest {rate:,.0f}/s, {cpu_us:.1f} µs", file=sys.stderr)
    limit, ours = Series.of(copied), Series.of(stored)
    ratio = ours.over(limit).median * 100
    table = Table(["", "rows/s", "CPU µs a row"])
    table.rows.append(["prebuilt binary COPY", limit.text(), ""])
    table.rows.append(["Lamplighter, fed without a broker", ours.text(), Series.of(cpu).text(".1f")])
    target = Target(4, "ours of the prebuilt COPY", ratio, SHARE_OF_COPY_MIN * 100, True, " %")
    return Section(
        "4 · Without the broker", WORDS, table, [target], {"copy_rate": limit.median, "fed_rate": ours.median}
    )


def _copy(city: City, messages: int) -> float:
    """Seconds that the server takes for all rows."""
    payload = copy_rows(city.source.devices, messages, time.time_ns() // 1000)
    with psycopg.connect(city.url) as conn:
        begun_s = time.monotonic()
        with conn.cursor().copy(COPY) as copy:
            copy.write(payload)
        conn.commit()
        return time.monotonic() - begun_s


async def _ingest(field: Field, city: City, messages: int) -> tuple[float, float]:
    """Rows a second, and CPU microseconds a row."""
    async with field.blaster(city.source, messages, "serve") as blaster:
        port = (await blaster.says("port ", 20)).removeprefix("port ")
        async with field.ingest(city, url=f"mqtt://127.0.0.1:{port}") as ingest:
            await blaster.says("made", 20)
            before = ingest.weigh()
            blaster.send(signal.SIGUSR1)
            published = told(await blaster.says('"begun"', 120))
            after = ingest.weigh()
    rows = await city.rows()
    if rows < messages:
        raise Failed(f"Ingest acknowledged {messages:,} messages and stored {rows:,}")
    rate = messages / (await city.committed_at() - published.begun)
    return rate, (after.cpu_s - before.cpu_s) * 1e6 / messages
