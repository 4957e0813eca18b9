"""When a disk will be full, and what size a database settles at."""

import pytest

from storage.forecast import Part, foresee, full_in_days

RAW = Part(size_bytes=100, day_bytes=10, days=30)
HOURLY = Part(size_bytes=50, day_bytes=1, days=100)
DAILY = Part(size_bytes=5, day_bytes=0.5, days=None)


def test_what_is_kept_for_a_time_settles_and_what_is_kept_for_ever_grows() -> None:
    found = foresee([RAW, HOURLY, DAILY], other_bytes=7)
    assert (found.size_bytes, found.day_bytes) == (162, 11.5)
    assert found.settled_bytes == 7 + 300 + 100 + 5
    assert found.year_bytes == 182.5


@pytest.mark.parametrize(
    ("free", "days"),
    [(11.5, 1), (230, 20), (230 + 15, 30), (230 + 45, 50), (230 + 45 + 50, 150)],
)
def test_the_disk_fills_more_slowly_as_parts_settle(free: float, days: float) -> None:
    assert full_in_days([RAW, HOURLY, DAILY], free) == pytest.approx(days)


def test_a_disk_that_is_large_enough_never_fills() -> None:
    assert full_in_days([RAW, HOURLY], 250) == pytest.approx(50)
    assert full_in_days([RAW, HOURLY], 251) is None
    assert full_in_days([], 1) is None


def test_what_is_larger_than_it_settles_at_gives_nothing_back() -> None:
    assert foresee([Part(size_bytes=1000, day_bytes=1, days=30)]).settled_bytes == 1000
