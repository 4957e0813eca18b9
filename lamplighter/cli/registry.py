"""`lamplighter registry`: which places the town has, and which device serves which."""

from pathlib import Path
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.errors import Failure
from storage import registry
from storage.shared_clock import city_now

commands = typer.Typer(help="The town's places and devices: import, export.")


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV with a header.")],
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

    if text.lstrip().startswith("{"):
        raise Failure(f"{file} is JSON: GeoJSON is not read yet, import a CSV with a header.")

    async def work() -> registry.Diff:
        async with database(settings) as connection:
            now_us = await city_now(connection)
            return await registry.import_csv(connection, text, now_us, dry_run=dry_run, retire_missing=retire_missing)

    try:
        changes = list(run(work()))
    except registry.RegistryRefused as refused:
        raise Failure("\n".join(f"{file}, {mistake}" for mistake in refused.mistakes)) from refused
    for change in changes:
        print(change)
    done = "would change" if dry_run else "changed"
    typer.echo(f"{len(changes)} {'entry' if len(changes) == 1 else 'entries'} {done}.", err=True)


@commands.command()
def export(config: Config = None) -> None:
    """Print the registry as CSV, as `import` reads it."""
    settings = begin(config)

    async def work() -> str:
        async with database(settings) as connection:
            return await registry.export_csv(connection)

    print(run(work()), end="")
