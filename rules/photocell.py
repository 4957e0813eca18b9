"""A photocell decides only near dusk and dawn, and only as the hour goes: on in the evening, off in the morning.

Lamps go on at 35 lx and off at 25 lx: on lies above off, so a comparator that knew no hour would contradict itself.
Within its window round the dusk by the sun a cell may switch on earlier, and later until the guards' dusk at the most;
round dawn it may switch off later, and earlier until the guards' dawn at the most. Once it has switched it does not
switch back. A cell that is not heard leaves it to the sun.
"""

from dataclasses import dataclass

from rules.memory import NEVER_US, Memory, TimeColumn
from rules.sun import Sun
from telemetry.clock import SECOND_US
from telemetry.thresholds import Lighting


@dataclass(slots=True, eq=False)
class Photocell(Memory):
    """`seen_us`: its last reading within a window. `turned_us`: since when it has been dark (evening) or light."""

    seen_us: TimeColumn
    turned_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cell goes by: on at `on_lx` in the evening, off at `off_lx` in the morning, after `delay_us`."""

    on_lx: float
    off_lx: float
    delay_us: int
    patience_us: int


@dataclass(frozen=True, slots=True)
class Window:
    """When a cell may decide; `evening`: whether on, else off."""

    from_us: int
    until_us: int
    evening: bool


def window(clock: Sun, guard: Sun, lighting: Lighting, moment_us: int) -> Window | None:
    """The window that holds at a moment. `clock` is the sun that switches lamps, `guard` that of the guards."""
    width_us = lighting.photocell_window_s * SECOND_US
    for when, evening in clock.changes(moment_us - width_us, moment_us + width_us + 1):
        found = _evening(guard, when, width_us) if evening else _morning(guard, when, width_us)
        if found.from_us <= moment_us < found.until_us:
            return found
    return None


def read(cell: Photocell, row: int, at_us: int, lux: float, window: Window, limits: Limits) -> None:
    """Take in a reading within a window; what contradicts a change before its delay has run ends it."""
    turns = lux <= limits.on_lx if window.evening else lux >= limits.off_lx
    turned_us = int(cell.turned_us[row])
    cell.seen_us[row] = at_us
    if turns and turned_us < window.from_us:
        cell.turned_us[row] = at_us
    elif not turns and turned_us >= window.from_us and at_us < turned_us + limits.delay_us:
        cell.turned_us[row] = NEVER_US


def lit(cell: Photocell, row: int, window: Window, limits: Limits, now_us: int) -> tuple[bool, int] | None:
    """Whether a cell has its lamps lit within a window, and since when at the earliest; `None` if it is not heard."""
    due_us = int(cell.turned_us[row]) + limits.delay_us
    if cell.turned_us[row] >= window.from_us and due_us <= now_us:
        return window.evening, due_us
    if cell.seen_us[row] >= max(window.from_us, now_us - limits.patience_us):
        return not window.evening, window.from_us
    return None


def _evening(guard: Sun, dusk_us: int, width_us: int) -> Window:
    latest_us = dusk_us if guard.dark_at(dusk_us) else guard.next_change_us(dusk_us)
    return Window(dusk_us - width_us, min(dusk_us + width_us, latest_us), True)


def _morning(guard: Sun, dawn_us: int, width_us: int) -> Window:
    earliest_us = dawn_us - width_us
    if guard.dark_at(dawn_us):
        earliest_us = dawn_us
    elif guard.dark_at(earliest_us):
        earliest_us = guard.next_change_us(earliest_us)
    return Window(earliest_us, dawn_us + width_us, False)
