"""`lamplighter doctor`: every finding on a line of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from lamplighter.cli.session import Config, begin, run
from lamplighter.doctor import (
    broker,
    broker_file,
    database,
    door,
    keeping,
    machine,
    networks,
    residents,
    rule_file,
    self_probe,
)
from lamplighter.doctor.findings import Finding, wrong
from lamplighter.errors import Failure
from lamplighter.settings import Settings
from rules.soundings import QueueBound

MARKS = {"ok": "ok    ", "note": "note  ", "wrong": "WRONG "}


BrokerConfig = Annotated[
    Path | None, typer.Option("--broker-config", help="Mosquitto's own configuration file, where it can be read here.")
]


def doctor(config: Config = None, broker_config: BrokerConfig = None) -> None:
    """Check broker, database, clock, disk, schema, credentials and network servers; say what is wrong, and the mend."""
    settings = begin(config)
    bad = run(_print_all(settings, broker_config))
    if bad:
        raise Failure(f"{bad} {'thing is' if bad == 1 else 'things are'} wrong.")
    typer.echo("Nothing is wrong.")


async def _print_all(settings: Settings, broker_config: Path | None) -> int:
    """Print each finding as soon as it is there; returns how many are wrong."""
    bad = 0
    async for finding in _examine(settings, broker_config):
        print(f"{MARKS[finding.weight]} {finding.about}: {finding.sentence}", flush=True)
        bad += finding.weight == "wrong"
    return bad


async def _examine(settings: Settings, broker_config: Path | None) -> AsyncIterator[Finding]:
    for finding in (*machine.examine(settings), residents.examine(settings)):
        yield finding
    for examination in (
        _database(settings),
        rule_file.examine(settings),
        _broker(settings, broker_config),
        networks.examine(settings),
    ):
        async for finding in examination:
            yield finding


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    if settings.database_url is None:
        yield wrong("database", "No database is named: set LAMPLIGHTER_DATABASE_URL.")
        return
    async for finding in database.examine(settings.database_url):
        yield finding
    async for finding in keeping.examine(settings, settings.database_url):
        yield finding
    async for finding in self_probe.examine(settings.database_url):
        yield finding


async def _broker(settings: Settings, configuration: Path | None) -> AsyncIterator[Finding]:
    if settings.broker_url is None:
        yield wrong("broker", "No broker is named: set LAMPLIGHTER_MQTT_URL.")
    else:
        async for finding in broker.examine(settings.broker_url):
            yield finding
    if configuration is not None:
        bound = QueueBound(settings.broker_queue_messages, settings.broker_queue_bytes)
        for finding in broker_file.examine(configuration, bound):
            yield finding
        if settings.database_url is not None:
            async for finding in door.examine(configuration, settings.database_url, settings.broker_url):
                yield finding
    elif settings.broker_url is not None:
        yield broker_file.unseen()
