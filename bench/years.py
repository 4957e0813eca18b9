"""`python -m bench.years`: how long a year's data takes to answer, and how; writes `docs/year_scale.md`.

The city (see `year_city`) needs about 40 GiB and 20 minutes of one core; `--scale 0.1` makes a tenth of it, and then no
page is written. `--home` keeps it for another run. TimescaleDB is measured at the same size where
LAMPLIGHTER_TEST_TIMESCALE_URL names a server. Its WASM build is asked too, at a hundredth, for equal answers only.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from bench import year_city, year_questions
from bench.figures import Series
from bench.page import machine
from bench.processes import ROOT
from bench.year_questions import QUESTIONS, Question
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.postgres import embedded_postgres
from storage import city, migrate
from storage.pool import connect
from telemetry.clock import CityClock, to_us
from tests.parts import databases, timescale

PAGE = ROOT / "docs" / "year_scale.md"
TIMESCALE = "LAMPLIGHTER_TEST_TIMESCALE_URL"
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""`shared_buffers` is what a server of 8 GB would have; the others only speed up the loading."""
SMALL = 0.01
WARM_UPS = 8
"""Answers before the first that counts, so that statements are prepared and what they read is in memory."""

_HEAD = """\
# A year of a city

Written by `python -m bench.years` from its own output, on the machine below. {assets:,} assets report every 5 minutes;
a year of hourly and daily rollups and a month of observations are kept, {size_gib:.0f} GiB with indexes. Rows lie in
the order in which they came. The queries are those of the API and of Grafana's panels, asked over one connection on a
warm cache; times are what the client waits, medians of {rounds} with the least and the greatest in brackets.
"""


