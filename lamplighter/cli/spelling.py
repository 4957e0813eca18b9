"""How durations and moments are spelled on the command line."""

import datetime as dt
import re
from typing import Annotated

import typer

from lamplighter.clock import CITY_YEARS

Speak = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE[=PARTS],…",
        help="What simulated devices speak: native (the city's own topics), chirpstack, the_things_stack, or a mixture "
        "in parts such as native=70,chirpstack=20,the_things_stack=10.",
        show_default="native",
    ),
]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?")
_SECONDS_MAX = 100 * 365 * 86_400
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `60s`, `5m`, `2h` or `90d`; a bare number is seconds.

    Raises:
        BadParameter: it is no duration, or 0.
    """
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= _SECONDS_MAX:
        raise typer.BadParameter(f"{text!r} is no duration from above 0 to 100 years, such as 60s, 5m, 2h or 90d")
    return seconds


def parse_moment(text: str) -> dt.datetime:
    """The moment of an RFC 3339 text with offset.

    Raises:
        BadParameter: it is none, or the offset is missing.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is no moment with offset, such as 2026-11-22T15:10:00Z")
    if moment.year not in CITY_YEARS:
        raise typer.BadParameter(f"{text!r} lies outside the years {CITY_YEARS[0]} to {CITY_YEARS[-1]}")
    return moment.astimezone(dt.UTC)


def parse_day(text: str) -> dt.date:
    """The UTC day of a text such as `2026-11-22`.

    Raises:
        BadParameter: it is none.
    """
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-11-22") from error
    if day.year not in CITY_YEARS:
        raise typer.BadParameter(f"{text!r} lies outside the years {CITY_YEARS[0]} to {CITY_YEARS[-1]}")
    return day


DURATION = "DURATION"
MOMENT = "RFC3339"
DAY = "YYYY-MM-DD"
