"""`lamplighter rules`: the service that decides, and what people do with its rule file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamplighter.cli import services
from lamplighter.cli.later import branch
from lamplighter.cli.session import Config, begin, database, run
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from storage.errors import StorageError

if TYPE_CHECKING:
    from rules.rulefile.files import BadFile
    from telemetry.registry import Registry

commands = typer.Typer(
    cls=branch({"backtest": "backtest.backtest", "explain": "explain.explain"}),
    help="Decide: dim lamps, raise alarms, count free bays. With a subcommand: check and try rules.",
    invoke_without_command=True,
)


@commands.callback()
def rules(context: typer.Context, metrics_port: services.MetricsPort = None, config: Config = None) -> None:
    """Decide: dim lamps, raise alarms, count free bays. Of several such processes one leads.

    With a subcommand nothing is decided; it checks or tries rules.
    """
    if context.invoked_subcommand is None:
        services.rules(metrics_port, config)


@commands.command()
def test(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Rule tests as TOML, as `docs/rule_file.md` describes them.")
    ],
) -> None:
    """Run rule tests: what sensors say in, alarms, setpoints and free places out."""
    from rules.rulefile.files import BadFile  # heavy: all rules
    from rules.trial.files import outcomes, scenarios_of

    ran = failed = 0
    for file in files:
        try:
            scenarios = scenarios_of(file)
        except BadFile as error:
            raise said(error) from error
        for outcome in outcomes(scenarios):
            ran += 1
            failed += bool(outcome.failures)
            told = outcome.scenario.told
            print(f"{'FAILED' if outcome.failures else 'ok    '} {told.name}", flush=True)
            for each in outcome.failures:
                print(f"       {file}, line {each.line}: {each.sentence}", flush=True)
    if failed:
        raise Failure(f"{failed} of {ran} tests failed.")
    print(f"{ran} {'test' if ran == 1 else 'tests'}, all as expected.")


@commands.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The rule file.", show_default="the setting rules_file")
    ] = None,
    config: Config = None,
) -> None:
    """Say what is wrong with a rule file, every mistake with its line; or what it comes to, if nothing is.

    Zones and assets are looked up in the registry if a database is named.
    """
    settings = begin(config)
    chosen = file or settings.rules_file
    if chosen is None:
        raise WrongUsage("No rule file is named: give one, or set LAMPLIGHTER_RULES_FILE.")
    from rules.notifying import unusable  # heavy: all rules
    from rules.rulefile.files import BadFile, read_rule_file
    from rules.rulefile.summary import summary

    registry = run(_registry(settings))
    try:
        found = read_rule_file(chosen, registry)
    except BadFile as error:
        raise said(error) from error
    for note in found.notes:
        print(f"{chosen}, line {note.line}, note: {note.sentence}")
    for name, reason in unusable(found.thresholds.notifications.sinks).items():
        print(f"{chosen}, note: The sink {name} cannot be used from here: {reason}.")
    for line in summary(found.thresholds):
        print(line)
    print(f"Nothing is wrong: this is version {found.thresholds.version}.")


async def _registry(settings: Settings) -> "Registry | None":
    """The town's assets, `None` with a word on standard error if nobody can be asked."""
    if settings.database_url is None:
        print("Zones and assets are not looked up: no database is named.", file=sys.stderr)
        return None
    from storage import registry

    try:
        async with database(settings) as connection:
            return await registry.load(connection)
    except StorageError as error:
        print(f"Zones and assets are not looked up: {error}", file=sys.stderr)
        return None


def said(error: "BadFile") -> Failure:
    """Every mistake on a line of standard output, and the failure that ends the command."""
    for line in _lines(error):
        print(line)
    number = len(error.mistakes)
    mend = f" {number} {'thing is' if number == 1 else 'things are'} wrong." if number else ""
    return Failure(f"{error}{mend}")


def _lines(error: "BadFile") -> Iterator[str]:
    return (f"{error.path}, {mistake}" for mistake in error.mistakes)
