"""The words of parking zones as last published (contract §3), for those who read the database."""

from collections.abc import Sequence

from storage import queries
from storage.pool import Connection
from telemetry import availability
from telemetry.availability import ZoneAvailability
from telemetry.clock import to_us

SQL = queries.load("zones")


async def put(conn: Connection, words: Sequence[ZoneAvailability]) -> None:
    """Keep each zone's word unless a newer one is kept; `words` names a zone once."""
    if words:
        given = {
            "zone": [word.zone for word in words],
            "updated_at": [word.updated_at for word in words],
            "document": [availability.encode(word).decode() for word in words],
        }
        await conn.execute(SQL["put"], given)


async def forget(conn: Connection, zones: Sequence[str]) -> None:
    """These zones have no bays any more."""
    if zones:
        await conn.execute(SQL["forget"], {"zones": list(zones)})


async def said_us(conn: Connection) -> dict[str, int]:
    """When each zone spoke last, in microseconds since 1970 UTC."""
    rows = await (await conn.execute(SQL["said"])).fetchall()
    return {zone: to_us(at) for zone, at in rows}
