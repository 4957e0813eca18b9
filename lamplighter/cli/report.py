"""`lamplighter report`: what was, for those outside: as CSV, or as a page to print."""

import csv
import datetime as dt
import sys
from contextlib import nullcontext, suppress
from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer

from lamplighter.cli.session import NO_PLACE, Config, begin, database, run, whereabouts
from lamplighter.cli.spelling import DAY, parse_day
from lamplighter.errors import WrongUsage
from lamplighter.report.page import html
from lamplighter.report.sheet import Report
from lamplighter.report.words import Language
from lamplighter.settings import Settings
from storage.ledger import Day
from storage.pool import Connection
from telemetry.clock import to_datetime, to_us

CO2_G_PER_KWH = 363.0
"""Of Germany's electricity in 2024, an estimate of the Umweltbundesamt of 2025."""

commands = typer.Typer(help="Reports for the council, the water authority and the auditor: CSV, or a page to print.")


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    HTML = "html"


@commands.callback()
def report() -> None:
    """Reports for the council, the water authority and the auditor: CSV, or a page to print."""


Since = Annotated[
    dt.date | None,
    typer.Option("--from", parser=parse_day, metavar=DAY, help="The first day.", show_default="30 days before"),
]
Until = Annotated[
    dt.date | None,
    typer.Option("--to", parser=parse_day, metavar=DAY, help="The last day.", show_default="today, city time"),
]
Output = Annotated[Format, typer.Option("--format", help="CSV, or a page to print.")]
InLanguage = Annotated[Language, typer.Option(help="English or German.")]


class _Span(NamedTuple):
    """Days of a report, both counting; when they begin and, as far as they have come, end; the city's moment now."""

    first: dt.date
    last: dt.date
    begins: dt.datetime
    ends: dt.datetime
    now: dt.datetime


async def _span(connection: Connection, since: dt.date | None, until: dt.date | None, zone: dt.tzinfo) -> _Span:
    """The days that are asked for, by the wall clock of `zone`; from here on a statement may take its time."""
    from storage.shared_clock import city_now  # heavy

    now = to_datetime(await city_now(connection))
    last = until or now.astimezone(zone).date()
    first = since or last - dt.timedelta(days=30)
    if first > last:
        raise WrongUsage(f"--from {first} lies after --to {last}: name the earlier day first.")
    begins, ends = (
        dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in (first, last + dt.timedelta(days=1))
    )
    await connection.execute("SET statement_timeout = 0")
    return _Span(first, last, begins, max(begins, min(ends, now)), now)


def _write(report: Report[Any], settings: Settings, now: dt.datetime, output: Format, language: Language) -> None:
    if output is Format.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows(report.table(language))
    else:
        sys.stdout.write(html(report, settings.city_name, now, language))


@commands.command()
def drainage(
    since: Since = None,
    until: Until = None,
    output: Output = Format.CSV,
    language: InLanguage = Language.ENGLISH,
    events: Annotated[bool, typer.Option("--events", help="A row for each Einstau and Überstau, not a drain.")] = False,
    config: Config = None,
) -> None:
    """Self-monitoring of drains: Einstau and Überstau by local days, volumes, and how complete the readings are."""
    settings = begin(config)
    from lamplighter.report.drainage import Findings, report  # heavy, as what follows
    from lamplighter.report.drainage_found import find

    async def work() -> tuple[Findings, _Span]:
        async with database(settings) as connection:
            zone = ZoneInfo(settings.timezone)
            span = await _span(connection, since, until, zone)
            return await find(connection, span.begins, span.ends, zone), span

    found, span = run(work())
    _write(report(found, events), settings, span.now, output, language)


@commands.command()
def energy(
    since: Since = None,
    until: Until = None,
    output: Output = Format.CSV,
    language: InLanguage = Language.ENGLISH,
    co2_g_per_kwh: Annotated[
        float, typer.Option("--co2", min=0, max=2000, metavar="G_PER_KWH", help="CO₂ of the town's electricity.")
    ] = CO2_G_PER_KWH,
    config: Config = None,
) -> None:
    """Energy of street lights: kWh and CO₂ against full light all night, and hours unlit, by street and month."""
    settings = begin(config)
    from lamplighter.report.energy import report  # heavy, as what follows
    from lamplighter.report.energy_found import find
    from storage.energy import Drawn

    async def work() -> tuple[list[Drawn], _Span]:
        async with database(settings) as connection:
            where = await whereabouts(settings, connection)
            if where is None:
                raise WrongUsage(f"The hours of darkness need the city's place: {NO_PLACE}.")
            span = await _span(connection, since, until, ZoneInfo(where.timezone))
            return await find(connection, span.first, span.last, where, span.now), span

    found, span = run(work())
    _write(report(found, span.first, span.last, co2_g_per_kwh), settings, span.now, output, language)


@commands.command()
def parking(
    since: Since = None,
    until: Until = None,
    output: Output = Format.CSV,
    language: InLanguage = Language.ENGLISH,
    config: Config = None,
) -> None:
    """Use of parking zones by local days: how full, how many cars, the fullest hour; nothing about a single bay."""
    settings = begin(config)
    from lamplighter.report import in_force  # heavy, as what follows
    from lamplighter.report.parking import report
    from storage.parking import Used, by_zone_and_day

    async def work() -> tuple[list[Used], _Span, int]:
        async with database(settings) as connection:
            missed = (await in_force.thresholds(connection)).presence.missed_intervals
            span = await _span(connection, since, until, ZoneInfo(settings.timezone))
            return await by_zone_and_day(connection, span.begins, span.ends, missed), span, missed

    found, span, missed = run(work())
    _write(report(found, span.first, span.last, missed), settings, span.now, output, language)


@commands.command()
def ledger(
    since: Since = None,
    until: Until = None,
    output: Output = Format.CSV,
    language: InLanguage = Language.ENGLISH,
    check: Annotated[bool, typer.Option("--check", help="Also recheck days that have not changed since.")] = False,
    config: Config = None,
) -> None:
    """Prove by UTC day that nothing is lost: what was received, what became of it, and that the rows are there now."""
    settings = begin(config)
    from psycopg.errors import InsufficientPrivilege  # heavy, as what follows

    from lamplighter.report.ledger import report
    from storage import ledger as books
    from storage import ledger_check

    async def work() -> tuple[list[Day], _Span]:
        async with database(settings) as connection:
            span = await _span(connection, since, until, dt.UTC)
            after = span.last + dt.timedelta(days=1)
            days = await books.days(connection, since=span.first, before=after)
            asked = {each.day for each in days}
            if not check:
                asked.intersection_update(await ledger_check.due(connection, to_us(span.now), again=dt.timedelta()))
            with nullcontext() if check else suppress(InsufficientPrivilege):  # who may only read has the last check
                await ledger_check.check_days(connection, sorted(asked), to_us(span.now))
            return (await books.days(connection, since=span.first, before=after))[::-1], span

    days, span = run(work())
    _write(report(days, span.first, span.last), settings, span.now, output, language)
