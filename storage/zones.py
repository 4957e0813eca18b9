"""The words of parking zones as last published (contract §3), for those who read the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection
from telemetry import availability
from telemetry.availability import Status, ZoneAvailability

SQL = queries.load("zones")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A zone that spoke last at `said_us`, in microseconds since 1970 UTC, and said this of its status.

    `outlook` is what the rules know of its coming and going, in their own bytes; `None` where they know nothing.
    """

    zone: str
    said_us: int
    status: Status
    outlook: bytes | None


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
        await conn.execute(SQL["forget_outlooks"], {"zones": list(zones)})


async def put_outlooks(conn: Connection, outlooks: Mapping[str, bytes]) -> None:
    """Keep what the rules know of zones' coming and going, in place of what they knew before."""
    if outlooks:
        await conn.execute(SQL["put_outlooks"], {"zone": list(outlooks), "outlook": list(outlooks.values())})


async def remembered(conn: Connection) -> list[Remembered]:
    """What is kept of each zone that has spoken."""
    async with conn.cursor(row_factory=class_row(Remembered)) as cursor:
        await cursor.execute(SQL["remembered"])
        return await cursor.fetchall()
