"""Calendars of a rule file that are whole: no year left out, no day twice, and opening hours for every day, once."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from rules.calendars import Dates, read_dates, read_days
from rules.daytimes import DAY_MINUTES, read_daytime
from rules.rulefile.document import Document
from rules.rulefile.lines import Place
from telemetry.thresholds import Calendar, OpeningHours, Thresholds

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_LEAP_YEAR = 2024
YEARS_MAX = 10
"""No holidays are longer."""


def check_calendars(document: Document, thresholds: Thresholds, root: Place) -> None:
    """Dates of one time that leave a year out, and dates that come twice."""
    for place, calendar in document.of(Calendar):
        if place[: len(root)] != root:
            continue
        name, seen = place[-1], dict[tuple[str, int], str]()
        years: set[int] = set()
        for number, text in enumerate(calendar.days):
            dates = read_dates(text)
            at = (*place, "days", number)
            if dates.sort == "dated" and dates.last[0] - dates.first[0] > YEARS_MAX:
                document.wrong(at, f"The calendar {name} has {text}, which lasts more than {YEARS_MAX} years.")
                continue
            twice = sorted({seen[day] for day in _numbers(dates) if day in seen})
            if twice:
                document.wrong(at, f"The calendar {name} has {text} twice: {twice[0]} holds it already.")
            seen |= dict.fromkeys(_numbers(dates), text)
            if dates.sort == "dated":
                years |= set(range(dates.first[0], dates.last[0] + 1))
        for before, after in pairwise(sorted(years)):
            if after - before > 1:
                gap = f"{before + 1}" if after - before == 2 else f"{before + 1} to {after - 1}"
                document.wrong(place, f"The calendar {name} has dates of {before} and {after}, but none of {gap}.")


def check_hours(document: Document, thresholds: Thresholds, root: Place) -> None:
    """Zones whose opening hours leave a day of the week out, or say two things of one."""
    hours = (*root, "parking", "hours")
    if document.is_wrong(hours):
        return
    entries = [(place, each) for place, each in document.of(OpeningHours) if place[: len(hours)] == hours]
    for zone in sorted({zone for _, each in entries for zone in each.zones}):
        own = [(place, each) for place, each in entries if zone in each.zones]
        spans: list[tuple[str, int, int, Place]] = []
        for place, each in own:
            try:
                spans += [(*span, place) for span in _spans(each, thresholds)]
            except ValueError:
                break  # a day that is none is said where it stands
        else:
            _check_zone(document, zone, spans, own[0][0])


def _check_zone(document: Document, zone: str, spans: list[tuple[str, int, int, Place]], first: Place) -> None:
    week = sorted(each for each in spans if each[0] == "week")
    missing = [_DAYS[day] for day in range(7) if not any(start // DAY_MINUTES == day for _, start, _, _ in week)]
    if missing:
        document.wrong(
            first,
            f'The opening hours of zone "{zone}" say nothing of {", ".join(missing)}: give hours, or closed = true.',
        )
    for sort in {each[0] for each in spans}:
        for before, after in pairwise(sorted(each for each in spans if each[0] == sort)):
            if after[1] < before[2]:
                line = document.line(before[3])
                document.wrong(after[3], f'These opening hours of zone "{zone}" overlap with those of line {line}.')
                break


def _spans(hours: OpeningHours, thresholds: Thresholds) -> Iterator[tuple[str, int, int]]:
    """What an entry covers: (`week` or a calendar's name, from, to), in minutes of the week or of the day."""
    start, end = read_daytime(hours.start), read_daytime(hours.end)
    if start.by_sun or end.by_sun:
        first, last = 0, 1
    else:
        first, last = start.minutes, end.minutes if end.minutes > start.minutes else end.minutes + DAY_MINUTES
    if hours.closed:
        first, last = 0, DAY_MINUTES
    for name in hours.days:
        if name in thresholds.calendars:
            yield name, first, last
            continue
        for day in read_days([name], {}).weekdays:
            yield "week", day * DAY_MINUTES + first, day * DAY_MINUTES + last


def _numbers(dates: Dates) -> Iterator[tuple[str, int]]:
    """Each single day that dates hold, as something that can be compared within their sort."""
    if dates.sort == "feast":
        yield from (("feast", number) for number in range(dates.first[0], dates.last[0] + 1))
        return
    first, last = _day(dates.first), _day(dates.last)
    if last < first:  # over New Year
        last = _day((_LEAP_YEAR + 1, *dates.last))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield dates.sort, day.toordinal() if dates.sort == "dated" else day.month * 32 + day.day


def _day(parts: tuple[int, ...]) -> date:
    return date(*parts) if len(parts) == 3 else date(_LEAP_YEAR, *parts)
