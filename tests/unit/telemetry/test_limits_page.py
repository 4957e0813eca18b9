"""The page on reliability names every bound with the value that the code has."""

import re
from pathlib import Path

from telemetry import limits
from tests.chaos.cases import CASES

PAGE = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text(encoding="utf-8")
OF_LISTS = {"LIST_ITEMS_DEFAULT", "LIST_ITEMS_MAX"}
"""Bounds of the API's pages, which have nothing to do with reliability."""


def test_the_page_has_the_bounds_of_the_code() -> None:
    rows = re.findall(r"^\|[^|]+\| ([\d,]+)[^|]*\|[^|]+\| `([A-Z_]+)` \|$", PAGE, re.MULTILINE)
    written = {name: int(value.replace(",", "")) for value, name in rows}
    bounds = {name: value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)}
    assert written == {name: value for name, value in bounds.items() if name not in OF_LISTS}


def test_the_page_names_every_case_of_chaos_and_no_other() -> None:
    brackets = re.findall(r"\(((?:[^()]*`[a-z_]+`)+[^()]*)\)", PAGE.split("## How it is known")[0])
    named = {name for bracket in brackets for name in re.findall(r"`([a-z_]+)`", bracket)}
    assert named - {"raw_days"} == {case.name for case in CASES}
