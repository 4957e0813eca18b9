"""Reading refused uplinks: why each was refused, and its bytes."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("quarantine")

PAGE_BYTES_MAX = 8 * 1024 * 1024
"""A page ends early, after at least one uplink, once the payloads on it are this large."""


@dataclass(frozen=True, slots=True)
class QuarantinedUplink:
    """One refused observation, or a whole uplink that cannot be split. `None`: no device in the topic; not replayed."""

    id: int
    received_at: datetime
    topic: str
    device: str | None
    reason: str
    detail: str
    payload: bytes
    replayed_at: datetime | None


async def page(
    conn: Connection, *, limit: int, before: int | None = None, reason: str | None = None, device: str | None = None
) -> tuple[list[QuarantinedUplink], bool]:
    """Up to `limit` refused uplinks before an id, newest first, and whether there are more."""
    chosen = {"limit": limit, "before": before, "reason": reason, "device": device}
    async with conn.cursor(row_factory=class_row(QuarantinedUplink)) as cursor:
        await cursor.execute(SQL["page"], chosen | {"bytes": PAGE_BYTES_MAX})
        rows = await cursor.fetchall()
    if not rows:
        return [], False
    found = await conn.execute(SQL["exists_before"], chosen | {"before": rows[-1].id})
    row = await found.fetchone()
    return rows, bool(row and row[0])
