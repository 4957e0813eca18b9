"""Which days a rule speaks of: dates, movable feasts, weekdays, and calendars that gather dates under a name. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from telemetry.thresholds import Calendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DATED = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_YEARLY = re.compile(r"(\d\d)-(\d\d)")
_FEAST = re.compile(r"easter([+-]\d{1,3})?")
_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True)
class Dates:
    """A date, or all from `first` to `last`, both included.

    `sort` is `dated` (the dates of one time), `yearly` (month and day; a range may run over New Year) or `feast` (days
    after Easter Sunday). The 29th of February is a day of leap years only.
    """

    sort: str
    first: tuple[int, ...]
    last: tuple[int, ...]

    def __contains__(self, day: date) -> bool:
        if self.sort == "feast":
            after = (day - easter(day.year)).days
            return self.first[0] <= after <= self.last[0]
        now = (day.year, day.month, day.day) if self.sort == "dated" else (day.month, day.day)
        if self.first <= self.last:
            return self.first <= now <= self.last
        return now >= self.first or now <= self.last


@dataclass(frozen=True, slots=True)
class Days:
    """Days that are meant: weekdays (0 is Monday) and dates of calendars; none at all means every day."""

    weekdays: frozenset[int]
    dates: tuple[Dates, ...]
    every: bool

    def __contains__(self, day: date) -> bool:
        return self.every or day.weekday() in self.weekdays or self.named(day)

    def named(self, day: date) -> bool:
        """Whether a calendar names the day, which goes before its weekday."""
        return any(day in each for each in self.dates)


class Calendars:
    """Calendars by name, as the rule file holds them; what was read once is kept."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._calendars = calendars
        self._read: dict[tuple[str, ...], Days] = {}

    def days(self, names: Sequence[str]) -> Days:
        """What these names mean, see `read_days`; raises what it raises."""
        key = tuple(names)
        if key not in self._read:
            self._read[key] = read_days(key, self._calendars)
        return self._read[key]

    def match(self, names: Sequence[str], day: date) -> bool:
        """Whether a day is one of these; raises what `read_days` raises."""
        return day in self.days(names)


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def read_dates(text: str) -> Dates:
    """`2026-12-24`, `12-24`, `easter-2`, or a range of two of a sort.

    Raises:
        ValueError: it is none of them.
    """
    first, _, last = text.partition("..")
    (sort, begin), (other, end) = _one(first), _one(last or first)
    if sort != other:
        raise ValueError(f"{text!r} mixes two ways to write a date")
    if sort != "yearly" and begin > end:
        raise ValueError(f"{text!r} ends before it begins")
    return Dates(sort, begin, end)


def read_days(names: Iterable[str], calendars: Mapping[str, Calendar]) -> Days:
    """Weekdays, ranges of them (`mon..fri`) and names of calendars.

    Raises:
        ValueError: a name is neither; the sentence names it.
    """
    weekdays: set[int] = set()
    dates: list[Dates] = []
    listed = list(names)
    for name in listed:
        first, _, last = name.partition("..")
        if first in WEEKDAYS and (last or first) in WEEKDAYS:
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            weekdays |= {(begin + each) % 7 for each in range((end - begin) % 7 + 1)}
        elif name in calendars:
            dates += [read_dates(each) for each in calendars[name].days]
        else:
            raise ValueError(f"{name!r} is neither a weekday (mon … sun) nor a calendar")
    return Days(frozenset(weekdays), tuple(dates), not listed)


def _one(text: str) -> tuple[str, tuple[int, ...]]:
    try:
        if found := _DATED.fullmatch(text):
            day = date(*map(int, found.groups()))
            return "dated", (day.year, day.month, day.day)
        if found := _YEARLY.fullmatch(text):
            day = date(_LEAP_YEAR, *map(int, found.groups()))
            return "yearly", (day.month, day.day)
    except ValueError:
        raise ValueError(f"{text!r} is no date") from None
    if found := _FEAST.fullmatch(text):
        return "feast", (int(found[1] or 0),)
    raise ValueError(f"{text!r} is no date as 2026-12-24, 12-24 (every year) or easter+1")
