"""Which rows are the same observation: the first of each stays, a differing second is told apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.rows import Rows, newest, settle
from telemetry.columns import NO_SEQ, Columns
from telemetry.kinds import KINDS

KIND = KINDS["parking_bay"]
Row = tuple[int, int, int, float | None]
"""asset, time (−1: none of its own), seq, confidence."""


def rows_of(rows: list[Row]) -> Rows:
    count = len(rows)
    confidence = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
    from_receipt = np.array([row[1] < 0 for row in rows], dtype=np.bool_)
    times = [1_000_000 + place if row[1] < 0 else row[1] for place, row in enumerate(rows)]
    fields = {each.name: np.zeros(count) for each in KIND.properties} | {"confidence_pct": confidence}
    columns = Columns(
        KIND,
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array(times, dtype=np.int64),
        from_receipt,
        np.array([row[2] for row in rows], dtype=np.int64),
        fields,
        np.arange(count, dtype=np.int32),
        np.zeros(count, dtype=np.int32),
    )
    return Rows(columns, np.arange(count, dtype=np.int64))


def identity(place: int, row: Row) -> tuple[object, ...]:
    """What makes a row the same observation as another."""
    asset, time, seq, _ = row
    if time >= 0:
        return (asset, "at", time)
    return (asset, "seq", seq) if seq != NO_SEQ else (asset, "alone", place)


some_rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(-1, 4),
        st.integers(NO_SEQ, 2),
        st.sampled_from([None, 0.0, 1.0]),
    ),
    max_size=30,
)


@given(some_rows)
def test_the_first_of_each_observation_stays(rows: list[Row]) -> None:
    first: dict[tuple[object, ...], int] = {}
    for place, row in enumerate(rows):
        first.setdefault(identity(place, row), place)
    settled = settle(rows_of(rows))
    assert sorted(settled.rows.columns.message.tolist()) == sorted(first.values())
    assert settled.duplicate == len(rows) - len(first)
    differing = [row for place, row in enumerate(rows) if row[3] != rows[first[identity(place, row)]][3]]
    assert settled.conflicting == len(differing)


@given(some_rows)
def test_what_is_left_is_sorted_by_asset_and_time(rows: list[Row]) -> None:
    columns = settle(rows_of(rows)).rows.columns
    keys = list(zip(columns.asset_id.tolist(), columns.observed_us.tolist(), strict=True))
    assert keys == sorted(set(keys))


@given(some_rows)
def test_the_newest_of_each_asset(rows: list[Row]) -> None:
    settled = settle(rows_of(rows)).rows
    found = newest(settled).columns
    expected: dict[int, int] = {}
    for asset, time in zip(settled.columns.asset_id.tolist(), settled.columns.observed_us.tolist(), strict=True):
        expected[asset] = max(time, expected.get(asset, time))
    assert dict(zip(found.asset_id.tolist(), found.observed_us.tolist(), strict=True)) == expected
