"""Weekdays, holidays and date ranges as the rule file spells them."""

import datetime as dt

import pytest

from rules.calendars import Calendars, easter, on_date
from telemetry.thresholds import HOLIDAYS, Calendar, Thresholds

KNOWN = Calendars(Thresholds().calendars)


@pytest.mark.parametrize(
    ("year", "sunday"), [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2038, (4, 25)), (2285, (3, 22))]
)
def test_easter(year: int, sunday: tuple[int, int]) -> None:
    assert easter(year) == dt.date(year, *sunday)


def test_the_holidays_of_all_german_states_in_a_year() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=each) for each in range(365)]
    found = [day.strftime("%m-%d") for day in days if KNOWN.match(("holiday",), day)]
    assert found == ["01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "10-03", "12-25", "12-26"]
    assert len(found) == len(HOLIDAYS.days)


@pytest.mark.parametrize(
    ("days", "friday", "sunday"),
    [
        ((), True, True),
        (("fri",), True, False),
        (("mon..fri",), True, False),
        (("sat..mon",), False, True),
        (("thu", "sun"), False, True),
    ],
)
def test_weekdays(days: tuple[str, ...], friday: bool, sunday: bool) -> None:
    assert (KNOWN.match(days, dt.date(2026, 11, 20)), KNOWN.match(days, dt.date(2026, 11, 22))) == (friday, sunday)


@pytest.mark.parametrize(
    ("spelled", "day", "expected"),
    [
        ("2026-12-24", (2026, 12, 24), True),
        ("2026-12-24", (2027, 12, 24), False),
        ("12-24", (2031, 12, 24), True),
        ("12-21..01-06", (2026, 12, 31), True),
        ("12-21..01-06", (2027, 1, 6), True),
        ("12-21..01-06", (2027, 1, 7), False),
        ("2026-12-21..2027-01-06", (2027, 1, 1), True),
        ("2026-12-21..2027-01-06", (2028, 1, 1), False),
        ("easter-2..easter+1", (2026, 4, 4), True),
        ("easter+1", (2026, 4, 7), False),
        ("02-29", (2026, 2, 28), True),
        ("02-29", (2028, 2, 28), False),
    ],
)
def test_dates(spelled: str, day: tuple[int, int, int], expected: bool) -> None:
    assert on_date(spelled, dt.date(*day)) is expected


@pytest.mark.parametrize("word", ["friday", "easter", "mon..holiday", ""])
def test_a_day_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="neither a weekday nor a calendar"):
        Calendars({"holiday": Calendar(())}).match((word,), dt.date(2026, 1, 1))
