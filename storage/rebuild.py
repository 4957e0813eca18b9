"""The rollups that are tables of ours in both modes: increases of counters, local days of assets and of zones."""

import datetime as dt
from dataclasses import dataclass

from storage import queries, rollups
from storage.keeper import Keeper
from storage.pool import Connection
from telemetry.kind import Kind

ROLLUPS = queries.load("rollups")
COUNTERS = queries.load("counters")


@dataclass(frozen=True, slots=True)
class Day:
    """The dirty hours of a kind within one local day, which begins at `begin` and ends before `end`."""

    kind: str
    begin: dt.datetime
    end: dt.datetime
    hours: list[dt.datetime]


async def rebuild(conn: Connection, keeper: Keeper, kind: Kind, day: Day) -> None:
    """Make the rollups of the day's dirty hours, and of the day itself, equal their rows again; in one transaction."""
    async with conn.transaction():
        await keeper.sum_up(conn, kind, day.hours)
        touched = [day]
        for field in rollups.counters(kind):
            touched += await _count_up(conn, keeper, kind, field, day)
        for begin, end in {(each.begin, each.end) for each in touched}:
            await _daily(conn, kind, begin, end)


async def _count_up(conn: Connection, keeper: Keeper, kind: Kind, field: str, day: Day) -> list[Day]:
    """The increase within these hours and within the hours of the readings that follow; the days of the latter."""
    increase = COUNTERS["increase"].format(kind=kind.name, field=field)
    await keeper.store_increase(conn, kind, field, increase, day.hours)
    after = COUNTERS["hours_after"].format(kind=kind.name, field=field)
    rows = await (await conn.execute(after, {"kind": kind.name, "hours": day.hours})).fetchall()
    following = [Day(kind.name, *row) for row in rows]
    for each in following:
        await keeper.store_increase(conn, kind, field, increase, each.hours)
    return following


async def _daily(conn: Connection, kind: Kind, begin: dt.datetime, end: dt.datetime) -> None:
    """The local day of each asset from its hours, and of each zone from its assets."""
    columns = rollups.columns(kind)
    names = [column.name for column in columns]
    words = {
        "kind": kind.name,
        "names": ", ".join(names),
        "sums": ", ".join(column.of_rollups for column in columns),
        "excluded": ", ".join(f"excluded.{name}" for name in names),
        "stored": ", ".join(f"stored.{name}" for name in names),
    }
    parameters = {"kind": kind.name, "day": begin, "day_end": end}
    for name in ("daily", "forget_zones", "zone_daily", "touched"):
        await conn.execute(ROLLUPS[name].format(**words), parameters)
