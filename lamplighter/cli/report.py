"""`lamplighter report`: what was, for those outside: as CSV, or as a page to print."""

import csv
import datetime as dt
import sys
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.spelling import DAY, parse_day
from lamplighter.errors import WrongUsage
from lamplighter.report.page import html
from lamplighter.report.sheet import Report
from lamplighter.report.words import Language
from lamplighter.settings import Settings
from storage.ledger import Day
from telemetry.clock import to_datetime

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


def _days(since: dt.date | None, until: dt.date | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of a report."""
    last = until or today
    first = since or last - dt.timedelta(days=30)
    if first > last:
        raise WrongUsage(f"--from {first} lies after --to {last}: name the earlier day first.")
    return first, last


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
    from storage.shared_clock import city_now

    async def work() -> tuple[Findings, dt.datetime]:
        async with database(settings) as connection:
            now, zone = to_datetime(await city_now(connection)), ZoneInfo(settings.timezone)
            first, last = _days(since, until, now.astimezone(zone).date())
            begin_at, end_at = (
                dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
                for day in (first, last + dt.timedelta(days=1))
            )
            await connection.execute("SET statement_timeout = 0")
            return await find(connection, begin_at, max(begin_at, min(end_at, now)), zone), now

    found, now = run(work())
    _write(report(found, events), settings, now, output, language)


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
    from lamplighter.compose import place  # heavy, as what follows
    from lamplighter.report.energy import report
    from lamplighter.report.energy_found import find
    from storage.energy import Drawn
    from storage.shared_clock import city_now

    where = place(settings)
    if where is None:
        raise WrongUsage("The hours of darkness need the city's place: set LAMPLIGHTER_CITY_LAT and _LON.")

    async def work() -> tuple[list[Drawn], dt.date, dt.date, dt.datetime]:
        async with database(settings) as connection:
            now = to_datetime(await city_now(connection))
            first, last = _days(since, until, now.astimezone(ZoneInfo(where.timezone)).date())
            await connection.execute("SET statement_timeout = 0")
            return await find(connection, first, last, where, now), first, last, now

    found, first, last, now = run(work())
    _write(report(found, first, last, co2_g_per_kwh), settings, now, output, language)


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
    from lamplighter.report.parking import report  # heavy, as what follows
    from storage.parking import Used, by_zone_and_day
    from storage.shared_clock import city_now

    async def work() -> tuple[list[Used], dt.date, dt.date, dt.datetime]:
        async with database(settings) as connection:
            now, zone = to_datetime(await city_now(connection)), ZoneInfo(settings.timezone)
            first, last = _days(since, until, now.astimezone(zone).date())
            begin_at, end_at = (
                dt.datetime.combine(day, dt.time(), zone) for day in (first, last + dt.timedelta(days=1))
            )
            await connection.execute("SET statement_timeout = 0")
            return await by_zone_and_day(connection, begin_at, max(begin_at, min(end_at, now))), first, last, now

    found, first, last, now = run(work())
    _write(report(found, first, last), settings, now, output, language)


@commands.command()
def ledger(
    since: Since = None,
    until: Until = None,
    output: Output = Format.CSV,
    language: InLanguage = Language.ENGLISH,
    check: Annotated[bool, typer.Option("--check", help="Check every day anew before, which reads its rows.")] = False,
    config: Config = None,
) -> None:
    """Prove by UTC day that nothing is lost: what was received, what became of it, and what the last check found."""
    settings = begin(config)
    from lamplighter.report.ledger import report  # heavy, as what follows
    from storage import ledger as books
    from storage import ledger_check
    from storage.shared_clock import city_now

    async def work() -> tuple[list[Day], dt.date, dt.date, dt.datetime]:
        async with database(settings) as connection:
            now_us = await city_now(connection)
            first, last = _days(since, until, to_datetime(now_us).date())
            after = last + dt.timedelta(days=1)
            days = await books.days(connection, since=first, before=after)
            if check:
                await connection.execute("SET statement_timeout = 0")
                await ledger_check.check_days(connection, [each.day for each in days], now_us)
                days = await books.days(connection, since=first, before=after)
            return days[::-1], first, last, to_datetime(now_us)

    days, first, last, now = run(work())
    _write(report(days, first, last), settings, now, output, language)
