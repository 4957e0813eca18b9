"""Parking: how zones were used by local day, and what each bay is now; nothing of what a single bay was."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection
from telemetry.clock import to_datetime

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


@dataclass(frozen=True, slots=True)
class Spot:
    """A bay with a place as it is now; `occupied` is what it last said, `None` if nothing.

    `changed_us` is since when the registry says of it what it says, to the second; city time.
    """

    asset: str
    name: str
    zone: str | None
    lat: float
    lon: float
    reserved_for: str | None
    online: bool
    occupied: bool | None
    closed: bool
    changed_us: int


async def spots(conn: Connection, now_us: int) -> list[Spot]:
    """All bays in service that have a place; `now_us` is city time."""
    async with conn.cursor(row_factory=class_row(Spot)) as cursor:
        return await (await cursor.execute(SQL["spots"], {"now": to_datetime(now_us)})).fetchall()


async def by_zone_and_day(conn: Connection, since: datetime, until: datetime, missed_intervals: int) -> list[Used]:
    """From a local midnight to before another moment; after so many missed report intervals a bay is unknown."""
    given = {"since": since, "until": until, "missed_intervals": missed_intervals}
    async with conn.cursor(row_factory=class_row(Used)) as cursor:
        return await (await cursor.execute(SQL["by_zone_and_day"], given)).fetchall()
