"""Weekdays, holidays and date ranges as the rule file spells them."""

import datetime as dt

import pytest

from rules.calendars import Calendars, easter, read_dates, read_days
from rules.daytimes import DAWN, DUSK, MIDNIGHT, Daytime, read_daytime, read_duration_s
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
        ("02-29", (2028, 2, 29), True),
        ("02-29", (2027, 2, 28), False),
    ],
)
def test_dates(spelled: str, day: tuple[int, int, int], expected: bool) -> None:
    assert (dt.date(*day) in read_dates(spelled)) is expected


@pytest.mark.parametrize("word", ["friday", "easter", "mon..holiday", ""])
def test_a_day_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"neither a weekday .* nor a calendar"):
        Calendars({"holiday": Calendar(())}).match((word,), dt.date(2026, 1, 1))


@pytest.mark.parametrize(
    "text", ["2026-02-29", "13-01", "24.12.", "easter+", "12-24..2026-12-26", "easter+1..easter-2", ""]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|ends before"):
        read_dates(text)


def test_a_calendar_goes_before_a_weekday_where_that_matters() -> None:
    days = read_days(["sun", "holiday"], {"holiday": HOLIDAYS})
    assert [days.named(dt.date(2026, 12, each)) for each in (25, 27)] == [True, False]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("22:00", Daytime(MIDNIGHT, 1_320)),
        ("24:00", Daytime(MIDNIGHT, 1_440)),
        ("dusk", Daytime(DUSK, 0)),
        ("dawn-01:30", Daytime(DAWN, -90)),
        ("dusk+00:05", Daytime(DUSK, 5)),
    ],
)
def test_a_time_of_day(text: str, meant: Daytime) -> None:
    assert read_daytime(text) == meant


@pytest.mark.parametrize("text", ["24:01", "22:60", "9:00", "22", "noon", "dusk+30", "dawn+12:00", ""])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        read_daytime(text)


def test_a_duration() -> None:
    assert [read_duration_s(each) for each in ("90s", "5m", "6h30m", "2d")] == [90, 300, 23_400, 172_800]


@pytest.mark.parametrize("text", ["", "5", "m", "30m6h", "-5m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        read_duration_s(text)
