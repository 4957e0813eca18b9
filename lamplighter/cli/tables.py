"""Lists on standard output: aligned for people, one line an entry for programs."""

from collections.abc import Iterable, Sequence

from lamplighter import plain_text


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns as wide as their longest cell; nothing is cut or wrapped."""
    lines = [list(header), *([plain_text.line(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
