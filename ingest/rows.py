"""Observations of one kind on their way to the database, and which of them are the same observation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.columns import NO_SEQ, Columns
from telemetry.columns import join as join_columns

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """`columns` with the city's time at which each was received, `(n,) int64`."""

    columns: Columns
    received_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.received_us)

    def take(self, chosen: NDArray[np.intp] | Mask) -> "Rows":
        """The chosen rows, by index or mask."""
        return Rows(self.columns.take(chosen), self.received_us[chosen])


def join(parts: Sequence[Rows]) -> Rows:
    """The rows of several parts of the same kind, in their order; `parts` is not empty."""
    if len(parts) == 1:
        return parts[0]
    return Rows(join_columns([part.columns for part in parts]), np.concatenate([part.received_us for part in parts]))


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left of rows once the first of each observation stays, by asset and time; and how many did not.

    `conflicting` are those of the `duplicate` whose values differ from the first's.
    """

    rows: Rows
    duplicate: int = 0
    conflicting: int = 0


def settle(rows: Rows) -> Settled:
    """Settle the duplicates among the rows themselves.

    Same asset and same time are the same observation; without a time of its own, same asset and same `seq`.
    """
    columns = rows.columns
    duplicate = conflicting = 0
    counted = without_time(columns)
    if counted.any():
        places = np.flatnonzero(counted)
        repeated, first = _repeats(columns.asset_id[places], columns.seq[places])
        if repeated.any():
            again, original = places[repeated], places[first[repeated]]
            duplicate += len(again)
            conflicting += int(_differ(columns, again, original).sum())
            keep = np.ones(len(rows), dtype=np.bool_)
            keep[again] = False
            rows = rows.take(keep)
            columns = rows.columns
    order = np.lexsort((columns.observed_us, columns.asset_id))
    asset, observed = columns.asset_id[order], columns.observed_us[order]
    repeated = np.zeros(len(order), dtype=np.bool_)
    repeated[1:] = (asset[1:] == asset[:-1]) & (observed[1:] == observed[:-1])
    if not repeated.any():
        return Settled(rows.take(order), duplicate, conflicting)
    first = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(order))))
    again, original = order[repeated], order[first[repeated]]
    return Settled(
        rows.take(order[~repeated]),
        duplicate + len(again),
        conflicting + int(_differ(columns, again, original).sum()),
    )


def without_time(columns: Columns) -> Mask:
    """Rows that only their `seq` can tell from a redelivery."""
    counted: Mask = columns.seq != NO_SEQ
    return columns.from_receipt & counted


def newest(rows: Rows) -> Rows:
    """The newest row of each asset; `rows` are sorted by asset and time."""
    asset = rows.columns.asset_id
    last = np.ones(len(asset), dtype=np.bool_)
    last[:-1] = asset[1:] != asset[:-1]
    return rows.take(last)


def _repeats(asset: NDArray[np.int32], seq: NDArray[np.int64]) -> tuple[Mask, NDArray[np.intp]]:
    """Which rows repeat an earlier one, and the place of the first of each."""
    order = np.lexsort((seq, asset))
    again = np.zeros(len(order), dtype=np.bool_)
    again[1:] = (asset[order][1:] == asset[order][:-1]) & (seq[order][1:] == seq[order][:-1])
    head = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    repeated, first = np.empty_like(again), np.empty_like(order)
    repeated[order], first[order] = again, order[head]
    return repeated, first


def _differ(columns: Columns, one: NDArray[np.intp], other: NDArray[np.intp]) -> Mask:
    """Whether any field of the rows differs; absent equals absent."""
    differ = np.zeros(len(one), dtype=np.bool_)
    for column in columns.fields.values():
        a, b = column[one], column[other]
        differ |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differ
