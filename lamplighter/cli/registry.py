"""`lamplighter registry`: which places the town has, and which device serves which."""

import datetime as dt
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.codecs.catalogue import catalogue
from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.spelling import MOMENT, parse_moment
from lamplighter.errors import Failure, WrongUsage
from storage import audit, codecs, registry, registry_change
from storage.pool import Connection
from storage.shared_clock import city_now
from storage.spreadsheet import open_text
from telemetry.clock import to_rfc3339, to_us

Asset = Annotated[str, typer.Argument(metavar="ASSET", help="The place, by its name in the registry.")]
At = Annotated[
    dt.datetime,
    typer.Option(parser=parse_moment, metavar=MOMENT, help="When, such as 2026-11-22T15:10:00Z."),
]

commands = typer.Typer(help="The town's places and devices: import, export, swap, retire.")


@commands.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV with a header, or GeoJSON.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Take what the file does not name out of service.")
    ] = False,
    config: Config = None,
) -> None:
    """Bring the registry to the rows of a file: all of them, or none if one is wrong."""
    settings = begin(config)

    async def work() -> registry.Counts:
        async with database(settings) as connection:
            wanted = registry.Wanted(
                dry_run, retire_missing, await _models(connection), print, _warn, audit.COMMAND_LINE
            )
            bring = registry.import_geojson if _is_json(file) else registry.import_csv
            with open_text(file) as source:
                return await bring(connection, source, await city_now(connection), wanted)

    try:
        counts = run(work())
    except registry.RegistryRefused as refused:
        more = [f"{refused.more:,} mistakes more."] if refused.more else []
        raise Failure("\n".join([*(f"{file}, {each}" for each in refused.mistakes), *more])) from refused
    except OSError as error:
        raise Failure(f"{file} cannot be read ({error}).") from error
    _say(_summary(counts, dry_run))
    if counts.added and not dry_run:
        _say("What new devices said before was refused: `lamplighter quarantine replay` stores it.")


async def _models(connection: Connection) -> set[str]:
    """The models that there is a codec for."""
    return {*catalogue(), *(codec.model for codec in await codecs.load(connection))}


def _is_json(file: Path) -> bool:
    """Whether a file begins as JSON does."""
    with open_text(file) as source:
        return source.read(4096).lstrip().startswith(("{", "["))


def _warn(line: str) -> None:
    _say(f"Note: {line}.")


def _say(line: str) -> None:
    """A remark on standard error, behind all that was printed before it."""
    sys.stdout.flush()
    typer.echo(line, err=True)


def _summary(counts: registry.Counts, dry_run: bool) -> str:
    done = "would be " if dry_run else ""
    said = f"{counts.added:,} {done}added, {counts.changed:,} {done}changed, {counts.retired:,} {done}retired, "
    return f"{said}{counts.unchanged:,} unchanged."


@commands.command()
def export(
    form: Annotated[Literal["csv", "geojson"], typer.Option("--format", help="How it is written.")] = "csv",
    config: Config = None,
) -> None:
    """Print the registry as `import` reads it."""
    settings = begin(config)
    write = registry.export_geojson if form == "geojson" else registry.export_csv

    async def work() -> str:
        async with database(settings) as connection:
            return await write(connection)

    print(run(work()), end="")


@commands.command()
def swap(
    asset: Asset,
    device: Annotated[str, typer.Argument(metavar="NEW_DEVICE", help="What serves it from then on.")],
    at: At,
    model: Annotated[str | None, typer.Option(metavar="VENDOR/DEVICE", help="What the new device is.")] = None,
    config: Config = None,
) -> None:
    """Give an asset another device from a moment on; it keeps its history."""
    settings = begin(config)
    at_us = to_us(at)

    async def work() -> str | None:
        async with database(settings) as connection:
            what = model.strip().lower() if model else None
            if what is not None and what not in await _models(connection):
                raise WrongUsage(f"There is no codec for the model {what!r}: see docs/devices.md and `codec list`.")
            return await registry_change.swap(connection, asset, device, at_us, await city_now(connection), what)

    before = _changed(work())
    came = "installed" if before is None else f"swapped for {device}"
    print(f"~ {asset}: device {before or device} {came} at {to_rfc3339(at_us)}")
    replay = f"`lamplighter quarantine replay --device {device}`"
    _say(f"If {device} was heard before it served anything, that was refused: {replay}.")


@commands.command()
def retire(asset: Asset, at: At, config: Config = None) -> None:
    """Take an asset out of service from a moment on; its history stays."""
    settings = begin(config)
    at_us = to_us(at)

    async def work() -> str | None:
        async with database(settings) as connection:
            return await registry_change.retire(connection, asset, at_us, await city_now(connection))

    device = _changed(work())
    print(f"- {asset} retired at {to_rfc3339(at_us)}" + (f", device {device} is free" if device else ""))


def _changed(work: Coroutine[Any, Any, str | None]) -> str | None:
    """The device that served the asset before."""
    try:
        return run(work)
    except registry_change.ChangeRefused as refused:
        raise Failure(refused.detail) from refused
