"""What was stored, as windows of time for a backtest: all kinds together, in the order of time, a little at once.

A window ends every few minutes, and wherever a program, the sun or a wish changes what lamps are to give, so that no
light is counted a window too long. Memory holds one window, and what was read ahead of it.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from rules.backtest.replay import Answers, Window
from rules.city import LAMPS, City
from rules.drains.flow import SLOT_US
from rules.inputs import Ended, Override
from storage.history_reading import Acknowledged, Wish
from telemetry.clock import MINUTE_US, SECOND_US
from telemetry.columns import Columns, join

WINDOW_ROWS = 2_000
"""Windows are so long that about as many observations come in one, as far as assets report as registered."""
WINDOW_US_MAX = 3 * SLOT_US
"""But no longer than this, for then commands would be renewed late."""
QUICK_US = MINUTE_US
"""Windows where a photocell or movement decides."""


def window_us(city: City) -> int:
    """How long windows are."""
    lamps = city.lamps
    if lamps.is_cell.any() or lamps.direct.any():
        return QUICK_US
    a_second = sum(float((SECOND_US / roll.interval_us).sum()) for roll in city.rolls.values() if len(roll))
    slots = int(WINDOW_ROWS / max(a_second * SLOT_US / SECOND_US, 1))
    return SLOT_US * max(1, min(slots, WINDOW_US_MAX // SLOT_US))


def next_change_us(cities: Sequence[City], at_us: int) -> int:
    """When a program of these or the sun changes next what lamps are to give."""
    programs = [each.program for city in cities if len(city.rolls[LAMPS]) for each in city.lamps.beats]
    ends = (each.at(at_us).end_us for each in {id(each): each for each in programs}.values())
    return min(chain(ends, (city.sun.next_change_us(at_us) for city in cities)))


def ends(
    from_us: int, until_us: int, every_us: int, cuts: Iterable[int], change: Callable[[int], int]
) -> Iterator[int]:
    """When windows end: at multiples of `every_us`, at `cuts` (moments in order), at changes, and at the end."""
    ahead, at_us = [each for each in cuts if from_us < each < until_us], from_us
    change_us = change(at_us)
    while at_us < until_us:
        while change_us <= at_us:
            change_us = change(at_us)
        while ahead and ahead[0] <= at_us:
            ahead.pop(0)
        at_us = min([at_us - at_us % every_us + every_us, change_us, until_us, *ahead[:1]])
        yield at_us


@dataclass(slots=True)
class _Tape:
    """Observations of one kind as they are read; `rest` was read and lies ahead."""

    source: AsyncIterator[Columns]
    rest: Columns | None = None

    async def before(self, until_us: int) -> Columns | None:
        """All before a moment that have not been given yet, `None` for none."""
        parts: list[Columns] = []
        while True:
            self.rest = await anext(self.source, None) if self.rest is None else self.rest
            if self.rest is None or self.rest.observed_us[0] >= until_us:
                break
            place = int(np.searchsorted(self.rest.observed_us, until_us))
            every = np.arange(len(self.rest), dtype=np.intp)
            parts.append(self.rest.take(every[:place]))
            self.rest = self.rest.take(every[place:]) if place < len(every) else None
        return join(parts) if parts else None


@dataclass(slots=True)
class _Answers:
    """The same of acknowledged setpoints."""

    source: AsyncIterator[Acknowledged]
    rest: list[Acknowledged] = field(default_factory=list)

    async def before(self, until_us: int) -> Answers | None:
        while not self.rest or self.rest[-1].at_us[-1] < until_us:
            more = await anext(self.source, None)
            if more is None:
                break
            self.rest.append(more)
        if not self.rest or self.rest[0].at_us[0] >= until_us:
            return None
        columns = [
            np.concatenate([getattr(each, name) for each in self.rest])
            for name in ("at_us", "asset_id", "setpoint_pct", "until_us")
        ]
        place = int(np.searchsorted(columns[0], until_us))
        given, kept = [each[:place] for each in columns], [each[place:] for each in columns]
        self.rest = [Acknowledged(*kept)] if len(kept[0]) else []
        return Answers(*given)


async def windows(
    tapes: Mapping[str, AsyncIterator[Columns]],
    answers: AsyncIterator[Acknowledged],
    wishes: Sequence[Wish],
    ends: Iterator[int],
) -> AsyncIterator[Window]:
    """All windows in order; `ends` says when each ends. Wishes are taken up at the end of the window they come in."""
    reels = {kind: _Tape(source) for kind, source in tapes.items()}
    spoken = _Answers(answers)
    waiting, standing = list(wishes), list[Wish]()
    for until_us in ends:
        columns = {kind: found for kind, reel in reels.items() if (found := await reel.before(until_us)) is not None}
        begun = [each for each in waiting if each.at_us <= until_us]
        waiting = waiting[len(begun) :]
        standing += [each for each in begun if each.ended_us is not None]
        over = [each for each in standing if each.ended_us is not None and each.ended_us <= until_us]
        standing = [each for each in standing if each not in over]
        yield Window(
            until_us,
            columns,
            await spoken.before(until_us),
            [Override(each.id, each.asset_id, each.settings, each.expires_us) for each in begun],
            [Ended(each.id, each.ended_us) for each in over if each.ended_us is not None],
        )
