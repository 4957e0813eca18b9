"""How many messages a second become committed rows, beside a bare client and a naive pipeline.

Mosquitto at QoS 1 and PostgreSQL, both our embedded ones, and one publisher as fast as the broker confirms; the
contenders take turns, round after round, so that a busy machine troubles all alike. A rate counts from the first
publish to the last message dealt with: for ours its row is committed and it is acknowledged, for the naive pipeline its
INSERT has returned, for the bare client it has been received and acknowledged.
"""

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import structlog

from bench.blaster import kind_of
from bus.inbox import Subscriber
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.broker import embedded_broker
from lamplighter.embedded.postgres import embedded_postgres
from storage import registry
from storage.migrate import migrate
from storage.pool import connect
from telemetry.kinds import KINDS

NAIVE_RATIO_MIN = 8.0
BARE_RATIO_MIN = 0.5
ROOT = Path(__file__).parents[1]
WINDOW = 2_000


@dataclass
class Result:
    """Figures of one contender over all rounds: messages a second, and its own CPU time a message."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


class Field:
    """The broker and the database that all contenders share."""

    def __init__(self, mqtt_url: str, database_url: str, devices: int) -> None:
        self._mqtt_url, self._database_url, self._devices = mqtt_url, database_url, devices

    async def prepare(self) -> None:
        await migrate(self._database_url)
        lines = [f"asset-{number},{kind_of(number)},,,,,device-{number}" for number in range(self._devices)]
        text = "\n".join(["asset,kind,name,zone,lat,lon,device", *lines, ""])
        async with await connect(self._database_url) as conn:
            await registry.import_csv(conn, text, 0)

    async def race(self, name: str, messages: int, rate: float = 0) -> dict[str, float]:
        """Let one contender deal with so many messages."""
        await self._clear()
        contender = await self._start("bench.contenders", name, self._mqtt_url, self._database_url, str(messages))
        assert contender.stdout is not None
        async with asyncio.timeout(120):
            line = await contender.stdout.readline()
            assert line.strip() == b"ready", line
            blaster = await self._start(
                "bench.blaster", self._mqtt_url, str(messages), str(self._devices), str(WINDOW), str(rate)
            )
            published = json.loads((await blaster.communicate())[0])
            dealt = json.loads((await contender.communicate())[0])
        return {"rate": messages / (dealt["ended"] - published["begun"]), "cpu_us": dealt["cpu_us"]}

    async def delay(self, rate: float, seconds: float) -> dict[str, float]:
        """From a reading's timestamp to its commit, in milliseconds, while ours is under a steady load."""
        await self.race("ours", int(rate * seconds), rate)
        tables = " UNION ALL ".join(
            f"SELECT pg_xact_commit_timestamp(xmin) - observed_at AS delay FROM {k}" for k in KINDS
        )
        query = f"""SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM delay) * 1000)
                    FROM ({tables}) rows"""
        with psycopg.connect(self._database_url) as conn:
            row = conn.execute(query).fetchone()
        assert row
        return {"rate": rate, "p50_ms": row[0][0], "p99_ms": row[0][1]}

    async def _clear(self) -> None:
        """Empty the tables, and have the broker forget what it kept for a contender before."""
        async with Subscriber(self._mqtt_url, "bench", ["nothing"], now=lambda: 0, clean=True) as inbox:
            await inbox.ready()
        with psycopg.connect(self._database_url, autocommit=True) as conn:
            conn.execute(f"TRUNCATE {', '.join(KINDS)}, latest_observation, rollup_dirty, ledger")
            conn.execute("CHECKPOINT")

    @staticmethod
    async def _start(module: str, *arguments: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", module, *arguments]
        return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    counts = {"bare": options.messages, "ours": options.messages, "naive": options.naive_messages}
    results = {name: Result() for name in counts}
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        home = data_folder(Path(folder))
        settings = {"track_commit_timestamp": "on"}
        async with (
            embedded_broker(home, software="mosquitto") as broker,
            embedded_postgres(home, settings=settings) as database,
        ):
            field = Field(broker.url, database.url, options.devices)
            await field.prepare()
            for round_ in range(options.rounds):
                for name, messages in counts.items():
                    one = await field.race(name, messages)
                    results[name].rates.append(one["rate"])
                    results[name].cpu_us.append(one["cpu_us"])
                    print(f"round {round_ + 1}: {name} {one['rate']:,.0f}/s", file=sys.stderr)
            delay = await field.delay(options.rate, 5) if options.rate else None
    return {"results": results, "delay": delay}


def table(results: dict[str, Result], delay: dict[str, float] | None) -> str:
    bare, naive = results["bare"].rate, results["naive"].rate
    lines = ["contender    msg/s (least to most)          CPU µs/msg    × naive    of bare"]
    for name, result in results.items():
        spread = f"{min(result.rates):,.0f} to {max(result.rates):,.0f}"
        lines.append(
            f"{name:<9} {result.rate:>8,.0f} ({spread:<17}) {statistics.median(result.cpu_us):>11.1f} "
            f"{result.rate / naive:>10.1f} {result.rate / bare:>9.0%}"
        )
    if delay:
        lines.append(
            f"ours at {delay['rate']:,.0f} msg/s, from reading to commit: "
            f"{delay['p50_ms']:.0f} ms (median), {delay['p99_ms']:.0f} ms (p99)"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="a round, for ours and the bare client")
    parser.add_argument("--naive-messages", type=int, default=5_000, help="a round, for the naive pipeline")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=5_000, help="steady load for the delay, 0 for none")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    measured = asyncio.run(measure(options))
    results: dict[str, Result] = measured["results"]
    ours = results["ours"].rate
    ratios = {"naive": ours / results["naive"].rate, "bare": ours / results["bare"].rate}
    met = ratios["naive"] >= NAIVE_RATIO_MIN and ratios["bare"] >= BARE_RATIO_MIN
    if options.json:
        figures = {
            name: {"rate": result.rate, "rates": result.rates, "cpu_us": result.cpu_us}
            for name, result in results.items()
        }
        print(json.dumps({**figures, "ratios": ratios, "delay": measured["delay"], "met": met}))
    else:
        print(table(results, measured["delay"]))
        print(f"at least {NAIVE_RATIO_MIN:g} × naive and {BARE_RATIO_MIN:.0%} of bare: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
