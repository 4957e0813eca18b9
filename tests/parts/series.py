"""Series in the notation of the rule tests on their way into observations."""

from collections.abc import Iterable, Sequence

import numpy as np

from rules.trial.series import Sample, series, values
from telemetry.columns import NO_SEQ, Columns
from telemetry.kinds import KINDS

__all__ = ["columns", "of_asset", "series", "values"]


def columns(kind: str, rows: Iterable[tuple[int, int, float]], field: str | None = None) -> Columns:
    """Observations (asset id, when, value) of a kind in order; the value is that of `field`, else the marked one."""
    listed = list(rows)
    described = KINDS[kind]
    name = field or described.marked[0]
    count = len(listed)
    fields = {each.name: np.full(count, np.nan) for each in described.properties}
    fields[name] = np.array([value for _, _, value in listed], np.float64)
    return Columns(
        described,
        np.array([asset for asset, _, _ in listed], np.int32),
        np.array([at_us for _, at_us, _ in listed], np.int64),
        np.zeros(count, np.bool_),
        np.full(count, NO_SEQ, np.int64),
        fields,
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.int32),
    )


def of_asset(asset_id: int, samples: Sequence[Sample]) -> list[tuple[int, int, float]]:
    """One asset's samples as rows for `columns`."""
    return [(asset_id, at_us, value) for at_us, value in samples]
