"""Which days a rule speaks of: weekdays, and calendars of dates that recur every year or hang on Easter. Pure."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from telemetry.thresholds import Calendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EASTER = re.compile(r"easter([+-]\d{1,3})?")


class Calendars:
    """Calendars by name, as the rule file holds them."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._calendars = calendars

    def match(self, days: Sequence[str], day: dt.date) -> bool:
        """Whether a day is one of these: weekdays, ranges of them, or calendars by name; no days mean every day.

        Raises:
            ValueError: one of them is none of that.
        """
        return not days or any(self._is(each, day) for each in days)

    def _is(self, word: str, day: dt.date) -> bool:
        if word in self._calendars:
            return any(on_date(each, day) for each in self._calendars[word].days)
        first, _, last = word.partition("..")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(f"{word!r} is neither a weekday nor a calendar")
        return _between(WEEKDAYS.index(first), day.weekday(), WEEKDAYS.index(last or first))


def on_date(spelled: str, day: dt.date) -> bool:
    """Whether a day is the one spelled `2026-12-24`, `12-24` or `easter-2`, or lies in a range of two of a sort.

    A range of days of the year may run over New Year.

    Raises:
        ValueError: it is no date.
    """
    first, _, last = spelled.partition("..")
    start, end = _of(first, day.year), _of(last or first, day.year)
    if first.count("-") == 2 and not first.startswith("easter"):
        return start <= day <= end
    return _between(start.timetuple().tm_yday, day.timetuple().tm_yday, end.timetuple().tm_yday)


def _between(first: int, it: int, last: int) -> bool:
    """Whether a number of a cycle lies between two, both included, going forward from the first."""
    return first <= it <= last if first <= last else it >= first or it <= last


def _of(spelled: str, year: int) -> dt.date:
    """The date in a year; the 29th of February is the 28th in other years."""
    found = _EASTER.fullmatch(spelled)
    if found:
        return easter(year) + dt.timedelta(days=int(found[1] or 0))
    if spelled == "02-29":
        return dt.date(year, 3, 1) - dt.timedelta(days=1)
    return dt.date.fromisoformat(spelled if len(spelled) == 10 else f"{year:04d}-{spelled}")


@lru_cache(maxsize=64)
def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return dt.date(year, month, day + 1)
