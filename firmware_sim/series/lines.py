"""The lines of a CSV file with their numbers, and values from their texts; whatever is wrong says where."""

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from firmware_sim.series.recording import BadRecording
from telemetry.clock import to_us

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of data: column → text without spaces round it."""

    file: str
    number: int
    cells: dict[str, str]

    def wrong(self, sentence: str) -> NoReturn:
        """Refuse the file for this line.

        Raises:
            BadRecording: always.
        """
        raise BadRecording(f"{self.file} line {self.number}: {sentence}.")

    def number_in(self, column: str) -> float | None:
        """A finite number, `None` where the cell is empty."""
        text = self.cells[column]
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value - value != 0.0:
            self.wrong(f"{column} {text[:40]!r} is not a number")
        return value

    def whole_in(self, column: str) -> int:
        """An integer."""
        value = self.number_in(column)
        if value is None:
            self.wrong(f"{column} is empty")
        if value != int(value):
            self.wrong(f"{column} {self.cells[column]} is not a whole number")
        return int(value)

    def truth_in(self, column: str) -> bool:
        """`true`, `false`, `1`, `0`, `yes` or `no`."""
        value = _TRUTH.get(self.cells[column].lower())
        if value is None:
            self.wrong(f"{column} {self.cells[column][:40]!r} is neither true nor false")
        return value

    def moment_us(self, column: str, timezone: ZoneInfo | None = None) -> int:
        """An ISO 8601 time; without an offset it is local time of `timezone`, and refused where that is `None`.

        A local time that the clocks show twice is the first of the two.
        """
        text = self.cells[column]
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            self.wrong(f"{column} {text[:40]!r} is not a time")
        if moment.tzinfo is None and timezone is None:
            self.wrong(f"{column} {text} has no offset from UTC")
        moment_us = to_us(moment.replace(tzinfo=moment.tzinfo or timezone))
        if moment_us < 0:
            self.wrong(f"{column} {text} lies before 1970")
        return moment_us


def header_of(path: Path) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        BadRecording: the file cannot be read, is empty, or names a column twice or not at all.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names = tuple(name.strip() for name in next(csv.reader(file), []))
    except OSError as error:
        raise BadRecording(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise BadRecording(f"{path.name} line 1: this is no CSV in UTF-8.") from None
    if not names:
        raise BadRecording(f"{path.name} is empty.")
    for nth, name in enumerate(names, 1):
        if not name:
            raise BadRecording(f"{path.name} line 1: column {nth} has no name.")
        if names.index(name) != nth - 1:
            raise BadRecording(f"{path.name} line 1: column {name} is there twice.")
    return names


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of data, without empty ones.

    Raises:
        BadRecording: a line has more or fewer cells than the header, or is no UTF-8.
    """
    names = header_of(path)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        next(reader)
        try:
            for cells in reader:
                if not cells:
                    continue
                line = Line(path.name, reader.line_num, dict(zip(names, map(str.strip, cells), strict=False)))
                if len(cells) != len(names):
                    line.wrong(f"there are {len(cells)} cells, not {len(names)}")
                yield line
        except (UnicodeDecodeError, csv.Error):
            raise BadRecording(f"{path.name} line {reader.line_num + 1}: this is no CSV in UTF-8.") from None


def unknown_column(path: Path, name: str, known: str) -> BadRecording:
    """The refusal of a header."""
    return BadRecording(f"{path.name} line 1: column {name} is unknown; {known}.")
