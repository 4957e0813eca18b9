"""`lamplighter import`: history from CSV, as another system or an export has it."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.errors import Failure, WrongUsage
from storage import audit, registry
from storage.errors import StorageError
from storage.history_csv import HistoryFile
from storage.pool import Connection
from storage.shared_clock import city_now
from storage.spreadsheet import open_text
from telemetry.registry import Registry

if TYPE_CHECKING:
    from ingest.history import Imported

SAY_TERMINAL_S, SAY_S = 0.5, 10.0
"""So often progress is said, on a terminal and elsewhere, in real seconds."""
_CLEAR = "\r\x1b[K"


def import_history(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV with a header.")],
    asset: Annotated[
        str | None, typer.Option(metavar="ASSET", help="Whose history it is, where no column says so.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name every bad line, and store nothing.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out, and store the others.")] = False,
    config: Config = None,
) -> None:
    """Store what was observed before: the whole file, or nothing of it if a line is bad.

    Columns are asset or device, ts, and the fields of the kinds. What is there already stays as it is.
    """
    settings = begin(config)
    from ingest import history  # heavy

    if not file.is_file() and not skip_bad:
        raise WrongUsage(f"{file} cannot be read twice, first to look for bad lines: make it a file, or --skip-bad.")
    counted = history.Imported()

    async def work() -> bool:
        """Whether the good lines were to be stored, and have been."""
        nonlocal counted
        async with database(settings) as connection:
            known = await registry.load(connection)
            if dry_run or not skip_bad:
                with open_text(file) as source:
                    first = history.Run(_reading(file, source, known, asset), _complain, _said("read", source))
                    counted = await history.check(connection, first)
                if dry_run or counted.bad:
                    return False
            with open_text(file) as source:
                second = history.Run(_reading(file, source, known, asset), _complain, _said("stored", source))
                counted = second.done
                await history.store(connection, second)
                await _note(connection, file, counted)
                return True

    try:
        stored = run(work())
    except OSError as error:
        raise Failure(f"{file} cannot be read ({error}).") from error
    except StorageError as error:
        if not counted.stored + counted.duplicate:
            raise
        sentence = f"{str(error).rstrip('.')}. Until then {_account(counted)}"
        raise Failure(f"{sentence}: run it again, and it continues.") from error
    left_out = f", {counted.bad:,} bad line{'s' * (counted.bad > 1)} left out" if counted.bad else ""
    if stored:
        print(f"{_account(counted)}{left_out}.")
    elif counted.bad and not skip_bad:
        lines = f"{counted.bad:,} of {counted.bad + counted.good:,} lines are bad"
        raise Failure(f"{file}: {lines}; nothing was stored. Mend them, or leave them out with --skip-bad.")
    else:
        print(f"{counted.good:,} line{'' if counted.good == 1 else 's'} can be stored{left_out}.")


async def _note(connection: Connection, file: Path, counted: "Imported") -> None:
    """Say in the audit what was imported."""
    await audit.record(
        connection,
        at_us=await city_now(connection),
        by=audit.COMMAND_LINE,
        action="import_history",
        subject="platform",
        detail={"file": file.name, **asdict(counted)},
    )


def _reading(file: Path, source: TextIO, known: Registry, asset: str | None) -> HistoryFile:
    reading = HistoryFile(source, known, asset)
    if reading.faults:
        raise Failure("\n".join(f"{file}, line 1: {fault}" for fault in reading.faults))
    return reading


def _complain(bad: object) -> None:
    print(f"{_CLEAR}{bad}" if sys.stderr.isatty() else bad, file=sys.stderr)


def _account(counted: "Imported") -> str:
    differing = f" ({counted.conflicting:,} with other values)" if counted.conflicting else ""
    plural = "" if counted.stored == 1 else "s"
    return f"{counted.stored:,} observation{plural} stored, {counted.duplicate:,} there already{differing}"


def _said(done: str, source: TextIO) -> Callable[["Imported"], None]:
    """Says on standard error how far a passage through the file has come."""
    size, began = os.fstat(source.fileno()).st_size, time.monotonic()
    is_terminal = sys.stderr.isatty()
    next_s = began + (0 if is_terminal else SAY_S)

    def say(counted: "Imported") -> None:
        nonlocal next_s
        now_s = time.monotonic()
        place = os.lseek(source.fileno(), 0, os.SEEK_CUR) if source.seekable() else 0
        ended = is_terminal and place >= size
        if now_s < next_s and not ended:
            return
        next_s = now_s + (SAY_TERMINAL_S if is_terminal else SAY_S)
        words = f"{counted.good + counted.bad:,} lines {done}"
        if 0 < place <= size:
            rest_s = (now_s - began) * (size - place) / place
            words = f"{place * 100 // size} %, {words}, about {rest_s:,.0f} s left"
        line = f"{_CLEAR}{words}" if is_terminal else words
        print(line, end="" if is_terminal and not ended else "\n", file=sys.stderr, flush=True)

    return say