async def prepare(url: str, scale: float) -> None:
    """Make the city at `url`, unless it stands there already."""
    mode = (await migrate.migrate(url)).mode
    async with await connect(url, statement_timeout_s=0) as conn:
        await city.set_clock(conn, CityClock(to_us(year_city.NOW), time.time_ns() // 1000, 1e-6))
        row = await (await conn.execute("SELECT count(*) FROM asset")).fetchone()
    if row and row[0]:
        return

    def build() -> None:
        for line in year_city.build(url, mode, scale):
            print(line, file=sys.stderr)

    await asyncio.to_thread(build)


async def measure(url: str, rounds: int) -> list[Series]:
    """What the client waits for each question, in milliseconds; questions take turns."""
    times: list[list[float]] = [[] for _ in QUESTIONS]
    async with await connect(url) as conn:
        for round_ in range(WARM_UPS + rounds):
            for question, taken in zip(QUESTIONS, times, strict=True):
                began = time.perf_counter()
                await question.ask(conn)
                if round_ >= WARM_UPS:
                    taken.append((time.perf_counter() - began) * 1000)
    return [Series.of(taken) for taken in times]


async def equal_answers(home: Path) -> str:
    """Ask both storage modes, at a hundredth of the size, and compare."""
    if reason := timescale.missing():
        return f"Equal answers of both storage modes were not tried: {reason}."
    async with embedded_postgres(data_folder(home), settings=SETTINGS) as server:
        with _wasm() as other:
            for url in (server.url, other):
                await prepare(url, SMALL)
            async with await connect(server.url) as one, await connect(other, statement_timeout_s=0) as two:
                wrong = [each.words for each in QUESTIONS if await _answer(each, one) != await _answer(each, two)]
    if wrong:
        raise SystemExit(f"The two storage modes do not agree on: {'; '.join(wrong)}")
    return "Native mode and TimescaleDB (its WASM build) give equal answers to all of them, at a hundredth of the size."


@contextmanager
def _wasm() -> Iterator[str]:
    server = timescale.TimescaleServer(timescale.base_snapshot())
    try:
        yield server.url
    finally:
        server.stop()


async def _answer(question: Question, conn: Any) -> list[str]:
    """Rounded, without ages and without an order."""
    answer = await question.ask(conn)
    rows = answer if isinstance(answer, list) else _rows(answer)
    return sorted(_rounded(row) for row in rows or [])


def _rows(result: Any) -> list[Any]:
    if not hasattr(result, "ntuples"):
        return [result]
    columns = [place for place in range(result.nfields) if result.fname(place) != b"age_s"]
    return [[result.get_value(row, place) for place in columns] for row in range(result.ntuples)]


def _rounded(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return str({name: _rounded(each) for name, each in value.items()})
    if isinstance(value, list | tuple):
        return str([_rounded(each) for each in value])
    if hasattr(value, "age_s"):
        return str([_rounded(getattr(value, name)) for name in value.__slots__ if name != "age_s"])
    return str(value)


def size_of(url: str) -> tuple[float, int, list[tuple[str, int, float]]]:
    """GiB of the database, its assets, and rows (estimated) and GiB of each relation that holds much."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT pg_database_size(current_database()), (SELECT count(*) FROM asset)").fetchone()
        parts = conn.execute(
            """SELECT regexp_replace(relname, '_\\d{4}_\\d\\d$', ''), sum(reltuples)::bigint,
                      sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
               WHERE nspname = 'public' AND relkind = 'r' GROUP BY 1 HAVING sum(reltuples) > 20000 ORDER BY 3 DESC"""
        ).fetchall()
    assert row
    return row[0] / 2**30, row[1], [(name, rows, size / 2**30) for name, rows, size in parts]


def page(url: str, modes: dict[str, list[Series]], plans: list[str], equal: str, rounds: int) -> str:
    """The whole page."""
    size_gib, assets, parts = size_of(url)
    lines = [_HEAD.format(assets=assets, size_gib=size_gib, rounds=rounds)]
    processor, system, _, load = machine()
    server = f"PostgreSQL {version('embedded-postgres')}, shared_buffers {SETTINGS['shared_buffers']}"
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        load += "; the run had precedence over other processes (real-time scheduling)"
    lines += [*(f"- {line}" for line in (processor, system, server, load)), "", equal, ""]
    lines += ["| asked | target |" + "".join(f" {mode} |" for mode in modes), "| --- | ---: |" + " ---: |" * len(modes)]
    for place, question in enumerate(QUESTIONS):
        target = f"{question.target_ms:.0f} ms" if question.target_ms else ""
        figures = "".join(f" {series[place].text('.1f', ' ms')} |" for series in modes.values())
        lines.append(f"| {question.words} | {target} |{figures}")
    lines += ["", "## What is kept", "", "| relation | rows | GiB with indexes |", "| --- | ---: | ---: |"]
    lines += [f"| `{name}` | {count:,} | {size:.2f} |" for name, count, size in parts]
    lines += ["", "## Plans", ""]
    for question, plan in zip(QUESTIONS, plans, strict=True):
        lines += [f"### {question.words}", "", "```", plan, "```", ""]
    return "\n".join(lines)


async def run(options: argparse.Namespace, home: Path) -> int:
    """Make, measure, write; 1 where a target is missed."""
    equal = await equal_answers(home / "small") if options.equal else ""
    modes: dict[str, list[Series]] = {}
    async with embedded_postgres(data_folder(home / "native"), settings=SETTINGS) as server:
        await prepare(server.url, options.scale)
        modes["native"] = await measure(server.url, options.rounds)
        if os.environ.get(TIMESCALE):
            with databases.fresh_database(os.environ[TIMESCALE]) as url:
                await prepare(url, options.scale)
                modes["TimescaleDB"] = await measure(url, options.rounds)
        plans = [await year_questions.plan(server.url, question) for question in QUESTIONS]
        text = page(server.url, modes, plans, equal, options.rounds)
    missed = False
    for mode, series in modes.items():
        for question, each in zip(QUESTIONS, series, strict=True):
            late = question.target_ms is not None and each.median > question.target_ms
            missed |= late
            print(f"{mode}: {question.words}: {each.text('.1f', ' ms')}{' MISSED' if late else ''}")
    if options.scale == 1 and options.equal:
        PAGE.write_text(text, encoding="utf-8")
    return int(missed)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 10,000 assets")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--home", type=Path, help="a folder that keeps the city for another run")
    parser.add_argument("--no-equal", dest="equal", action="store_false", help="leave out the comparison of modes")
    options = parser.parse_args()
    if options.home:
        return asyncio.run(run(options, data_folder(options.home)))
    with tempfile.TemporaryDirectory(prefix="lamplighter-years-") as folder:
        return asyncio.run(run(options, data_folder(Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
