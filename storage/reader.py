"""The role that Grafana and other readers connect as: SELECT on the contract's relations and nothing else.

The role belongs to the whole server and has no password until the operator sets one, so nobody can log in before.
"""

from collections.abc import Iterable

from psycopg import errors as pg

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
