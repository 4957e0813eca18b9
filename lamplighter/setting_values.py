"""What values of settings may be beyond their plain types: lists in one string, addresses, kinds, zones, moments."""

import datetime as dt
import re
from typing import Annotated
from urllib.parse import parse_qs, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from bus.address import parse_address
from lamplighter.clock import CITY_YEARS
from lamplighter.networks import checked_network
from telemetry.kinds import KINDS

_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _words(value: object) -> object:
    """A list given as one string, as in the environment, is separated by commas."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _kinds(names: tuple[str, ...]) -> tuple[str, ...]:
    if not set(names) <= KINDS.keys():
        raise ValueError("no such kind")
    return names


def _days_by_kind(value: object) -> object:
    """`parking_bay=90,streetlight=365` in the environment, a table in the file."""
    if isinstance(value, str):
        pairs = (word.partition("=") for word in value.split(",") if word.strip())
        value = {kind.strip(): int(days) for kind, _, days in pairs}
    if isinstance(value, dict):
        _kinds(tuple(value))
    return value


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone")
    return name


def _with_offset(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("the offset is missing")
    if moment.year not in CITY_YEARS:
        raise ValueError(f"it lies outside the years {CITY_YEARS[0]} to {CITY_YEARS[-1]}")
    return moment


def _url(*schemes: str) -> AfterValidator:
    """A URL of one server or, separated by commas, several; a folder of sockets stands in the query (`?host=`)."""

    def check(url: str) -> str:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2]
        if parts.scheme not in schemes or not (hosts or "host" in parse_qs(parts.query)):
            raise ValueError("no such URL")
        if _NOT_ENCODED.search(url) or "@" in parts.path or parts.fragment:
            raise ValueError("a name or password in it has to be percent-encoded")  # others would repeat it in errors
        for host in hosts.split(","):
            _ = urlsplit(f"//{host}").port  # raises ValueError where it is no port
        return url

    return AfterValidator(check)


def _broker(url: str) -> str:
    parse_address(url)
    return url


PostgresUrl = Annotated[str, _url("postgresql", "postgres")]
HttpUrl = Annotated[str, _url("https", "http")]
BrokerUrl = Annotated[str, AfterValidator(_broker)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Instant = Annotated[dt.datetime, AfterValidator(_with_offset)]
DaysByKind = Annotated[dict[str, Annotated[int, Field(gt=0)]], NoDecode, BeforeValidator(_days_by_kind)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(checked_network)], ...], NoDecode, BeforeValidator(_words)]
KindNames = Annotated[Words, AfterValidator(_kinds)]
