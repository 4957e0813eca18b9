"""What street lights drew and what they would have drawn at full light, by zone and month, from the rollups of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("energy")


class Dark(NamedTuple):
    """A time of the local day that begins at `day` for which lamps burn by the sun."""

    day: datetime
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Drawn:
    """One zone (empty for none) in one local month, which `month` begins.

    Of `lamps` the meters told what they drew on `nights` lamp-nights in all: `drawn_kwh`; at full light from dusk to
    dawn it would have been `full_kwh`, between a meter's first reading and its last. Of `lamps_unknown` nobody knows
    what they draw at full light: they do not count. Lamps of the zone were unlit in the dark for `unlit_h` lamp-hours,
    by their alarms.
    """

    zone: str
    name: str
    month: date
    lamps: int
    lamps_unknown: int
    nights: int
    drawn_kwh: float
    full_kwh: float
    unlit_h: float


async def by_zone_and_month(
    conn: Connection, since: datetime, until: datetime, darkness: Sequence[Dark]
) -> list[Drawn]:
    """From the local day that begins at `since` to before `until`, in which it is dark at the times of `darkness`."""
    days, begins, ends = ([*column] for column in zip(*darkness, strict=True)) if darkness else ([], [], [])
    given = {"since": since, "until": until, "days": days, "begins": begins, "ends": ends}
    async with conn.cursor(row_factory=class_row(Drawn)) as cursor:
        return await (await cursor.execute(SQL["by_zone_and_month"], given)).fetchall()
