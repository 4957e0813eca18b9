"""One city clock for all services: the first to start anchors it to real time, the others follow its row."""

from storage import city, errors, queries
from storage.pool import Connection
from telemetry.clock import CityClock

SQL = queries.load("shared_clock")


async def share(conn: Connection, wanted: CityClock) -> CityClock:
    """The clock to live by: the one in the database if it is as fast and began at the same city time, else `wanted`.

    Beginning at real time counts as the same beginning. Services that are set alike thereby agree, whenever they were
    started; one that is set otherwise sets a new clock.
    """
    with errors.translated():
        known = await _known(conn)
        if _alike(known, wanted):  # nothing is written, so that who may only read can live by it
            return wanted if known is None else known
        async with conn.transaction():
            await conn.execute(SQL["lock"])
            known = await _known(conn)
            if known is not None and _alike(known, wanted):
                return known
            await city.set_clock(conn, wanted)
    return wanted


async def _known(conn: Connection) -> CityClock | None:
    row = await (await conn.execute(SQL["clock"])).fetchone()
    return CityClock(*row) if row else None


def _alike(known: CityClock | None, wanted: CityClock) -> bool:
    if known is None:
        return wanted.is_real
    both_began_at_real_time = known.start_us == known.anchor_us and wanted.start_us == wanted.anchor_us
    return known.speed == wanted.speed and (known.start_us == wanted.start_us or both_began_at_real_time)


async def city_now(conn: Connection) -> int:
    """The city's present moment as the database tells it, microseconds since 1970 UTC."""
    with errors.translated():
        row = await (await conn.execute(SQL["city_now"])).fetchone()
    assert row is not None, "a query without FROM gives one row"
    return int(row[0])
