"""What the database says of the lamps' energy between two local days, by the sun that switches the town's lamps."""

import datetime as dt
from zoneinfo import ZoneInfo

from lamplighter.compose import Place
from lamplighter.report import in_force
from lamplighter.report.energy import ONE_DAY, darkness
from rules.sun import switching_sun
from storage import energy
from storage.energy import Drawn
from storage.pool import Connection


async def find(conn: Connection, first: dt.date, last: dt.date, place: Place, now: dt.datetime) -> list[Drawn]:
    """Everything of the report; both days count, the present one up to now.

    Dusk and dawn are those of the rules that are in force.
    """
    lighting = (await in_force.thresholds(conn)).lighting
    offsets_s = lighting.dusk_offset_s, lighting.dawn_offset_s
    clock = switching_sun(place.lat, place.lon, *offsets_s, lighting.sun_below_horizon_deg)
    timezone = ZoneInfo(place.timezone)
    since, until = (dt.datetime.combine(day, dt.time(), timezone) for day in (first, last + ONE_DAY))
    return await energy.by_zone_and_month(conn, since, until, darkness(clock, first, last, now, timezone))
