"""`lamplighter rules explain`: what holds for an asset now and why, and when it will be otherwise."""

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from lamplighter import plain_text
from lamplighter.cli.session import NO_PLACE, Config, begin, database, run, whereabouts
from lamplighter.cli.spelling import MOMENT, parse_moment
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from telemetry.clock import to_rfc3339, to_us

if TYPE_CHECKING:
    from rules.explain.asking import Unknown
    from rules.explain.words import Explanation


def explain(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="The asset, or a parking zone.")],
    at: Annotated[
        dt.datetime | None,
        typer.Option(parser=parse_moment, metavar=MOMENT, help="At which moment.", show_default="now, city time"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")] = False,
    config: Config = None,
) -> None:
    """Say what holds now and why, and when it will change next.

    Programs, sun, closures and delays are told for the moment asked for; what sensors said is that of now.
    """
    settings = begin(config)
    version, told = run(_explain(settings, asset, at))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(_document(version, told)), indent=2).decode())
        return
    from rules.explain.asking import at_words

    print(f"{told.name} ({told.kind}) at {at_words(told)}, by the rules {version}")
    for each in told.statements:
        print(f"  {plain_text.line(each.sentence)}")
    print("Next:" if told.changes else "Nothing is foreseen to change.")
    for change in told.changes:
        print(f"  {told.clock(change.at_us)}  {plain_text.line(change.sentence)}")


async def _explain(settings: Settings, name: str, at: dt.datetime | None) -> tuple[str, "Explanation"]:
    from lamplighter.cli.backtest import active_rules
    from lamplighter.compose import Place  # heavy, as what follows
    from rules.city import LAMPS
    from rules.explain import asking
    from rules.sun import Sun
    from storage import city, registry
    from storage.shared_clock import city_now

    async with database(settings) as connection:
        now_us = await city_now(connection)
        thresholds, version, _ = await active_rules(connection)
        loaded = await registry.load(connection)
        place = await whereabouts(settings, connection)
        where = place or Place(0.0, 0.0, await city.timezone(connection))
        sun, timezone = Sun(where.lat, where.lon), ZoneInfo(where.timezone)
        known = await asking.recall(connection, loaded, thresholds, sun, timezone, now_us)
    try:
        told = asking.explain(known, name, now_us if at is None else to_us(at))
    except asking.Unknown as unknown:
        raise Failure(_nobody(name, unknown)) from None
    if told.kind == LAMPS and place is None:
        raise WrongUsage(f"Dusk and dawn need the city's place: {NO_PLACE}.")
    return version, told


def _nobody(name: str, unknown: "Unknown") -> str:
    if unknown.retired:
        return f"{name} is retired: nothing is decided about it any more."
    near = f" Did you mean {' or '.join(unknown.near)}?" if unknown.near else ""
    return f"There is no asset and no parking zone {name!r}.{near}"


def _document(version: str, told: "Explanation") -> dict[str, Any]:
    return {
        "name": told.name,
        "kind": told.kind,
        "at": to_rfc3339(told.at_us),
        "rules": version,
        "now": [asdict(each) for each in told.statements],
        "next": [{"at": to_rfc3339(each.at_us), "sentence": each.sentence} for each in told.changes],
    }
