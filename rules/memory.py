"""What a rule remembers of its assets: columns of equal length, one row an asset."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Self, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from telemetry.registry import ALWAYS_US, EVER_US

Times = NDArray[np.int64]
"""Microseconds since 1970 UTC."""
Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Counts = NDArray[np.int32]
Names = NDArray[np.object_]
Rows = NDArray[np.intp]

NEVER_US = EVER_US
"""A time before all others: it has not happened."""
FOREVER_US = ALWAYS_US
"""A time after all others: it will not happen."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is kept: its type, and the value of an asset of which nothing is known.

    A column of a `width` holds so many values an asset, `(n, width)`.
    """

    dtype: type[np.generic]
    blank: Any
    width: int = 0

    def blanks(self, rows: int) -> NDArray[Any]:
        """The column of assets of which nothing is known."""
        return np.full((rows, self.width) if self.width else rows, self.blank, self.dtype)

    def is_blank(self, value: Any) -> bool:
        """Whether this says that nothing is known."""
        return bool(value == self.blank or value != value)


TimeColumn = Annotated[Times, Column(np.int64, NEVER_US)]
SpanColumn = Annotated[Times, Column(np.int64, 0)]
RealColumn = Annotated[Reals, Column(np.float64, np.nan)]
FlagColumn = Annotated[Bools, Column(np.bool_, False)]
CountColumn = Annotated[Counts, Column(np.int32, 0)]
NameColumn = Annotated[Names, Column(np.object_, "")]


@dataclass(slots=True, eq=False)
class Memory:
    """Columns of one rule, each `(n,)`. A subclass is a dataclass whose fields are annotated with a `Column`."""

    @classmethod
    def blank(cls, rows: int) -> Self:
        """The memory of assets of which nothing is known."""
        return cls(*[each.blanks(rows) for each in _columns(cls).values()])

    def copy(self) -> Self:
        """An independent copy."""
        return type(self)(*[column.copy() for column in self._arrays()])

    def taken(self, source: Rows) -> Self:
        """Row i is this memory's row `source[i]`, blank where that is −1."""
        moved = self.blank(len(source))
        known = source >= 0
        for old, new in zip(self._arrays(), moved._arrays(), strict=True):
            new[known] = old[source[known]]
        return moved

    def put(self, rows: Rows, other: Self) -> None:
        """Take these rows over from another memory of equal length."""
        if len(rows):
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True):
                mine[rows] = theirs[rows]

    def differs(self, other: Self) -> Bools:
        """Which rows are not the same in another memory of equal length."""
        result = np.zeros(len(self), np.bool_)
        for mine, theirs in zip(self._arrays(), other._arrays(), strict=True):
            unlike = mine != theirs
            if mine.dtype == np.float64:
                unlike &= ~(np.isnan(mine) & np.isnan(theirs))
            result |= unlike.any(axis=1) if unlike.ndim > 1 else unlike
        return result

    def dump(self, row: int) -> dict[str, Any]:
        """What is not blank in a row, as JSON knows it."""
        values: dict[str, Any] = {}
        for (name, column), array in zip(_columns(type(self)).items(), self._arrays(), strict=True):
            value = array[row]
            if column.width:
                several = [None if column.is_blank(each) else each for each in value.tolist()]
                values |= {name: several} if any(each is not None for each in several) else {}
            elif not column.is_blank(value):
                values[name] = value.item() if isinstance(value, np.generic) else value
        return values

    def load(self, row: int, values: dict[str, Any]) -> None:
        """Take up what `dump` gave; names that are no longer known are left aside, as are columns of another width."""
        for name, column in _columns(type(self)).items():
            value = values.get(name)
            if column.width and isinstance(value, list) and len(value) == column.width:
                getattr(self, name)[row] = [column.blank if each is None else each for each in value]
            elif value is not None and not column.width:
                getattr(self, name)[row] = value

    def __len__(self) -> int:
        return len(self._arrays()[0])

    def _arrays(self) -> list[NDArray[Any]]:
        return [getattr(self, name) for name in _columns(type(self))]


_known: dict[type, dict[str, Column]] = {}


def _columns(kind: type[Memory]) -> dict[str, Column]:
    """The columns of a memory by name, in order."""
    if kind not in _known:
        hints = get_type_hints(kind, include_extras=True)
        marks = {each.name: get_args(hints[each.name])[1:] for each in fields(kind)}
        _known[kind] = {name: next(m for m in found if isinstance(m, Column)) for name, found in marks.items()}
    return _known[kind]
