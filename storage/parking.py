"""How parking zones were used, by zone and local day, from what each bay said; nothing about a single bay."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("parking")


@dataclass(frozen=True, slots=True)
class Used:
    """One zone on one local day.

    Its `bays` were known for `known_h` bay-hours and taken for `taken_h` of them; `arrivals` are changes from free to
    taken. The fullest hour begins at `fullest_hour` o'clock, with `fullest_pct` taken; `None`: too little is known.
    """

    zone: str
    name: str
    day: date
    bays: int
    known_h: float
    taken_h: float
    arrivals: int
    fullest_hour: int | None
    fullest_pct: float | None


async def by_zone_and_day(conn: Connection, since: datetime, until: datetime) -> list[Used]:
    """From a local midnight to before another moment."""
    given = {"since": since, "until": until}
    async with conn.cursor(row_factory=class_row(Used)) as cursor:
        return await (await cursor.execute(SQL["by_zone_and_day"], given)).fetchall()
