"""Times and widths in a query."""

import datetime as dt

import pytest

from api.moments import moment, rfc3339, width
from api.problems import Problem
from storage.readings import Width


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T20:15:00Z", "2026-11-22T21:15:00+01:00", "2026-11-22T21:15:00 01:00", "2026-11-22t20:15:00.000000z"],
)
def test_a_time_with_its_offset_is_understood(text: str) -> None:
    assert moment(text, "from") == dt.datetime(2026, 11, 22, 20, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22T20:15:00", "0001-01-01T00:00:00+10:00"])
def test_other_times_are_refused_by_name(text: str) -> None:
    with pytest.raises(Problem, match="from"):
        moment(text, "from")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("30s", Width(seconds=30)), ("15m", Width(seconds=900)), ("2h", Width(seconds=7_200)), ("7d", Width(days=7))],
)
def test_widths(text: str, wanted: Width) -> None:
    assert width(text) == wanted


@pytest.mark.parametrize("text", ["", "0m", "m", "15", "15 m", "1w", "-1h", "367d", "9999999h"])
def test_other_widths_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="every"):
        width(text)


def test_times_go_out_in_utc() -> None:
    berlin = dt.timezone(dt.timedelta(hours=1))
    assert rfc3339(dt.datetime(2026, 11, 22, 21, 15, tzinfo=berlin)) == "2026-11-22T20:15:00Z"
    assert rfc3339(None) is None
