"""Grafana's intervals: how it reads them, writes them, and chooses one for a panel."""

import re
from fractions import Fraction

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def seconds(text: str) -> Fraction:
    """The seconds of an interval such as `30s`, `1.5h`, `1d`; raises `ValueError` for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"Grafana cannot read the interval {text}")
    return Fraction(match[1]) * _UNIT_MS[match[2]] / 1000


def words(interval_ms: int) -> str:
    """An interval as `$__interval` shows it: whole numbers of the largest unit that fits."""
    for unit in ("d", "h", "m", "s"):
        if interval_ms >= _UNIT_MS[unit]:
            return f"{interval_ms // _UNIT_MS[unit]}{unit}"
    return f"{interval_ms}ms"


_ROUND_MS = (
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)
"""Below the first figure Grafana takes the second (`roundInterval`), all in milliseconds."""
_YEAR_MS = 31_536_000_000


def automatic_ms(range_ms: int, points: int, least_ms: int) -> int:
    """The interval that Grafana chooses so that a range of time makes about `points` points, at least `least_ms`."""
    exact_ms = range_ms / points
    rounded_ms = next((taken for below, taken in _ROUND_MS if exact_ms < below), _YEAR_MS)
    return max(rounded_ms, least_ms)
