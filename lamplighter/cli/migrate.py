"""`lamplighter migrate`: the schema in the database follows the code."""

from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, need_database, run
from lamplighter.errors import Failure
from storage import migrate as schema


def migrate(
    draft: Annotated[
        bool, typer.Option("--draft", help="Write the migration for a new or changed kind of sensor, and do no more.")
    ] = False,
    config: Config = None,
) -> None:
    """Create or upgrade the database schema; TimescaleDB is used where the server has it."""
    settings = begin(config)
    if draft:
        _write_draft()
        return
    done = run(schema.migrate(need_database(settings), timezone=settings.timezone, ttl_s=settings.ttl_s))
    for name in done.applied:
        print(f"applied {name}")
    for note in done.notes:
        typer.echo(note, err=True)
    mode = "TimescaleDB" if done.mode == "timescale" else "plain PostgreSQL"
    print(f"The schema is up to date, on {mode}.")


def _write_draft() -> None:
    try:
        file = schema.write_draft()
    except ValueError as error:
        raise Failure(f"No migration can be drafted: {error}.") from error
    except OSError as error:
        raise Failure(f"The migration cannot be written: {error}.") from error
    if file is None:
        print("Every kind has its table: there is nothing to draft.")
    else:
        print(f"Drafted {file}: review it, then run `lamplighter migrate`.")
