"""A small notation for series, after Prometheus' rule tests, and its way into observations.

`70+5x3` is 70 75 80 85 (a start and three steps), `90x2` is 90 90 90, `_` is a missing sample and `_x2` two of them,
`84` stands for itself. Samples follow each other at a fixed interval.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from telemetry.clock import SECOND_US
from telemetry.columns import NO_SEQ, Columns
from telemetry.kinds import KINDS

_ITEM = re.compile(r"(?P<start>-?\d+(?:\.\d+)?|_)(?P<step>[+-]\d+(?:\.\d+)?)?(?:x(?P<times>\d+))?")

Sample = tuple[int, float]
"""When, in microseconds since 1970, and the value."""


def values(notation: str) -> list[float | None]:
    """The samples of a notation, `None` where one is missing."""
    samples: list[float | None] = []
    for item in notation.split():
        found = _ITEM.fullmatch(item)
        if found is None:
            raise ValueError(f"{item!r} is no series")
        times = int(found["times"] or 0)
        if found["start"] == "_":
            samples += [None] * max(times, 1)
            continue
        start, step = float(found["start"]), float(found["step"] or 0)
        samples += [round(start + step * number, 9) for number in range(times + 1)]
    return samples


def series(notation: str, start_us: int, every_s: float) -> list[Sample]:
    """The samples that are there, with their times."""
    timed = ((start_us + round(place * every_s * SECOND_US), value) for place, value in enumerate(values(notation)))
    return [(at_us, value) for at_us, value in timed if value is not None]


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
