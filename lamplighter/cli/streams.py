"""Standard input, output and error: there from the start, and with a memory of what output did not take."""

import io
import os
import sys
from typing import cast

_OPENED = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""How a standard stream that is closed is opened: writing to standard output then fails, as it should."""


class _Output(io.FileIO):
    """Standard output, which knows why it was not written though whoever printed has dropped the error."""

    refused: OSError | None = None

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            self.refused = error
            raise


def prepare() -> None:
    """Let no file or socket of ours take the place of a standard stream that is closed, and watch the output."""
    for number, how in _OPENED.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, how)  # takes the lowest free number, which is this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    was = cast(io.TextIOWrapper, sys.stdout or sys.stderr)
    watched = io.BufferedWriter(_Output(1, "w", closefd=False))
    at_once = was.line_buffering or was.write_through  # in a terminal, or as PYTHONUNBUFFERED asks
    sys.stdout = io.TextIOWrapper(watched, was.encoding, was.errors, line_buffering=at_once)


def unwritten() -> OSError | None:
    """Why standard output has not taken all that was printed; None: it has."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.refused if isinstance(raw, _Output) else None


def give_up_output() -> None:
    """Let the rest of what is printed go nowhere, so that nothing complains once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
