"""Outages that stand: alarms about something that many assets hang on."""

from storage import queries
from storage.pool import Connection
from telemetry.alarms import AlarmType
from telemetry.clock import to_us

SQL = queries.load("outages")


async def causes(conn: Connection, kind: AlarmType) -> dict[str, int]:
    """The subjects whose alarm of this type stands, and the time of each one's cause (µs since 1970 UTC)."""
    rows = await (await conn.execute(SQL["causes"], {"type": kind})).fetchall()
    return {subject: to_us(observed_at) for subject, observed_at in rows}
