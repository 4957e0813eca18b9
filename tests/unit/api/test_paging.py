"""Cursors and pages."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import paging
from api.problems import Problem


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


@given(st.lists(st.integers(), unique=True), st.integers(1, 7))
def test_pages_together_are_the_list(rows: list[int], limit: int) -> None:
    rows, seen, begin = sorted(rows), [], 0
    while True:
        page = paging.page(rows[begin : begin + limit + 1], limit, lambda row: row, lambda row: [str(row)])
        seen += page["items"]
        if page["next"] is None:
            break
        (last,) = paging.after(page["next"], str) or []
        begin = rows.index(int(last)) + 1
    assert seen == rows
