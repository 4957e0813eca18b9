"""`lamplighter report`: what was, for those outside: as CSV, or as a page to print."""

import csv
import datetime as dt
import sys
from enum import StrEnum
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.spelling import DAY, parse_day
from lamplighter.errors import WrongUsage
from lamplighter.report.words import Language
from storage.ledger import Day
from telemetry.clock import to_datetime

commands = typer.Typer(help="Reports for the council and the auditor: CSV, or a page to print.")


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    HTML = "html"


@commands.callback()
def report() -> None:
    """Reports for the council and the auditor: CSV, or a page to print."""


@commands.command()
def ledger(
    since: Annotated[
        dt.date | None,
        typer.Option("--from", parser=parse_day, metavar=DAY, help="The first day.", show_default="30 days before"),
    ] = None,
    until: Annotated[
        dt.date | None,
        typer.Option("--to", parser=parse_day, metavar=DAY, help="The last day.", show_default="today, city time"),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="CSV, or a page to print.")] = Format.CSV,
    language: Annotated[Language, typer.Option(help="English or German.")] = Language.ENGLISH,
    check: Annotated[bool, typer.Option("--check", help="Check every day anew before, which reads its rows.")] = False,
    config: Config = None,
) -> None:
    """Prove by UTC day that nothing is lost: what was received, what became of it, and what the last check found."""
    settings = begin(config)
    from lamplighter.report import ledger as report  # heavy, as what follows
    from lamplighter.report.page import html
    from storage import ledger as books
    from storage import ledger_check
    from storage.shared_clock import city_now

    async def work() -> tuple[list[Day], dt.date, dt.date, dt.datetime]:
        async with database(settings) as connection:
            now_us = await city_now(connection)
            last = until or to_datetime(now_us).date()
            first = since or last - dt.timedelta(days=30)
            if first > last:
                raise WrongUsage(f"--from {first} lies after --to {last}: name the earlier day first.")
            after = last + dt.timedelta(days=1)
            days = await books.days(connection, since=first, before=after)
            if check:
                await connection.execute("SET statement_timeout = 0")
                await ledger_check.check_days(connection, [each.day for each in days], now_us)
                days = await books.days(connection, since=first, before=after)
            return days[::-1], first, last, to_datetime(now_us)

    days, first, last, now = run(work())
    if output is Format.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows(report.rows(days, language))
    else:
        sys.stdout.write(html(report.page(days, settings.city_name, first, last, now, language)))
