"""Which partition a moment belongs to on plain PostgreSQL."""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.native import EARLY_MONTH, begin_of, end_of, month_of_name, months_of, partition_name
from telemetry.clock import to_datetime, to_us

MOMENTS = st.integers(0, to_us(dt.datetime(2200, 1, 1, tzinfo=dt.UTC)))


@given(MOMENTS)
def test_a_moment_lies_within_the_bounds_of_its_partition(us: int) -> None:
    (month,) = months_of(np.array([us]))
    moment = to_datetime(us)
    assert moment < end_of(month)
    assert month == EARLY_MONTH or begin_of(month) <= moment
    assert (month == EARLY_MONTH) == (moment.year < 2000)


@given(st.lists(MOMENTS, max_size=20))
def test_many_moments_need_the_partitions_of_each(us: list[int]) -> None:
    assert months_of(np.array(us, dtype=np.int64)) == {m for each in us for m in months_of(np.array([each]))}


@given(MOMENTS)
def test_a_partitions_name_tells_its_month(us: int) -> None:
    (month,) = months_of(np.array([us]))
    assert month_of_name(partition_name("streetlight", month)) == month


def test_names_are_readable() -> None:
    november = to_us(dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    (month,) = months_of(np.array([november]))
    assert partition_name("drain_level", month) == "drain_level_2026_11"
    assert partition_name("drain_level", EARLY_MONTH) == "drain_level_before_2000"
    assert month_of_name("drain_level_old") is None
