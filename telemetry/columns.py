"""Observations of one kind as columns: what decoding hands to storage and to rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.kind import Column, Kind

NO_SEQ = -1
"""`seq` of an observation without one."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`n` observations of one kind in order of arrival; every array has shape `(n,)`.

    `asset_id` int32; `observed_us` int64, UTC; `from_receipt` bool, true where the device gave no time; `seq` int64 or
    `NO_SEQ`; `fields` one float64 column a property, NaN where absent, truth as 0 and 1; `message` and `element` int32,
    the position of the uplink in its batch and of the observation in its array.
    """

    kind: Kind
    asset_id: NDArray[np.int32]
    observed_us: NDArray[np.int64]
    from_receipt: NDArray[np.bool_]
    seq: NDArray[np.int64]
    fields: dict[str, Column]
    message: NDArray[np.int32]
    element: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.asset_id)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Columns":
        """The chosen rows, by index or mask."""
        return Columns(
            self.kind,
            self.asset_id[rows],
            self.observed_us[rows],
            self.from_receipt[rows],
            self.seq[rows],
            {name: column[rows] for name, column in self.fields.items()},
            self.message[rows],
            self.element[rows],
        )


def join(parts: Sequence[Columns]) -> Columns:
    """One table of several of the same kind, in their order; `parts` is not empty."""
    if len(parts) == 1:
        return parts[0]
    return Columns(
        parts[0].kind,
        np.concatenate([p.asset_id for p in parts]),
        np.concatenate([p.observed_us for p in parts]),
        np.concatenate([p.from_receipt for p in parts]),
        np.concatenate([p.seq for p in parts]),
        {name: np.concatenate([p.fields[name] for p in parts]) for name in parts[0].fields},
        np.concatenate([p.message for p in parts]),
        np.concatenate([p.element for p in parts]),
    )
