"""A small notation for series, after Prometheus' rule tests.

`70+5x3` is 70 75 80 85 (a start and three steps), `90x2` is 90 90 90, `_` is a missing sample and `_x2` two of them,
`84` stands for itself. Samples follow each other at a fixed interval.
"""

import re

from telemetry.clock import SECOND_US

_ITEM = re.compile(r"(?P<start>-?\d+(?:\.\d+)?|_)(?P<step>[+-]\d+(?:\.\d+)?)?(?:x(?P<times>\d{1,7}))?")

FOLLOWS = "follows"
"""In place of a series: what the device was told."""
SAMPLES_MAX = 1_000_000
"""A series of more is a slip of the hand."""

Sample = tuple[int, float]
"""When, in microseconds since 1970, and the value."""


def values(notation: str) -> list[float | None]:
    """The samples of a notation, `None` where one is missing.

    Raises:
        ValueError: it is none, or has more than `SAMPLES_MAX` samples.
    """
    samples: list[float | None] = []
    for item in notation.split():
        found = _ITEM.fullmatch(item)
        if found is None or (found["start"] == "_" and found["step"]):
            raise ValueError(f"{item!r} is no series as 70+5x3, 90x2, _x2 or 84")
        times = int(found["times"] or 0)
        if len(samples) + times > SAMPLES_MAX:
            raise ValueError(f"{item!r} makes a series of more than {SAMPLES_MAX} samples")
        if found["start"] == "_":
            samples += [None] * max(times, 1)
            continue
        start, step = float(found["start"]), float(found["step"] or 0)
        samples += [round(start + step * number, 9) for number in range(times + 1)]
    return samples


def series(notation: str, start_us: int, every_s: float) -> list[Sample]:
    """The samples that are there, with their times; raises what `values` raises."""
    timed = ((start_us + round(place * every_s * SECOND_US), value) for place, value in enumerate(values(notation)))
    return [(at_us, value) for at_us, value in timed if value is not None]
