"""What the database knows of the city as a whole: its clock, so that views can tell ages, and its time zone."""

from storage import queries
from storage.pool import Connection
from telemetry.clock import CityClock, to_datetime, to_us

SQL = queries.load("city")


async def set_clock(conn: Connection, clock: CityClock) -> None:
    """Let SQL's `city_now()` follow the city clock; every service does so when it starts."""
    if clock.is_real:
        await conn.execute(SQL["forget_clock"])
        return
    start, anchor = to_datetime(clock.start_us), to_datetime(clock.anchor_us)
    await conn.execute(SQL["set_clock"], {"start": start, "anchor": anchor, "speed": clock.speed})


async def stand_where_it_stopped(conn: Connection, stopped_us: int, real_us: int) -> None:
    """Show a simulated city after its end as it was when its devices were stopped, with a clock of real speed.

    The clock goes on from the newest observation, and what devices said of their leaving is taken back.
    """
    row = await (await conn.execute(SQL["newest"])).fetchone()
    newest_us = to_us(row[0]) if row and row[0] else stopped_us
    await conn.execute(SQL["take_farewells_back"], {"since": to_datetime(stopped_us)})
    await set_clock(conn, CityClock(max(stopped_us, newest_us), real_us, 1.0))


async def middle(conn: Connection) -> tuple[float, float] | None:
    """Latitude and longitude in the middle of the assets in service, `None` where none has a place."""
    row = await (await conn.execute(SQL["middle"])).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


async def timezone(conn: Connection) -> str:
    """The IANA name of the time zone by which local days are cut."""
    row = await (await conn.execute(SQL["timezone"])).fetchone()
    return str(row[0]) if row else "UTC"
