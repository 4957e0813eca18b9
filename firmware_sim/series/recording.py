"""What every format yields: a recording, which can be read through in time order as often as one likes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from firmware_sim.behaviours import Fields
from firmware_sim.city import Row

Reading = tuple[int, str, str, Fields]
"""(µs since 1970 UTC, kind, device, fields) of one observation."""


class BadRecording(ValueError):
    """The file cannot be replayed; the message is one sentence with file and line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A checked file: what it says of assets, from when to when it goes, how many lines of data it has."""

    registry: tuple[Row, ...]
    start_us: int
    end_us: int
    lines: int
    readings: Callable[[], Iterator[Reading]]


class Span:
    """Notes times as they come: the first and the last, and whether they came in order."""

    def __init__(self) -> None:
        self.count = 0
        self.in_order = True
        self.start_us = self.end_us = self._newest_us = 0

    def note(self, moment_us: int) -> None:
        """Another time."""
        if self.count == 0:
            self.start_us = self.end_us = self._newest_us = moment_us
        self.in_order &= moment_us >= self._newest_us
        self._newest_us = moment_us
        self.start_us, self.end_us = min(self.start_us, moment_us), max(self.end_us, moment_us)
        self.count += 1


def ordered(read: Callable[[], Iterable[Reading]], span: Span) -> Callable[[], Iterator[Reading]]:
    """Readings in time order: as they come where the file is in order, else all of them sorted in memory."""
    if span.in_order:
        return lambda: iter(read())
    return lambda: iter(sorted(read(), key=lambda reading: reading[0]))
