"""Who changed what: one row for each write that a person asked for, in the transaction of the write."""

from typing import Any

from psycopg.types.json import Jsonb

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime

SQL = queries.load("audit")

COMMAND_LINE = "command line"
"""Who it was, where somebody typed a command."""


async def record(
    conn: Connection, *, at_us: int, by: str, action: str, subject: str, detail: dict[str, Any] | None = None
) -> None:
    """Note that `by` did `action` to `subject` at a moment of the city clock."""
    row = {"at": to_datetime(at_us), "by": by, "action": action, "subject": subject, "detail": Jsonb(detail or {})}
    await conn.execute(SQL["record"], row)
