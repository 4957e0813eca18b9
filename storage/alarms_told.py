"""Who was told of the alarms that stand, so that nobody is told twice after a restart, and everybody of their end."""

from collections.abc import Iterable

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime, to_us

SQL = queries.load("alarms_told")

Told = tuple[str, str, int]
"""An alarm, a sink, and when it was told, in microseconds since 1970 UTC."""


async def keep(conn: Connection, told: Iterable[Told]) -> None:
    """Keep just these."""
    alarms, sinks, moments = ([*column] for column in zip(*told, strict=True)) if told else ([], [], [])
    given = {"alarm": alarms, "sink": sinks, "at": [to_datetime(at_us) for at_us in moments]}
    async with conn.transaction():
        await conn.execute(SQL["forget"], given)
        await conn.execute(SQL["keep"], given)


async def load(conn: Connection) -> set[Told]:
    """What is kept."""
    rows = await (await conn.execute(SQL["load"])).fetchall()
    return {(alarm, sink, to_us(at)) for alarm, sink, at in rows}
