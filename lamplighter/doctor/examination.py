"""The whole examination: every check by the part that it looks at, in the order in which an operator mends."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from lamplighter.doctor import (
    backups,
    broker,
    broker_file,
    database,
    door,
    keeping,
    machine,
    networks,
    registered,
    residents,
    rule_file,
    self_probe,
    services,
    shared,
)
from lamplighter.doctor.findings import Finding, wrong
from lamplighter.settings import Settings
from lamplighter.settings_sources import DEFAULT_FILE
from rules.soundings import QueueBound


@dataclass(frozen=True)
class Patient:
    """What is examined: the settings, their file, and a Mosquitto's configuration where it can be read here."""

    settings: Settings
    file: Path = DEFAULT_FILE
    broker_config: Path | None = None


async def examine(patient: Patient, parts: Collection[str] = ()) -> AsyncGenerator[Finding, None]:
    """Every finding as soon as it is there; `parts` names some of `PARTS`, none of them all."""
    for name, part in PARTS.items():
        if not parts or name in parts:
            async for finding in part(patient):
                yield finding


async def _machine(patient: Patient) -> AsyncIterator[Finding]:
    for finding in machine.examine(patient.settings, patient.file):
        yield finding
    yield residents.examine(patient.settings)
    yield backups.examine(patient.settings)


async def _database(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings.database_url is None:
        yield wrong("database", "No database is named: set LAMPLIGHTER_DATABASE_URL.")
        return
    async for finding in database.examine(settings.database_url, settings.timezone, settings.ttl_s):
        yield finding


async def _city(patient: Patient) -> AsyncIterator[Finding]:
    url = patient.settings.database_url
    if url is None:
        return
    for examination in (registered.examine(url), keeping.examine(patient.settings, url), self_probe.examine(url)):
        async for finding in examination:
            yield finding


async def _broker(patient: Patient) -> AsyncIterator[Finding]:
    if patient.settings.broker_url is None:
        yield wrong("broker", "No broker is named: set LAMPLIGHTER_MQTT_URL.")
        return
    async for finding in broker.examine(patient.settings.broker_url):
        yield finding


async def _broker_file(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if patient.broker_config is None:
        if settings.broker_url is not None:
            yield broker_file.unseen()
        return
    bound = QueueBound(settings.broker_queue_messages, settings.broker_queue_bytes)
    for finding in broker_file.examine(patient.broker_config, bound):
        yield finding
    if settings.database_url is not None:
        async for finding in door.examine(patient.broker_config, settings.database_url, settings.broker_url):
            yield finding


PARTS: dict[str, Callable[[Patient], AsyncIterator[Finding]]] = {
    "machine": _machine,
    "database": _database,
    "services": lambda patient: services.examine(patient.settings),
    "city": _city,
    "rules": lambda patient: rule_file.examine(patient.settings),
    "broker": _broker,
    "share": lambda patient: shared.examine(patient.settings),
    "broker file": _broker_file,
    "networks": lambda patient: networks.examine(patient.settings),
}
