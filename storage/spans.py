"""Which part of a span of time is answered from local days, which from hours, and which from rows.

Whole hours whose rollups equal their rows are taken from rollups, and whole local days where the buckets are days; what
is cut off at the ends, and what has come in since it was last summed up, is read row by row. Pure.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

HOUR = dt.timedelta(hours=1)
EARLIEST, LATEST = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1970, 2100))
"""Rollups are looked for between these; what lies outside is rows, if it is anything."""

Interval = tuple[dt.datetime, dt.datetime]
"""From a moment, inclusive, until another, exclusive."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Intervals that together are the span, none of them twice."""

    days: list[Interval] = field(default_factory=list)
    hours: list[Interval] = field(default_factory=list)
    rows: list[Interval] = field(default_factory=list)


def of_rows(since: dt.datetime, until: dt.datetime) -> Sources:
    """Everything from rows."""
    return Sources(rows=[(since, until)] if since < until else [])


def of_rollups(
    since: dt.datetime, until: dt.datetime, open_hours: Sequence[dt.datetime], zone: ZoneInfo | None = None
) -> Sources:
    """As much as can be from rollups; from local days too where a zone is given.

    `open_hours` are those within the span whose rollups may not equal their rows, in order.
    """
    first, last = _hour_after(max(since, EARLIEST)), _hour_before(min(until, LATEST))
    if last <= first:
        return of_rows(since, until)
    opened = _joined((hour, hour + HOUR) for hour in open_hours if first <= hour < last)
    days = _whole_days(first, last, opened, zone) if zone else []
    rows = _joined(each for each in [(since, first), *opened, (last, until)] if each[0] < each[1])
    return Sources(days, list(_without([(first, last)], _joined(sorted([*opened, *days])))), rows)


def has_whole_hours(zone: ZoneInfo, since: dt.datetime, until: dt.datetime) -> bool:
    """Whether local days begin with an hour of UTC, so that they are made of hours."""
    moment, end = max(since, EARLIEST), min(until, LATEST)
    while moment < end:
        if (moment.astimezone(zone).utcoffset() or HOUR) % HOUR:
            return False
        moment += dt.timedelta(days=90)
    return True


def _whole_days(first: dt.datetime, last: dt.datetime, opened: Sequence[Interval], zone: ZoneInfo) -> list[Interval]:
    """The local days in [first, last) that no open hour lies in; neighbours as one."""
    begin, end = _day_after(first, zone), _day_before(last, zone)
    if end <= begin:
        return []
    touched = _joined((_day_before(since, zone), _day_after(until, zone)) for since, until in opened)
    return list(_without([(begin, end)], touched))


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals in order, those that touch or overlap as one."""
    joined: list[Interval] = []
    for since, until in intervals:
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined


def _without(wholes: Iterable[Interval], gaps: Sequence[Interval]) -> Iterator[Interval]:
    """What is left of intervals between gaps, which are in order and apart."""
    for since, until in wholes:
        for gap in gaps[max(0, bisect_left(gaps, (since, since)) - 1) :]:
            if gap[0] >= until:
                break
            if since < gap[0]:
                yield since, gap[0]
            since = max(since, gap[1])
        if since < until:
            yield since, until


def _hour_before(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _hour_after(moment: dt.datetime) -> dt.datetime:
    hour = _hour_before(moment)
    return hour if hour == moment else hour + HOUR


def _day_before(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The beginning of the local day, in UTC."""
    local = moment.astimezone(zone)
    return dt.datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(dt.UTC)


def _day_after(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    day = _day_before(moment, zone)
    if day == moment:
        return day
    local = day.astimezone(zone).date() + dt.timedelta(days=1)
    return dt.datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(dt.UTC)
