"""What the database knows of the city as a whole: its clock, so that views can tell ages, and its time zone."""

from storage import queries
from storage.pool import Connection
from telemetry.clock import CityClock, to_datetime

SQL = queries.load("city")


async def set_clock(conn: Connection, clock: CityClock) -> None:
    """Let SQL's `city_now()` follow the city clock; every service does so when it starts."""
    if clock.is_real:
        await conn.execute(SQL["forget_clock"])
        return
    start, anchor = to_datetime(clock.start_us), to_datetime(clock.anchor_us)
    await conn.execute(SQL["set_clock"], {"start": start, "anchor": anchor, "speed": clock.speed})


async def timezone(conn: Connection) -> str:
    """The IANA name of the time zone by which local days are cut."""
    row = await (await conn.execute(SQL["timezone"])).fetchone()
    return str(row[0]) if row else "UTC"
