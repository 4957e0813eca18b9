"""A CSV file a line at a time, as spreadsheets write it, in memory that does not grow with it.

Commas, semicolons (as German spreadsheets write it) or tabs, with or without a byte order mark and Excel's `sep=` line;
then a line names the columns. A line that is broken is told and the next one is read.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LINE_CHARACTERS_MAX = 1024 * 1024
"""A longer line ends the reading: it is no spreadsheet's."""

_SEPARATOR = re.compile("sep=([,;\t])\r?\n", re.IGNORECASE)
_NO_UTF8 = re.compile("[\ud800-\udfff]")

_NO_UTF8_WORDS = "it holds bytes that are no UTF-8: save the file as UTF-8"
_TOO_LONG_WORDS = f"the line has more than {LINE_CHARACTERS_MAX:,} characters; nothing behind it was read"


class _TooLong(Exception):
    """A line has more than `LINE_CHARACTERS_MAX` characters."""


def open_text(file: Path) -> TextIO:
    """A file as readers of lines take it: bytes that are no UTF-8 are found where they stand. Raises `OSError`."""
    return file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def is_utf8(text: str) -> bool:
    """Whether a text of a file was UTF-8, and can be written as such."""
    return text.isascii() or _NO_UTF8.search(text) is None


class Spreadsheet:
    """Reads `source` (as `open_text` opens it) from its header on; `header` are the names of the columns."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        first = source.readline(LINE_CHARACTERS_MAX).removeprefix("\ufeff")
        said = _SEPARATOR.fullmatch(first)
        self._lines_before = 1 if said else 0
        if said:
            first = source.readline(LINE_CHARACTERS_MAX)
        self.delimiter = said[1] if said else next((each for each in "\t;" if each in first and "," not in first), ",")
        self._reader = csv.reader(self._lines(first), delimiter=self.delimiter, strict=True)
        self.fault = ""
        """Why the header cannot be read; empty where it can."""
        try:
            self.header = [cell.strip() for cell in next(self._reader, [])]
        except (csv.Error, _TooLong) as error:
            self.header, self.fault = [], _words(error)
        if not is_utf8(first) or "\0" in first:
            self.fault = _NO_UTF8_WORDS

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers may have a comma where others have a point: then it separates no cells."""
        return self.delimiter != ","

    def __iter__(self) -> Iterator[tuple[int, dict[str, str] | str]]:
        """Each line that is not empty: its number from 1, and its cells by column, or what is wrong with it.

        A row of several lines bears the number of its last one; a broken one that of its first, where a quote may be
        open that ends far below.
        """
        width = len(self.header)
        while True:
            begins = self._line + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                ends = self._line
                open_quote = f", read up to line {ends}: is a quote left open?" if ends > begins else ""
                yield begins, _words(error) + open_quote
                continue
            except _TooLong as error:
                yield self._line + 1, _words(error)
                return
            if cells is None:
                return
            texts = [cell.strip() for cell in cells]
            if not any(texts):
                continue
            if len(texts) != width:
                yield self._line, f"{len(texts)} cells, but the header has {width}"
            elif not is_utf8("".join(texts)):
                yield self._line, _NO_UTF8_WORDS
            else:
                yield self._line, dict(zip(self.header, texts, strict=True))

    @property
    def _line(self) -> int:
        """The number of the last line that was read."""
        return self._lines_before + self._reader.line_num

    def _lines(self, first: str) -> Iterator[str]:
        line = first
        while line:
            if len(line) >= LINE_CHARACTERS_MAX and not line.endswith("\n"):
                raise _TooLong
            yield line
            line = self._source.readline(LINE_CHARACTERS_MAX)


def _words(error: Exception) -> str:
    return _TOO_LONG_WORDS if isinstance(error, _TooLong) else f"the CSV is broken: {error}"
