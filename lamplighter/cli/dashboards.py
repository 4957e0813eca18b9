"""`lamplighter dashboards`: Grafana's dashboards as code."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamplighter.cli.later import branch
from lamplighter.cli.session import Config, begin, database, run
from lamplighter.errors import Failure, WrongUsage
from lamplighter.settings import Settings
from storage import rule_versions
from storage.errors import StorageError
from storage.pool import Connection

if TYPE_CHECKING:
    from dashboards.choices import Town
    from dashboards.push import Change
    from telemetry.thresholds import Thresholds

commands = typer.Typer(
    cls=branch({"preview": "preview.preview"}),
    help="Grafana's dashboards as code: build them, check and preview them, put them into Grafana.",
)

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", file_okay=False, help="Where they lie.", show_default="dashboards/generated"
    ),
]
Active = Annotated[
    bool, typer.Option("--active", help="With the figures of the rules that are active, instead of the shipped ones.")
]


@commands.command()
def build(folder: Folder = None, active: Active = False, config: Config = None) -> None:
    """Write every dashboard as JSON, which Grafana's provisioning loads, and its alert rules beside the other files."""
    from dashboards import build as dashboards  # heavy

    town = _town(begin(config)) if active else None
    try:
        written = dashboards.build(folder or dashboards.GENERATED, town)
        if folder is None:
            written.append(dashboards.build_alerts(town=town))
    except OSError as error:
        raise Failure(f"The dashboards cannot be written ({error}): name another folder with --folder.") from error
    for file in written:
        print(file)


@commands.command()
def check(folder: Folder = None, active: Active = False, config: Config = None) -> None:
    """Say what is wrong with the dashboards, or with what was written of them."""
    from dashboards import build as dashboards  # heavy

    findings = dashboards.check(folder or dashboards.GENERATED, _town(begin(config)) if active else None)
    for finding in findings:
        print(finding)
    if findings:
        raise Failure(f"{len(findings)} {'thing is' if len(findings) == 1 else 'things are'} wrong.")
    print("The dashboards are as the code has them, and fit for Grafana.")


@commands.command()
def push(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change, line by line; change nothing.")
    ] = False,
    into: Annotated[
        str, typer.Option("--into", metavar="UID", help="The folder in Grafana; it is made if it is missing.")
    ] = "lamplighter",
    config: Config = None,
) -> None:
    """Put the dashboards into Grafana, with the figures of the active rules if a database is named.

    Dashboards of ours (their uid begins with lamplighter-) that are no more are deleted from the folder.
    """
    settings = begin(config)
    if settings.grafana_url is None:
        raise WrongUsage("No Grafana is named: set LAMPLIGHTER_GRAFANA_URL, or grafana_url in the settings file.")
    from dashboards import build as dashboards  # heavy
    from dashboards.push import Grafana, PushError, What

    documents = dashboards.documents(_town(settings))
    grafana = Grafana(settings.grafana_url, _token(settings), into)
    try:
        changes = grafana.plan(documents)
        _say(changes, with_lines=dry_run)
        if not dry_run:
            grafana.carry_out(changes, documents)
    except PushError as error:
        raise Failure(str(error)) from error
    moved = sum(change.what is not What.UNCHANGED for change in changes)
    print(f"{moved} of {len(changes)} dashboards {'would change' if dry_run else 'changed'}.")


def _say(changes: "list[Change]", with_lines: bool) -> None:
    for change in changes:
        print(f"{change.what:9} {change.title} ({change.uid})")
        for line in change.lines if with_lines else ():
            print(f"    {line}")


def _token(settings: Settings) -> str | None:
    """The token of the settings, else that of its file; `None` where neither is named."""
    if settings.grafana_token or settings.grafana_token_file is None:
        return settings.grafana_token or None
    try:
        lines = settings.grafana_token_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"The file of Grafana's token cannot be read: {error}.") from error
    if not lines or not lines[0].strip():
        raise WrongUsage(f"The file {settings.grafana_token_file} has no token in its first line.")
    return lines[0].strip()


def _town(settings: Settings) -> "Town":
    """The town's figures and address; where no rules are known, the shipped figures with a word on standard error."""
    if settings.database_url is None:
        print("No database is named: the dashboards have the shipped figures.", file=sys.stderr)
        return _with_figures(settings, None)

    async def work() -> "Town":
        async with database(settings) as connection:
            return await town_of(settings, connection)

    try:
        return run(work())
    except StorageError as error:
        raise Failure(str(error)) from error


async def town_of(settings: Settings, connection: Connection) -> "Town":
    """The town whose database this is; where no rules have run, the shipped figures with a word on standard error."""
    from rules.rulefile.active import of_content  # heavy: all rules

    known = await rule_versions.active(connection)
    thresholds = None if known is None else of_content(known[0].content)
    if thresholds is None:
        print("No rules have run on this database: the dashboards have the shipped figures.", file=sys.stderr)
    return _with_figures(settings, thresholds)


def _with_figures(settings: Settings, thresholds: "Thresholds | None") -> "Town":
    from dashboards.choices import PLATFORM_URL, Town
    from telemetry.thresholds import Thresholds

    return Town(thresholds or Thresholds(), (settings.platform_url or PLATFORM_URL).rstrip("/"))
