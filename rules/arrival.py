"""The order in which observations count: late ones are set aside, the rest comes in waves of one row an asset.

Late is what is not newer than the newest processed observation of its asset, in order of arrival (contract §1). What is
left of one asset is therefore in order of event time. A wave takes the next observation of every asset at once; assets
do not influence each other while it is processed, so the order across assets does not matter. Drains look at the rain
over others: their waves go through time slot by slot, so that a long batch decides as many short ones do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rules.memory import Bools, Reals, Rows, Times
from telemetry.columns import Columns


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Observations of one kind in order of arrival; `row` is each one's asset in the kind's roll, all `(n,)`."""

    row: Rows
    observed_us: Times
    message: Rows
    fields: dict[str, Reals]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: Rows | Bools) -> "Arrivals":
        """The chosen observations, by index or mask."""
        return Arrivals(
            self.row[chosen],
            self.observed_us[chosen],
            self.message[chosen],
            {name: column[chosen] for name, column in self.fields.items()},
        )


def arrivals(columns: Columns, row: Rows) -> Arrivals:
    """The observations of known assets; `row` is the asset of each in the roll, −1 where unknown."""
    known = row >= 0
    all_known = Arrivals(row, columns.observed_us, columns.message.astype(np.intp), columns.fields)
    return all_known if known.all() else all_known.take(known)


def on_time(found: Arrivals, position_us: Times) -> Bools:
    """Which observations are not late, given the newest processed of each asset `(assets,)`."""
    newer = found.observed_us > position_us[found.row]
    order = np.argsort(found.row, kind="stable")
    row = found.row[order]
    again = row[1:] == row[:-1]
    if not again.any():
        return newer
    # Several of an asset: each must also be newer than all before it. Ranks shifted by group make one running maximum.
    _, rank = np.unique(found.observed_us, return_inverse=True)
    group = np.concatenate(([0], np.cumsum(~again)))
    keyed = rank[order] + group * (len(found) + 1)
    running = np.maximum.accumulate(keyed)
    newest = np.concatenate(([True], ~again | (keyed[1:] > running[:-1])))
    newer[order] &= newest
    return newer


def waves(found: Arrivals, slot_us: int | None = None) -> Iterator[Arrivals]:
    """The observations in waves of at most one an asset, each asset's in order.

    Where assets look at each other, a wave holds observations of one slot of time only, and slots come in order.
    """
    for part in [found] if slot_us is None or not len(found) else _slots(found, slot_us):
        for chosen in rounds(part.row):
            yield part.take(chosen)


def _slots(found: Arrivals, slot_us: int) -> Iterator[Arrivals]:
    slot = found.observed_us // slot_us
    if (slot == slot[0]).all():
        yield found
        return
    order = np.argsort(slot, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(slot[order])) + 1):
        yield found.take(chosen)


def rounds(row: Rows) -> Iterator[Rows]:
    """Indices into `row` in lots without a repeat: the first of each row, then the second of each, and so on."""
    if not len(row):
        return
    order = np.argsort(row, kind="stable")
    grouped = row[order]
    first = np.concatenate(([True], grouped[1:] != grouped[:-1]))
    if first.all():
        yield np.arange(len(row))
        return
    starts = np.flatnonzero(first)
    number = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
    by_round = np.argsort(number, kind="stable")
    edges = np.append(np.flatnonzero(np.diff(number[by_round])) + 1, len(row))
    start = 0
    for end in edges:
        yield order[by_round[start:end]]
        start = end
