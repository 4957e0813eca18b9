"""`python -m bench.backtest`: ten million stored observations through two versions of the rules.

The database is started and filled here (see `week_city`), which is not in the figure. What is measured is the command
itself, `lamplighter rules backtest`, as anybody calls it: the connection, reading, both versions, the answer. It
writes `docs/backtest.md`; `--days` takes less, and then no page is written. The exit code is 1 where a target is
missed.
"""

import argparse
import asyncio
import datetime as dt
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import structlog

from bench import week_city
from bench.figures import Target
from bench.page import machine
from bench.processes import ROOT
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.postgres import embedded_postgres
from storage.migrate import migrate

PAGE = ROOT / "docs" / "backtest.md"
MARK = "<!-- Below: written by `python -m bench.backtest`. -->"
ASSETS, DAYS, WARM_UP_DAYS = 5_000, 7.0, 1
OBSERVATIONS_MIN, SECONDS_MAX, MEMORY_MB_MAX = 10_000_000, 120.0, 1_000.0
CANDIDATE = """
[drainage]
high_raise_delay_s = 1200
[[lighting.programs]]
name = "standard"
steps = [{ from = "22:00", to = "05:00", level_pct = 40 }]
"""


@dataclass
class Measured:
    """One run: how long, the answer, and the most memory of the command and of each of its processes, MB."""

    seconds: float
    answer: dict[str, object]
    whole_mb: float
    one_mb: float

    @property
    def observations(self) -> int:
        """How many were read."""
        return sum(each["count"] for each in self.answer["observations"].values())  # type: ignore[attr-defined]


def measure(url: str, folder: Path, days: float) -> Measured:
    """Run the command once."""
    rules = folder / "candidate.toml"
    rules.write_text(CANDIDATE)
    since = week_city.NOW - dt.timedelta(days=days - WARM_UP_DAYS)
    command = [
        *(sys.executable, "-m", "lamplighter", "rules", "backtest", str(rules), "--json"),
        *("--from", since.isoformat(), "--to", week_city.NOW.isoformat(), "--warm-up", f"{WARM_UP_DAYS}d"),
    ]
    place = {"LAMPLIGHTER_CITY_LAT": "51.45", "LAMPLIGHTER_CITY_LON": "7.01"}
    began = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=os.environ | place | {"LAMPLIGHTER_DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
    ) as running:
        peaks = [0.0, 0.0]
        watcher = threading.Thread(target=_watch, args=(running, peaks), daemon=True)
        watcher.start()
        out, _ = running.communicate()
    seconds = time.monotonic() - began
    if running.returncode:
        raise SystemExit("The backtest failed.")
    watcher.join()
    return Measured(seconds, json.loads(out), *peaks)


def _watch(running: subprocess.Popen[bytes], peaks: list[float]) -> None:
    """Look at the memory of the command and its processes again and again; pages they share count for each."""
    parent = psutil.Process(running.pid)
    while running.poll() is None:
        try:
            sizes = [each.memory_info().rss / 2**20 for each in (parent, *parent.children(recursive=True))]
        except psutil.Error:
            continue
        peaks[:] = max(peaks[0], sum(sizes)), max(peaks[1], *sizes)
        time.sleep(0.2)


def targets(found: Measured) -> list[Target]:
    """What was promised."""
    return [
        Target(6, "stored observations, warm-up included", found.observations, OBSERVATIONS_MIN, True, "", ",.0f"),
        Target(6, "through both versions, reading included", found.seconds, SECONDS_MAX, False, " s", ",.0f"),
        Target(6, "memory of all its processes at most", found.whole_mb, MEMORY_MB_MAX, False, " MB", ",.0f"),
    ]


def lines(found: Measured) -> list[str]:
    """The part of the page that is measured."""
    rate = found.observations / found.seconds
    alarms: dict[str, list[object] | int] = found.answer["alarms"]  # type: ignore[assignment]
    differing = sum(len(each) for each in alarms.values() if isinstance(each, list))
    return [
        MARK,
        "",
        f"{ASSETS:,} assets that report every {week_city.STEP_S // 60} minutes, {DAYS:g} days, {WARM_UP_DAYS} of them"
        " the warm-up, on plain PostgreSQL:",
        "",
        f"* {found.observations:,} observations in {found.seconds:,.0f} s, {rate:,.0f}/s through both versions,"
        f" reading included (at most {SECONDS_MAX:,.0f} s);",
        f"* at most {found.whole_mb:,.0f} MB in all three processes together, {found.one_mb:,.0f} MB in the largest;",
        f"* {alarms['same']:,} alarms of both versions alike, {differing:,} not.",
        "",
        *machine(),
        "",
    ]


async def run(days: float, scratch: Path) -> Measured:
    """Start a database, fill it, and measure."""
    home = data_folder(scratch / "home")
    settings = {"shared_buffers": "1GB", "fsync": "off", "max_wal_size": "4GB", "autovacuum": "off"}
    async with embedded_postgres(home, settings=settings) as server:
        await migrate(server.url)
        await asyncio.to_thread(week_city.build, server.url, ASSETS, days)
        return await asyncio.to_thread(measure, server.url, scratch, days)


def main() -> int:
    """Read the options and go."""
    parser = argparse.ArgumentParser(prog="python -m bench.backtest", description=__doc__)
    parser.add_argument("--days", type=float, default=DAYS, help=f"by default {DAYS:g}, of which one is the warm-up")
    days = parser.parse_args().days
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as scratch:
        Path(scratch).chmod(0o711)  # as root the server runs as another user, who has to pass through
        found = asyncio.run(run(days, Path(scratch)))
    text = lines(found)
    print("\n".join(text))
    met = True
    for each in targets(found):
        met = met and each.met
        print(each.text())
    if days == DAYS and PAGE.exists():
        PAGE.write_text(PAGE.read_text().partition(MARK)[0] + "\n".join(text))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
