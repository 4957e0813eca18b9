"""What a backup holds: the tables that migrations make, in their order, then what follows from the kinds.

Observations and their rollups are restored last, into the newest schema: drafted migrations only ever add columns to
them. Everything else is restored into the schema that it was written in, and upgraded with it.
"""

import re
from collections.abc import Iterable, Iterator

from storage.migrate import Migration
from telemetry.kinds import KINDS

_CREATED = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_NOT_ROWS = frozenset({"schema_migration", "city"})
"""Told by the backup's head: the schema, the time zone, and the mode, which is the server's."""
ZONES = "zone_daily"


def own_tables(migrations: Iterable[Migration]) -> list[str]:
    """The tables that migrations make, referred ones before those that refer to them; without observations."""
    names = dict.fromkeys(name for each in migrations for name in _CREATED.findall(each.text))
    return [name for name in names if name not in _NOT_ROWS and name not in KINDS]


def following() -> Iterator[str]:
    """The relations that follow from the kinds, rows before their rollups."""
    for kind in KINDS:
        yield from (kind, hours_of(kind), f"{kind}_daily")
    yield ZONES


def hours_of(kind: str) -> str:
    """The hourly rollup of a kind, a table or a view by the mode."""
    return f"{kind}_hourly"
