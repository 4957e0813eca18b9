"""What the whole demo costs while little happens: memory and CPU of each process. Writes `docs/footprint.md`."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]

from bench import page, processes
from bench.figures import Table, Target
from bench.processes import ROOT

PAGE = ROOT / "docs" / "footprint.md"
DEVICES = 300
SETTLE_S = 60.0
"""A demo that has just begun has everything still to do."""
SECONDS = 120.0
READY_S = 60.0
MEMORY_MIB_MAX = 600.0
CPU_PCT_MAX = 10.0
SERVICES = "lamplighter: ingest, rules, API, upkeep and the simulator of 300 devices"
NAMES = {"python": SERVICES, "lamplighter": SERVICES, "mosquitto": "mosquitto: the broker", "postgres": "postgres"}


@dataclass(frozen=True)
class Cost:
    """Of the processes of one name: how many, MiB of their own and MiB that they share, CPU seconds so far."""

    count: int = 0
    own_mib: float = 0.0
    shared_mib: float = 0.0
    cpu_s: float = 0.0

    @property
    def mib(self) -> float:
        """All together; what is shared once."""
        return self.own_mib + self.shared_mib

    def __add__(self, other: "Cost") -> "Cost":
        shared_mib = max(self.shared_mib, other.shared_mib)
        return Cost(self.count + other.count, self.own_mib + other.own_mib, shared_mib, self.cpu_s + other.cpu_s)


def costs(pid: int) -> dict[str, Cost]:
    """A process and all below it, by name; CPU of those that have ended below is their parent's."""
    found: defaultdict[str, Cost] = defaultdict(Cost)
    main = psutil.Process(pid)
    for each in (main, *main.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            spent_s = times.user + times.system + times.children_user + times.children_system
            name = next((words for known, words in NAMES.items() if each.name().startswith(known)), each.name())
            held = each.memory_info()
            found[name] += Cost(1, (held.rss - held.shared) / 2**20, held.shared / 2**20, spent_s)
    return dict(found)


async def measure(seconds: float, folder: Path) -> tuple[Table, list[Target]]:
    """Run the demo, let it settle, and look at its processes."""
    ports = ("--http-port", "0", "--mqtt-port", "0")
    command = processes.python("-m", "lamplighter", "demo", "--json", "--devices", str(DEVICES), *ports)
    async with processes.running("lamplighter demo", command, folder, {}) as demo:
        ready = msgspec.json.decode(await demo.says('"ready"', READY_S))
        assert ready["ready"]
        await asyncio.sleep(SETTLE_S)
        before, since_s = costs(demo.pid), time.monotonic()
        await asyncio.sleep(seconds)
        after, took_s = costs(demo.pid), time.monotonic() - since_s
    table, count, mib, busy_pct = Table(["process", "how many", "memory", "CPU of one core"]), 0, 0.0, 0.0
    for name, cost in after.items():
        pct = 100 * (cost.cpu_s - before.get(name, Cost()).cpu_s) / took_s
        table.rows.append([name, str(cost.count), f"{cost.mib:,.0f} MiB", f"{pct:.1f} %"])
        count, mib, busy_pct = count + cost.count, mib + cost.mib, busy_pct + pct
    table.rows.append(["all", str(count), f"{mib:,.0f} MiB", f"{busy_pct:.1f} %"])
    targets = [
        Target(7, "memory of the whole demo", mib, MEMORY_MIB_MAX, False, " MiB"),
        Target(7, "CPU of the whole demo while little happens", busy_pct, CPU_PCT_MAX, False, " % of one core"),
    ]
    return table, targets


def written(table: Table, targets: list[Target], seconds: float) -> str:
    """The page."""
    of = "".join(f"- {line.removesuffix(' with fsync')}\n" for line in page.machine())  # a demo does without
    held = "".join(f"- {target.text()}\n" for target in targets)
    return (
        "# What it costs while little happens\n\n"
        "Written by `python -m bench.footprint`; run it to have the figures of your machine.\n\n"
        f"`lamplighter demo` with {DEVICES} devices on real time, {SETTLE_S:.0f} s after it was ready, over "
        f"{seconds:.0f} s. Memory is what is resident; what the processes of one name share, as PostgreSQL's its "
        f"cache, is counted once. CPU is user and system time.\n\n{page.pipes(table)}\n\n{held}\n"
        f"{of}\nThe services as processes of their own, under load and over time, are in "
        "[the soak](soak.md).\n"
    )


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long CPU is counted")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lamplighter-footprint-") as folder:
        table, targets = asyncio.run(measure(wanted.seconds, Path(folder)))
    PAGE.write_text(written(table, targets, wanted.seconds), encoding="utf-8")
    print("\n".join(target.text() for target in targets))
    return int(not all(target.met for target in targets))


if __name__ == "__main__":
    sys.exit(main())
