"""`lamplighter rules`: the service that decides, and what people do with its rule file."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamplighter.cli import services
from lamplighter.cli.session import Config
from lamplighter.errors import Failure

if TYPE_CHECKING:
    from rules.files import BadFile

commands = typer.Typer(
    help="Decide: dim lamps, raise alarms, count free bays. With a subcommand: check and try rules.",
    invoke_without_command=True,
)


@commands.callback()
def rules(context: typer.Context, config: Config = None) -> None:
    """Decide: dim lamps, raise alarms, count free bays. Of several such processes one leads.

    With a subcommand nothing is decided; it checks or tries rules.
    """
    if context.invoked_subcommand is None:
        services.rules(config)


@commands.command()
def test(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Rule tests as TOML, as `docs/rule_file.md` describes them.")
    ],
) -> None:
    """Run rule tests: what sensors say in, alarms, setpoints and free places out."""
    from rules.files import BadFile  # heavy: all rules
    from rules.rule_tests import outcomes, scenarios_of

    ran = failed = 0
    for file in files:
        try:
            scenarios = scenarios_of(file)
        except BadFile as error:
            raise _said(error) from error
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


def _said(error: "BadFile") -> Failure:
    """Every mistake on a line of standard output, and the failure that ends the command."""
    for line in _lines(error):
        print(line)
    number = len(error.mistakes)
    mend = f" {number} {'thing is' if number == 1 else 'things are'} wrong." if number else ""
    return Failure(f"{error}{mend}")


def _lines(error: "BadFile") -> Iterator[str]:
    return (f"{error.path}, {mistake}" for mistake in error.mistakes)
