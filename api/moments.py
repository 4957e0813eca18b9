"""Times and intervals as they stand in a query or a document at the HTTP edge."""

import datetime as dt
import re

from api.problems import Problem
from api.wording import EVERY
from storage.readings import Width
from telemetry.clock import DAY_US, to_rfc3339, to_us

_SECONDS = {"s": 1, "m": 60, "h": 3_600}
WIDTH_DAYS_MAX = 366
"""The widest bucket."""


def moment(text: str, name: str) -> dt.datetime:
    """An RFC 3339 time with offset; a `+` that a query made a space is taken as meant.

    Raises:
        Problem: 422 that names the parameter.
    """
    try:
        found = dt.datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text.strip().upper()))
        if found.tzinfo is None:
            raise ValueError("no offset")
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        detail = "must be a time as RFC 3339 with an offset, such as 2026-11-22T20:15:00Z"
        raise invalid(name, detail) from error


def width(every: str) -> Width:
    """The width of a bucket from `<n>(s|m|h|d)`.

    Raises:
        Problem: 422, it is not written so or wider than a year.
    """
    found = re.fullmatch(EVERY, every)
    if found is None:
        raise invalid("every", "it should be a number and s, m, h or d, such as 15m")
    count, unit = int(found[1]), found[2]
    days = count if unit == "d" else count * _SECONDS[unit] / 86_400
    if days > WIDTH_DAYS_MAX:
        raise impossible("every", f"must not be more than {WIDTH_DAYS_MAX} days")
    return Width(days=count) if unit == "d" else Width(seconds=count * _SECONDS[unit])


def ahead(text: str, name: str, now_us: int, days_max: int) -> int:
    """A moment that lies ahead of now by at most `days_max` days; it and now in microseconds of city time.

    Raises:
        Problem: 422, it is none, has passed, or lies further ahead.
    """
    found_us = to_us(moment(text, name))
    if found_us <= now_us:
        raise impossible(name, f"must lie ahead of the city's time, which is {to_rfc3339(now_us)}")
    if found_us > now_us + days_max * DAY_US:
        raise impossible(name, f"must not be more than {days_max} days ahead")
    return found_us


def in_order(begin: dt.datetime, end: dt.datetime) -> None:
    """A span does not end before it begins.

    Raises:
        Problem: 422, it does.
    """
    if begin > end:
        raise impossible("from", "must not be later than `to`")


def rfc3339(when: dt.datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z`, to the microsecond where needed; `None` stays."""
    return None if when is None else to_rfc3339(to_us(when))


def invalid(where: str, detail: str, slug: str = "invalid-request") -> Problem:
    """422 for one parameter or member of the body."""
    sentence = f"The request is not as it should be: {where}: {detail}."
    return Problem(422, sentence, slug=slug, errors=[{"where": where, "detail": detail}])


def impossible(where: str, detail: str) -> Problem:
    """422 for what is well formed and cannot be: a time that has passed, an asset that there is not."""
    return invalid(where, detail, "not-possible")
