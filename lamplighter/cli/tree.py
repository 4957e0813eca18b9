"""All commands; each is imported once it is called."""

import importlib.metadata
from typing import Annotated

import typer

from lamplighter.cli.later import branch

COMMANDS = {
    "demo": "demo.demo",
    "up": "services.up",
    "ingest": "services.ingest",
    "upkeep": "services.upkeep",
    "gateway": "services.gateway",
    "api": "services.api",
    "simulate": "simulate.simulate",
    "migrate": "migrate.migrate",
    "install": "install.install",
    "doctor": "doctor.doctor",
    "backup": "backup.backup",
    "restore": "backup.restore",
    "decode": "decode.decode",
    "encode": "decode.encode",
    "import": "history.import_history",
    "rules": "rules.commands",
    "codec": "codec.commands",
    "registry": "registry.commands",
    "credentials": "credentials.commands",
    "token": "token.commands",
    "quarantine": "quarantine.commands",
    "dashboards": "dashboards.commands",
    "report": "report.commands",
}
"""Name and place, in the order in which they are listed."""

tree = typer.Typer(
    cls=branch(COMMANDS),
    name="lamplighter",
    help="Smart-city telemetry for small towns: street lights, drains and parking bays.",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(importlib.metadata.version("lamplighter"))
        raise typer.Exit


@tree.callback()
def lamplighter(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """What goes before a command; with none at all, the list of them."""
    if context.invoked_subcommand is None:
        print(context.get_help())
