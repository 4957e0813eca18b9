"""The role that Grafana and other readers connect as: SELECT on the contract's relations and nothing else.

The role belongs to the whole server and has no password until the operator sets one, so nobody can log in before.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import errors as pg

from storage import errors
from storage.pool import Connection

ROLE = "lamplighter_reader"
RELATIONS = (
    "zone",
    "asset",
    "device",
    "installation",
    "zone_daily",
    "latest",
    "parking_zone_now",
    "alarm",
    "alarm_event",
    "command",
    "quarantine",
    "ledger",
    "ledger_check",
    "rollup_check",
    "ingest_instance",
    "self_probe",
    "rule_version",
    "report_interval",
    "rule_activation",
)
"""What the contract shows beside the relations of each kind."""


def relations(kinds: Iterable[str]) -> tuple[str, ...]:
    """All that the reader may read."""
    return RELATIONS + tuple(f"{kind}{suffix}" for kind in kinds for suffix in ("", "_hourly", "_daily"))


async def grant(conn: Connection, kinds: Iterable[str]) -> str | None:
    """Make the role where it is missing and let it read; returns a sentence if the database user may not."""
    cursor = await conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,))
    try:
        async with conn.transaction():
            if not cursor.rowcount:
                await conn.execute(f"CREATE ROLE {ROLE} LOGIN")
                await conn.execute(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")
                await conn.execute(f"ALTER ROLE {ROLE} SET statement_timeout = '30s'")
            await conn.execute(f"GRANT SELECT ON {', '.join(relations(kinds))} TO {ROLE}")
    except pg.InsufficientPrivilege:
        return f"The role {ROLE} is missing and this database user may not create roles: create it and migrate again."
    return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: each column's name with its PostgreSQL type (`timestamptz`, `float8` …), and the rows."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]


@asynccontextmanager
async def reading(conn: Connection) -> AsyncIterator[Callable[[str], Awaitable[Answer]]]:
    """What asks the database as the reader within the block, any SQL, which may only read; its errors are the driver's.

    Raises:
        Forbidden: the database user may not become the reader.
    """
    with errors.translated():
        await conn.execute(f"SET ROLE {ROLE}")
        await conn.execute("SET default_transaction_read_only = on")

    async def ask(sql: str) -> Answer:
        cursor = await conn.execute(sql.encode())
        types = conn.adapters.types
        columns = [(each.name, getattr(types.get(each.type_code), "name", "")) for each in cursor.description or ()]
        return Answer(tuple(columns), await cursor.fetchall())

    try:
        yield ask
    finally:
        if not conn.broken:
            await conn.execute("RESET default_transaction_read_only")
            await conn.execute("RESET ROLE")
