"""All commands, as `lamplighter --help` lists them."""

import importlib.metadata
from typing import Annotated

import typer

from lamplighter.cli import codec, credentials, dashboards, quarantine, registry, report, rules, services, token
from lamplighter.cli.backtest import backtest
from lamplighter.cli.backup import backup, restore
from lamplighter.cli.decode import decode, encode
from lamplighter.cli.demo import demo
from lamplighter.cli.doctor import doctor
from lamplighter.cli.explain import explain
from lamplighter.cli.history import import_history
from lamplighter.cli.migrate import migrate
from lamplighter.cli.simulate import simulate

tree = typer.Typer(
    name="lamplighter",
    help="Smart-city telemetry for small towns: street lights, drains and parking bays.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(importlib.metadata.version("lamplighter"))
        raise typer.Exit


@tree.callback()
def lamplighter(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """What goes before a command."""


tree.command()(demo)
for command in (services.up, services.ingest, services.upkeep, services.gateway, services.api):
    tree.command()(command)
tree.command()(simulate)
tree.command()(migrate)
tree.command()(doctor)
tree.command()(backup)
tree.command()(restore)
tree.command()(decode)
tree.command()(encode)
rules.commands.command()(backtest)
rules.commands.command()(explain)
tree.add_typer(rules.commands, name="rules")
tree.add_typer(codec.commands, name="codec")
tree.add_typer(registry.commands, name="registry")
tree.command("import")(import_history)
tree.add_typer(credentials.commands, name="credentials")
tree.add_typer(token.commands, name="token")
tree.add_typer(quarantine.commands, name="quarantine")
tree.add_typer(dashboards.commands, name="dashboards")
tree.add_typer(report.commands, name="report")
