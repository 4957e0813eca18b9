"""`lamplighter dashboards`: Grafana's dashboards as code."""

from pathlib import Path
from typing import Annotated

import typer

from lamplighter.errors import Failure

commands = typer.Typer(help="Grafana's dashboards as code: build them, check what is built.")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", file_okay=False, help="Where they lie.", show_default="dashboards/generated"
    ),
]


@commands.command()
def build(folder: Folder = None) -> None:
    """Write every dashboard as JSON, which Grafana's provisioning loads."""
    from dashboards import build as dashboards  # heavy

    try:
        written = dashboards.build(folder or dashboards.GENERATED)
    except OSError as error:
        raise Failure(f"The dashboards cannot be written ({error}): name another folder with --folder.") from error
    for file in written:
        print(file)


@commands.command()
def check(folder: Folder = None) -> None:
    """Say what is wrong with the dashboards, or with what was written of them."""
    from dashboards import build as dashboards  # heavy

    findings = dashboards.check(folder or dashboards.GENERATED)
    for finding in findings:
        print(finding)
    if findings:
        raise Failure(f"{len(findings)} {'thing is' if len(findings) == 1 else 'things are'} wrong.")
    print("The dashboards are as the code has them, and fit for Grafana.")
