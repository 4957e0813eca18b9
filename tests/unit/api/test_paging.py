"""Cursors and pages."""

import base64
import datetime as dt
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import paging
from api.problems import Problem
from telemetry.clock import to_us


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_gives_back_its_key(text: str, number: int) -> None:
    assert paging.after(paging.cursor([text, number]), str, int) == [text, number]


def test_no_cursor_is_the_beginning() -> None:
    assert paging.after(None, str) is None


@pytest.mark.parametrize(
    "given", ["", "!", "ä", "bm9wZQ", paging.cursor(["a"]), paging.cursor([1, 2]), paging.cursor([2**70])]
)
def test_what_another_list_gave_out_is_refused(given: str) -> None:
    with pytest.raises(Problem) as refused:
        paging.after(given, int)
    assert refused.value.status == 400


@given(st.binary(max_size=40))
def test_no_bytes_break_it(junk: bytes) -> None:
    with suppress(Problem):
        paging.after(base64.urlsafe_b64encode(junk).decode(), str, int)


PARTS = st.one_of(st.text(), st.integers(), st.none(), st.booleans(), st.floats(), st.lists(st.integers(), max_size=2))


@given(st.lists(PARTS, max_size=3) | st.dictionaries(st.text(), PARTS, max_size=2) | PARTS)
def test_no_key_breaks_it(key: Any) -> None:
    with suppress(Problem):
        found = paging.after(base64.urlsafe_b64encode(json.dumps(key).encode()).decode(), str, int)
        assert found == key


@given(st.datetimes())
def test_a_time_comes_back(when: dt.datetime) -> None:
    when = when.replace(tzinfo=dt.UTC)
    (part,) = paging.after(paging.cursor([to_us(when)]), int) or []
    assert paging.moment(part) == when


FIRST_US, LAST_US = to_us(dt.datetime.min.replace(tzinfo=dt.UTC)), to_us(dt.datetime.max.replace(tzinfo=dt.UTC))


@given(st.integers(-(2**63), FIRST_US - 1) | st.integers(LAST_US + 1, 2**63 - 1))
def test_a_time_in_no_year_of_ours_is_no_cursor(us: int) -> None:
    (part,) = paging.after(paging.cursor([us]), int) or []
    with pytest.raises(Problem) as refused:
        paging.moment(part)
    assert refused.value.status == 400


@given(st.lists(st.integers(), unique=True), st.integers(1, 7))
def test_pages_together_are_the_list(rows: list[int], limit: int) -> None:
    rows, seen, begin = sorted(rows), [], 0
    while True:
        page = paging.page(rows[begin : begin + limit + 1], limit, lambda row: [str(row)])
        seen += page["items"]
        if page["next"] is None:
            break
        (last,) = paging.after(page["next"], str) or []
        begin = rows.index(int(last)) + 1
    assert seen == rows
