"""What street lights drew and what they would have drawn at full light, by zone and month, from the rollups of days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("energy")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One zone (empty for none) in one local month, which `month` begins.

    Of `lamps` the meters told what they drew on `nights` lamp-nights in all: `drawn_kwh`; at full light from dusk to
    dawn it would have been `full_kwh`. Of `lamps_unknown` nobody knows what they draw at full light: they do not count.
    """

    zone: str
    name: str
    month: date
    lamps: int
    lamps_unknown: int
    nights: int
    drawn_kwh: float
    full_kwh: float


async def by_zone_and_month(
    conn: Connection, since: datetime, until: datetime, dark_hours: Mapping[datetime, float]
) -> list[Drawn]:
    """From the local day that begins at `since` to before `until`; `dark_hours` of each day by its beginning."""
    given = {"since": since, "until": until, "days": list(dark_hours), "hours": list(dark_hours.values())}
    async with conn.cursor(row_factory=class_row(Drawn)) as cursor:
        return await (await cursor.execute(SQL["by_zone_and_month"], given)).fetchall()
