"""Grafana's intervals."""

import pytest

from dashboards import intervals

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("range_ms", "points", "least_ms", "chosen"),
    [
        (HOUR_MS, 1000, SECOND_MS, "5s"),
        (6 * HOUR_MS, 1000, SECOND_MS, "20s"),
        (7 * DAY_MS, 1000, MINUTE_MS, "10m"),
        (30 * DAY_MS, 1500, MINUTE_MS, "30m"),
        (365 * DAY_MS, 1500, MINUTE_MS, "6h"),
        (HOUR_MS, 1000, 5 * MINUTE_MS, "5m"),
    ],
)
def test_the_interval_that_grafana_chooses(range_ms: int, points: int, least_ms: int, chosen: str) -> None:
    assert intervals.words(intervals.automatic_ms(range_ms, points, least_ms)) == chosen


def test_what_is_shown_can_be_read_again() -> None:
    for interval_ms in (10, 500, 15_000, 300_000, 7_200_000, 86_400_000):
        assert intervals.seconds(intervals.words(interval_ms)) * 1000 == interval_ms


def test_months_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="1M"):
        intervals.seconds("1M")
