"""What operators have ordered for zones until a moment: that bays are closed, that alarms disturb nobody."""

from datetime import datetime

import msgspec
from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime

SQL = queries.load("measures")

CHANGED = "lamplighter_measure"
"""The channel on which orders and their ends are announced."""


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True, rename={"from_at": "starts_at", "until_at": "expires_at"}):
    """One order; encoded as JSON it is what the API gives. `ended_at`: somebody ended it before its time."""

    id: str
    zone: str
    what: str
    from_at: datetime
    until_at: datetime
    ended_at: datetime | None
    note: str
    by: str


async def order(
    conn: Connection, *, id: str, zone: str, what: str, from_us: int, until_us: int, note: str, by: str
) -> MeasureRow | None:
    """Write an order down; `None` if there is no such zone. Announced at the commit."""
    if not await _exists(conn, zone):
        return None
    moments = {"from_at": to_datetime(from_us), "until_at": to_datetime(until_us)}
    async with conn.cursor(row_factory=class_row(MeasureRow)) as cursor:
        await cursor.execute(SQL["order"], moments | {"id": id, "zone": zone, "what": what, "note": note, "by": by})
        row = await cursor.fetchone()
    await conn.execute(SQL["announce"])
    return row


async def end(conn: Connection, *, zone: str, what: str, at_us: int) -> list[MeasureRow] | None:
    """End a zone's orders of a sort, also those to come; `None` if there is no such zone. Announced at the commit."""
    if not await _exists(conn, zone):
        return None
    async with conn.cursor(row_factory=class_row(MeasureRow)) as cursor:
        await cursor.execute(SQL["end"], {"zone": zone, "what": what, "at": to_datetime(at_us)})
        ended = await cursor.fetchall()
    await conn.execute(SQL["announce"])
    return ended


async def standing(conn: Connection, at_us: int, zone: str | None = None) -> list[MeasureRow]:
    """The orders in force at a moment and those to come, of all zones or one."""
    async with conn.cursor(row_factory=class_row(MeasureRow)) as cursor:
        await cursor.execute(SQL["standing"], {"at": to_datetime(at_us), "zone": zone})
        return await cursor.fetchall()


async def _exists(conn: Connection, zone: str) -> bool:
    row = await (await conn.execute(SQL["exists"], {"zone": zone})).fetchone()
    return bool(row and row[0])
