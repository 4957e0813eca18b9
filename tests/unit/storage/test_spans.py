"""A span of time is cut into days, hours and rows, so that nothing is missing and nothing counts twice."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from storage.spans import HOUR, Interval, has_whole_hours, of_rollups

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = dt.datetime(2026, 10, 20, tzinfo=dt.UTC)
"""Summer time ends on the 25th."""


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def moments(minutes: int) -> st.SearchStrategy[dt.datetime]:
    return st.integers(0, 12 * 24 * 60 // minutes).map(lambda n: FIRST + n * dt.timedelta(minutes=minutes))


@given(moments(7), moments(13), st.sets(moments(60)), st.sampled_from([None, BERLIN]))
def test_the_parts_are_the_span(
    since: dt.datetime, until: dt.datetime, opened: set[dt.datetime], zone: ZoneInfo | None
) -> None:
    sources = of_rollups(since, until, sorted(opened), zone)
    parts: list[Interval] = sorted([*sources.days, *sources.hours, *sources.rows])
    assert all(begin < end for begin, end in parts)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(parts))
    assert parts == [] if until <= since else (parts[0][0], parts[-1][1]) == (since, until)
    summed = [*sources.days, *sources.hours]
    assert not any(begin <= hour < end for begin, end in summed for hour in opened)
    assert all(edge == edge.replace(minute=0) for each in summed for edge in each)
    assert all((edge.astimezone(BERLIN).hour, edge.minute) == (0, 0) for each in sources.days for edge in each)


def test_a_local_day_stays_whole_across_daylight_saving() -> None:
    sources = of_rollups(at("2026-10-23 20:30"), at("2026-10-27 10:15"), [at("2026-10-26 05:00")], BERLIN)
    assert sources.days == [(at("2026-10-23 22:00"), at("2026-10-25 23:00"))]
    assert sources.hours == [
        (at("2026-10-23 21:00"), at("2026-10-23 22:00")),
        (at("2026-10-25 23:00"), at("2026-10-26 05:00")),
        (at("2026-10-26 06:00"), at("2026-10-27 10:00")),
    ]
    assert sources.rows == [
        (at("2026-10-23 20:30"), at("2026-10-23 21:00")),
        (at("2026-10-26 05:00"), at("2026-10-26 06:00")),
        (at("2026-10-27 10:00"), at("2026-10-27 10:15")),
    ]


def test_the_ends_of_time() -> None:
    ever = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
    sources = of_rollups(*ever, [], ZoneInfo("America/New_York"))
    assert (sources.rows[0][0], sources.rows[-1][1]) == ever
    assert len(sources.days) == 1
    assert of_rollups(FIRST, FIRST + HOUR / 2, []).rows == [(FIRST, FIRST + HOUR / 2)]


def test_days_that_begin_between_hours_are_not_made_of_hours() -> None:
    assert has_whole_hours(BERLIN, FIRST, FIRST + HOUR)
    assert not has_whole_hours(ZoneInfo("Asia/Kolkata"), FIRST, FIRST + HOUR)
