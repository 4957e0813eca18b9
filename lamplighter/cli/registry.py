"""`lamplighter registry`: which places the town has, and which device serves which."""

import datetime as dt
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.spelling import MOMENT, parse_moment
from lamplighter.errors import Failure
from storage import registry, registry_change
from storage.shared_clock import city_now
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
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} cannot be read as UTF-8 text ({error}).") from error

    bring = registry.import_geojson if text.lstrip().startswith("{") else registry.import_csv

    async def work() -> registry.Diff:
        async with database(settings) as connection:
            now_us = await city_now(connection)
            return await bring(connection, text, now_us, dry_run=dry_run, retire_missing=retire_missing)

    try:
        changes = list(run(work()))
    except registry.RegistryRefused as refused:
        raise Failure("\n".join(f"{file}, {mistake}" for mistake in refused.mistakes)) from refused
    for change in changes:
        print(change)
    done = "would change" if dry_run else "changed"
    typer.echo(f"{len(changes)} {'entry' if len(changes) == 1 else 'entries'} {done}.", err=True)


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
    config: Config = None,
) -> None:
    """Give an asset another device from a moment on; it keeps its history."""
    settings = begin(config)
    at_us = to_us(at)

    async def work() -> str | None:
        async with database(settings) as connection:
            return await registry_change.swap(connection, asset, device, at_us, await city_now(connection))

    before = _changed(work())
    came = "installed" if before is None else f"swapped for {device}"
    print(f"~ {asset}: device {before or device} {came} at {to_rfc3339(at_us)}")
    typer.echo(
        f"What {device} sent until now was refused: `lamplighter quarantine replay --device {device}`.", err=True
    )


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
