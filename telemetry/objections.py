"""What a column at a time refuses: ranges and times, in the contract's order of reasons."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.clock import SECOND_US
from telemetry.columns import Columns
from telemetry.compiled import compiled
from telemetry.kind import Kind
from telemetry.limits import FUTURE_S_MAX
from telemetry.observation import BEFORE_1970, SEQ_OUT_OF_RANGE
from telemetry.refusals import Reason


class Objection(NamedTuple):
    """The rows that are refused, a mask `(n,)`, and the sentence for a row."""

    reason: Reason
    rows: NDArray[np.bool_]
    detail: Callable[[int], str]


def objections(columns: Columns, table: NDArray[np.float64], received_us: NDArray[np.int64]) -> Iterator[Objection]:
    """All objections to observations received then; the first that names a row is the one that counts.

    `table` is the fields of the columns in one piece, `(fields, n)`.
    """
    outside = compiled(columns.kind).outside(table)
    if not outside and _sound(columns, received_us):
        return
    for objection in _to_the_whole(columns, received_us):
        if objection.rows.any():
            yield objection
    for number in outside:
        yield _to_field(columns, number)


def underived(kind: Kind) -> str:
    """The sentence for an observation without its first marked field."""
    return f"{kind.marked[0]} is neither given nor derivable"


def _sound(columns: Columns, received_us: NDArray[np.int64]) -> bool:
    """Whether none of the objections to the whole can be; a least and a greatest are found sooner than rows."""
    least, greatest, observed_us = np.minimum.reduce, np.maximum.reduce, columns.observed_us
    return bool(
        not np.isnan(least(columns.fields[columns.kind.marked[0]]))
        and least(observed_us) >= 0
        and greatest(observed_us) <= least(received_us) + FUTURE_S_MAX * SECOND_US
        and least(columns.seq) != SEQ_OUT_OF_RANGE
    )


def _to_the_whole(columns: Columns, received_us: NDArray[np.int64]) -> Iterator[Objection]:
    kind, observed_us = columns.kind, columns.observed_us
    ahead_us = observed_us - received_us
    yield Objection(Reason.MISSING_FIELD, np.isnan(columns.fields[kind.marked[0]]), lambda row: underived(kind))
    yield Objection(Reason.BAD_TIMESTAMP, observed_us < 0, lambda row: BEFORE_1970)
    yield Objection(
        Reason.FUTURE_TIMESTAMP,
        ahead_us > FUTURE_S_MAX * SECOND_US,
        lambda row: f"ts is {int(ahead_us[row]) // SECOND_US} s ahead of the city clock",
    )
    out = columns.seq == SEQ_OUT_OF_RANGE
    yield Objection(Reason.OUT_OF_RANGE, out, lambda row: "seq is negative or too large")


def _to_field(columns: Columns, number: int) -> Objection:
    each = columns.kind.properties[number]
    column, low, high = columns.fields[each.name], each.measure.low, each.measure.high

    def detail(row: int) -> str:
        said = "is too large a number:" if np.isinf(column[row]) else f"{float(column[row]):g} is"
        return f"{each.name} {said} outside {low:g} to {high:g} {each.unit}"

    return Objection(Reason.OUT_OF_RANGE, (column < low) | (column > high) | np.isinf(column), detail)
