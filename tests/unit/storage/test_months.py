"""Which partition a moment belongs to on plain PostgreSQL."""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.native import EARLY_MONTH, Span, begin_of, end_of, months_of, partition_name, span_of_name, spans_for
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


MONTHS = st.integers(EARLY_MONTH, 700).filter(lambda month: month == EARLY_MONTH or month >= 360)


@given(st.lists(st.sets(MONTHS, min_size=1, max_size=20), max_size=6))
def test_each_month_gets_one_partition_in_whatever_order_they_come(batches: list[set[int]]) -> None:
    there: set[Span] = set()
    for months in batches:
        made = spans_for(months - {month for span in there for month in span}, there)
        assert not made & there
        there |= made
        covered = [month for span in there for month in span]
        assert months <= set(covered)
        assert len(covered) == len(set(covered)), "two partitions overlap"
        assert {span_of_name(partition_name("streetlight", span)) for span in there} == there


def test_what_one_device_says_of_all_times_makes_some_sixty_partitions() -> None:
    """It was one for every month since 2000."""
    november = 12 * 56 + 10
    kept = {range(month, month + 1) for month in range(november - 24, november + 3)}
    everything = {EARLY_MONTH, *range(360, november - 24)}
    made = spans_for(everything, kept)
    assert len(made) < 40
    assert {len(span) for span in made} == {1, 12}
    assert range(november - 25, november - 24) in made, "what has only just left the usual retention leaves by months"


def test_names_are_readable() -> None:
    november = to_us(dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    (month,) = months_of(np.array([november]))
    assert partition_name("drain_level", range(month, month + 1)) == "drain_level_2026_11"
    assert partition_name("drain_level", range(588, 600)) == "drain_level_2019_00"
    assert partition_name("drain_level", range(EARLY_MONTH, 0)) == "drain_level_before_2000"
    assert span_of_name("drain_level_old") is None
