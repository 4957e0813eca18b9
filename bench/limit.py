"""Figure 4: with the broker out of the way, how near ingest comes to what the database server itself can take."""

import signal
import sys
import time
from dataclasses import dataclass

from psycopg import AsyncConnection

from bench.field import City, Field, told
from bench.figures import Section, Series, Table, Target
from bench.processes import Failed, Weight
from bench.traffic import COPY_COLUMNS, copy_rows

MESSAGES = 200_000
SHARE_OF_COPY_MIN = 0.65
PATIENCE_S = 30.0
COPY = f"COPY streetlight ({', '.join(COPY_COLUMNS)}) FROM STDIN (FORMAT BINARY)"

WORDS = """\
A process of ours plays the broker and sends as fast as ingest acknowledges; ingest is the service as it is: it checks
ranges, recognises what is there already, keeps the latest reading of each device and the ledger, and acknowledges after
the commit. Beside it the physical limit: the same rows, encoded before, by one binary COPY in one transaction, which
does none of this."""


@dataclass(frozen=True, slots=True)
class Run:
    """One turn: rows a second, and CPU microseconds a row."""

    rate: float
    ingest_us: float
    database_us: float


async def approach(field: Field, rounds: int, share: float = 1.0) -> Section:
    """COPY and ingest in turns."""
    city, messages = await field.city(), int(MESSAGES * share)
    copies, ours = [], []
    for round_ in range(1, rounds + 1):
        copies.append(await _copy(field, city, messages))
        ours.append(await _ingest(field, city, messages))
        print(f"  round {round_}: COPY {copies[-1].rate:,.0f}/s, ingest {ours[-1].rate:,.0f}/s", file=sys.stderr)
    limit, fed = (Series.of(one.rate for one in several) for several in (copies, ours))
    table = Table(["", "rows/s", "ingest, CPU µs a row", "database, CPU µs a row"])
    for name, several, rates in (("prebuilt binary COPY", copies, limit), ("Lamplighter", ours, fed)):
        costs = (Series.of(one.ingest_us for one in several), Series.of(one.database_us for one in several))
        table.rows.append([name, rates.text(), *(cost.text(".1f") if cost.median else "" for cost in costs)])
    ratio = fed.over(limit).median * 100
    target = Target(4, "ours of the prebuilt COPY", ratio, SHARE_OF_COPY_MIN * 100, True, " %")
    return Section(
        "4 · Without the broker", WORDS, table, [target], {"copy_rate": limit.median, "fed_rate": fed.median}
    )


async def _copy(field: Field, city: City, messages: int) -> Run:
    """The server alone, from the first byte to the commit."""
    await field.clear(city)
    payload = copy_rows(city.source.devices, messages, time.time_ns() // 1000)
    async with await AsyncConnection.connect(city.url) as conn:
        before, begun_s = field.weigh([]), time.monotonic()
        async with conn.cursor().copy(COPY) as copy:
            await copy.write(payload)
        await conn.commit()
        return _run(messages, time.monotonic() - begun_s, before, field.weigh([]))


async def _ingest(field: Field, city: City, messages: int) -> Run:
    """Ingest, from the first message sent to the last commit."""
    await field.clear(city)
    async with field.blaster(city.source, messages, "serve") as blaster:
        port = (await blaster.says("port ", PATIENCE_S)).removeprefix("port ")
        async with field.ingest(city, url=f"mqtt://127.0.0.1:{port}") as ingest:
            await blaster.says("made", PATIENCE_S)
            before = field.weigh([ingest])
            blaster.send(signal.SIGUSR1)
            published = told(await blaster.says('"begun"', PATIENCE_S + messages / 1_000))
            after = field.weigh([ingest])
    rows = await city.rows()
    if rows < messages:
        raise Failed(f"Ingest acknowledged {messages:,} messages and stored {rows:,}")
    return _run(messages, await city.committed_at() - published.begun, before, after)


def _run(messages: int, took_s: float, before: dict[str, Weight], after: dict[str, Weight]) -> Run:
    cost_us = {part: (after[part].cpu_s - before[part].cpu_s) * 1e6 / messages for part in after}
    return Run(messages / took_s, cost_us["contender"], cost_us["database"])
