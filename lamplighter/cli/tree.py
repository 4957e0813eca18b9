"""All commands, in the order and the words in which `lamplighter --help` lists them."""

import importlib.metadata
from typing import Annotated

import typer

from lamplighter.cli.later import Place, branch

COMMANDS = {
    "demo": Place(
        "demo", "demo", "Run the whole city on embedded parts (broker, database, simulated devices) until Ctrl-C."
    ),
    "up": Place(
        "services",
        "up",
        "Run all services against the configured broker and database; the gateway where network servers are set.",
    ),
    "ingest": Place("services", "ingest", "Store what devices send, and look after old data."),
    "upkeep": Place(
        "services",
        "upkeep",
        "Look after old data: partitions, rollups, compression, retention, the nightly checks. Needs no broker.",
    ),
    "gateway": Place(
        "services",
        "gateway",
        "Translate between network servers (ChirpStack, The Things Stack, Sparkplug) and the city's own topics.",
    ),
    "api": Place("services", "api", "Serve the API and the residents' page."),
    "simulate": Place(
        "simulate", "simulate", "Let simulated devices live against any broker, until Ctrl-C or the end of the replay."
    ),
    "migrate": Place(
        "migrate", "migrate", "Create or upgrade the database schema; TimescaleDB is used where the server has it."
    ),
    "install": Place(
        "install",
        "install",
        "Put Lamplighter into service on this machine: users, units, broker, database. Doing it twice does no harm.",
    ),
    "doctor": Place(
        "doctor",
        "doctor",
        "Check broker, database, clock, disk, schema, credentials and network servers; say what is wrong, and the mend.",
    ),
    "backup": Place(
        "backup", "backup", "Write a backup of all rows as they are at one moment; services go on meanwhile."
    ),
    "restore": Place(
        "backup",
        "restore",
        "Restore a backup into an empty database, after comparing it with its checksums; an older one is upgraded.",
    ),
    "decode": Place(
        "decode",
        "decode",
        "Decode an uplink: our fields under observation, all else under extra, or why it is refused.",
    ),
    "encode": Place("decode", "encode", "Encode a downlink: its port and bytes, or why the device knows none."),
    "import": Place(
        "history",
        "import_history",
        "Store what was observed before: the whole file, or nothing of it if a line is bad.",
    ),
    "rules": Place(
        "rules", "commands", "Decide: dim lamps, raise alarms, count free bays. With a subcommand: check and try rules."
    ),
    "codec": Place("codec", "commands", "Makers' own JavaScript codecs: try one, keep one for a model, list them."),
    "registry": Place("registry", "commands", "The town's places and devices: import, export, swap, retire."),
    "credentials": Place(
        "credentials", "commands", "Per-device broker credentials: issue, rotate, revoke; the broker's configuration."
    ),
    "token": Place("token", "commands", "Issue, list and revoke tokens of the operators' API."),
    "quarantine": Place(
        "quarantine", "commands", "Refused uplinks: list them, show one, replay what can be stored now."
    ),
    "dashboards": Place(
        "dashboards",
        "commands",
        "Grafana's dashboards as code: build them, check and preview them, put them into Grafana.",
    ),
    "report": Place(
        "report", "commands", "Reports for the council, the water authority and the auditor: CSV, or a page to print."
    ),
}

tree = typer.Typer(
    cls=branch(COMMANDS),
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
