"""`lamplighter doctor`: every finding on a line of its own."""

from pathlib import Path
from typing import Annotated

import typer

from lamplighter import plain_text
from lamplighter.cli.session import Config, begin, run
from lamplighter.doctor.examination import Patient, examine
from lamplighter.errors import Failure
from lamplighter.settings_sources import DEFAULT_FILE

MARKS = {"ok": "ok    ", "note": "note  ", "wrong": "WRONG "}


BrokerConfig = Annotated[
    Path | None, typer.Option("--broker-config", help="Mosquitto's own configuration file, where it can be read here.")
]


def doctor(config: Config = None, broker_config: BrokerConfig = None) -> None:
    """Check broker, database, clock, disk, schema, credentials and network servers; say what is wrong, and the mend."""
    settings = begin(config)
    bad = run(_print_all(Patient(settings, config or DEFAULT_FILE, broker_config)))
    if bad:
        raise Failure(f"{bad} {'thing is' if bad == 1 else 'things are'} wrong.")
    typer.echo("Nothing is wrong.")


async def _print_all(patient: Patient) -> int:
    """Print each finding as soon as it is there; returns how many are wrong."""
    bad = 0
    async for finding in examine(patient):
        print(f"{MARKS[finding.weight]} {plain_text.lines(f'{finding.about}: {finding.sentence}')}", flush=True)
        bad += finding.weight == "wrong"
    return bad
