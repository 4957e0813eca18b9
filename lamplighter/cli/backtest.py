"""`lamplighter rules backtest`: another rule file tried on what was stored, before it is switched on."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from lamplighter.cli.rules import said
from lamplighter.cli.session import NO_PLACE, Config, begin, database, run, whereabouts
from lamplighter.cli.spelling import DURATION, parse_day, parse_duration, parse_moment
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from storage.pool import Connection
from telemetry.clock import DAY_US, SECOND_US, to_datetime, to_us

if TYPE_CHECKING:
    from lamplighter.report.backtest import Found
    from rules.backtest.running import Passed, Plan, Tried
    from telemetry.registry import Registry
    from telemetry.thresholds import Thresholds

BOUND = "RFC3339|YYYY-MM-DD"
SPAN_DAYS = 7
WARM_UP_S = 86_400.0
_SAY_S = 0.2


def backtest(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The rule file to try.", show_default="the setting rules_file")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar=BOUND, help="From when on.", show_default=f"{SPAN_DAYS} days before the end"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar=BOUND, help="Until when; a day counts.", show_default="now, city time")
    ] = None,
    zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Only the assets of this zone.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only assets of this kind.")] = None,
    warm_up: Annotated[
        float | None,
        typer.Option(
            "--warm-up",
            parser=parse_duration,
            metavar=DURATION,
            help="So long before is gone through too, so that delays and alarms are as they were.",
            show_default="1d",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")] = False,
    config: Config = None,
) -> None:
    """Go through stored history by a rule file and by the active rules, and say what differs.

    Alarms, commands, light and energy. Nothing is written and nothing is sent.
    """
    settings = begin(config)
    chosen = file or settings.rules_file
    if chosen is None:
        raise WrongUsage("No rule file is named: give one, or set LAMPLIGHTER_RULES_FILE.")
    from lamplighter.report.backtest import document, lines  # heavy: all rules

    found = run(_try(settings, chosen, (since, until), (zone, kind), round((warm_up or WARM_UP_S) * SECOND_US)))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(document(found)), indent=2).decode())
    else:
        for line in lines(found):
            print(line)


async def _try(
    settings: Settings,
    file: Path,
    bounds: tuple[str | None, str | None],
    chosen: tuple[str | None, str | None],
    warm_us: int,
) -> "Found":
    from lamplighter.report.backtest import Found, missing
    from rules.backtest.difference import difference
    from rules.backtest.lanes import LaneBroken
    from rules.backtest.running import Plan, backtest
    from rules.backtest.scope import NothingChosen
    from rules.rulefile.files import BadFile, read_rule_file
    from rules.sun import Sun
    from storage import registry
    from storage.shared_clock import city_now

    zone, kind = chosen
    _check_kind(kind)
    async with database(settings) as connection:
        where = await whereabouts(settings, connection)
        if where is None:
            raise WrongUsage(f"Dusk and dawn need the city's place: {NO_PLACE}.")
        timezone = ZoneInfo(where.timezone)
        since_us, until_us = _span(*bounds, timezone, await city_now(connection))
        known = await registry.load(connection)
        active, name, notes = await active_rules(connection)
    try:
        candidate = read_rule_file(file, known).thresholds
    except BadFile as error:
        raise said(error) from error
    sun = Sun(where.lat, where.lon)
    plan = Plan(known, active, candidate, sun, timezone, since_us, until_us, warm_us, zone, kind)
    try:
        with _progress(plan) as say:
            tried = await backtest(lambda: database(settings), plan, say)
    except NothingChosen:
        raise Failure(_nobody(known, zone, kind)) from None
    except LaneBroken:
        raise Failure("A process of the backtest was ended, perhaps for want of memory: try a shorter span.") from None
    _need_observations(plan, tried)
    if active == candidate:
        notes.append("The candidate is what is active: nothing can differ.")
    names = (name, f"{candidate.version} ({file})")
    return Found(plan, tried, difference(tried.active, tried.candidate), names, [*notes, *missing(plan, tried)])


def _check_kind(kind: str | None) -> None:
    from telemetry.kinds import KINDS

    if kind is not None and kind not in KINDS:
        raise WrongUsage(f"{kind!r} is no kind of sensor: there are {', '.join(sorted(KINDS))}.")


async def active_rules(connection: Connection) -> tuple["Thresholds", str, list[str]]:
    """The rules in force, what they are called, and what there is to note about them."""
    from rules.rulefile.active import of_content
    from rules.rulefile.reading import versioned
    from storage import rule_versions
    from telemetry.thresholds import Thresholds

    known = await rule_versions.active(connection)
    shipped = versioned(Thresholds())
    if known is None:
        return (
            shipped,
            f"{shipped.version} (as shipped)",
            ["No rules have been in force here: compared with the shipped ones."],
        )
    version, since = known
    kept = of_content(version.content)
    if kept is None:
        note = f"The active version {version.version} is of another Lamplighter: compared with the shipped rules."
        return shipped, f"{shipped.version} (as shipped)", [note]
    return kept, f"{version.version} (by {version.author}, since {since:%Y-%m-%d %H:%M} UTC)", []


def _span(since: str | None, until: str | None, zone: ZoneInfo, now_us: int) -> tuple[int, int]:
    """From when until when, in microseconds; never ahead of the city clock."""
    until_us = min(_bound(until, zone, ends=True), now_us) if until else now_us
    since_us = _bound(since, zone, ends=False) if since else until_us - SPAN_DAYS * DAY_US
    if since_us >= now_us:
        raise WrongUsage(f"--from {since} lies ahead of the city clock ({to_datetime(now_us):%Y-%m-%d %H:%M} UTC).")
    if since_us >= until_us:
        raise WrongUsage(f"--from {since} is not before --to {until}: name the earlier moment first.")
    return since_us, until_us


def _bound(text: str, zone: ZoneInfo, ends: bool) -> int:
    """A moment, or the beginning or the end of a local day."""
    if "T" in text or " " in text:
        return to_us(parse_moment(text))
    day = parse_day(text) + dt.timedelta(days=int(ends))
    return to_us(dt.datetime.combine(day, dt.time(), zone))


def _nobody(known: "Registry", zone: str | None, kind: str | None) -> str:
    where = f" in the zone {zone}" if zone else ""
    unknown = f"; there is no zone {zone}" if zone is not None and zone not in known.zones else ""
    return f"No asset{f' of the kind {kind}' if kind else ''} is in service{where}{unknown}."


def _need_observations(plan: "Plan", tried: "Tried") -> None:
    if any(each.observations for each in tried.readings.values()):
        return
    from lamplighter.report.backtest import missing

    since, until = (f"{to_datetime(each):%Y-%m-%d %H:%M}" for each in (plan.since_us, plan.until_us))
    dropped = [each for each in missing(plan, tried) if "dropped" in each]
    raise Failure(" ".join([f"No observations are stored from {since} to {until} UTC.", *dropped]))


@contextmanager
def _progress(plan: "Plan") -> Iterator[Callable[["Passed"], None]]:
    """Says on standard error, on a terminal only, how far it has come."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    begin_us, began_s, said_s = plan.since_us - plan.warm_us, time.monotonic(), 0.0
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        task = shown.add_task("reading", total=plan.until_us - begin_us)

        def say(passed: "Passed") -> None:
            nonlocal said_s
            now_s = time.monotonic()
            if now_s - said_s < _SAY_S:
                return
            said_s = now_s
            rate = passed.observations / max(now_s - began_s, 1e-9)
            words = f"{passed.observations:,} observations, {rate:,.0f}/s"
            shown.update(task, completed=passed.at_us - begin_us, description=words)

        yield say
