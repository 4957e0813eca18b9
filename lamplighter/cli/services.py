"""`lamplighter up`, `ingest`, `rules`, `api`: services against the configured broker and database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamplighter.cli.session import Config, begin, need_broker, need_database, run
from lamplighter.errors import WrongUsage

if TYPE_CHECKING:
    from lamplighter.running import Service


def up(config: Config = None) -> None:
    """Run all services against the configured broker and database."""
    _serve(config, "ingest", "rules", "api")


def ingest(
    share: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Divide the uplinks among all processes with the same NAME."),
    ] = None,
    config: Config = None,
) -> None:
    """Store what devices send."""
    if share is not None and not share.isidentifier():
        raise WrongUsage(f"{share!r} is no name for a share: use letters, digits and underscores.")
    _serve(config, "ingest", share=share)


def rules(config: Config = None) -> None:
    """Decide: dim lamps, raise alarms, count free bays. Of several such processes one leads."""
    _serve(config, "rules")


def api(config: Config = None) -> None:
    """Serve the API and the residents' page."""
    _serve(config, "api")


def _serve(config: Path | None, *services: "Service", share: str | None = None) -> None:
    settings = begin(config, is_service=True)
    database_url, mqtt_url = need_database(settings), need_broker(settings)
    from lamplighter.running import serve  # heavy: all rooms

    run(serve(settings, database_url, mqtt_url, services, share))
