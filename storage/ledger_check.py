"""Proving the ledger: each day's account is compared with the rows that are there, in one snapshot.

The writer books in the transaction that writes the rows, and a replay and retention do likewise, so a snapshot in which
they differ is never a matter of time: a row has vanished, or has come past the writer. Nothing has to be waited for,
neither what is in flight nor a batch of yesterday that is committed today; but a day that was booked on after its check
is checked again. Counts are compared, not contents. See docs/decisions/0007.
"""

import datetime as dt
import time
from collections.abc import Iterable

import structlog

from storage import queries
from storage.ledger import Check
from storage.pool import Connection
from telemetry.clock import to_datetime
from telemetry.kinds import KINDS

SQL = queries.load("ledger")

SETTLE = dt.timedelta(minutes=5)
"""So long after midnight (UTC) a day counts as closed, by the city clock."""
AGAIN = dt.timedelta(hours=1)
"""So often an open day is checked, and one that differs or was booked on meanwhile, by the city clock."""

_log = structlog.get_logger(__name__)


async def check_due(conn: Connection, now_us: int, until_s: float) -> int:
    """Check the days that are due, newest first, until a real monotonic moment; at least one. Returns how many."""
    days = await due(conn, now_us)
    for number, day in enumerate(days):
        if number and time.monotonic() > until_s:
            return number
        await check_day(conn, day, now_us)
    return len(days)


async def due(conn: Connection, now_us: int, again: dt.timedelta = AGAIN) -> list[dt.date]:
    """The days to check, newest first; by no `again`, all that may have changed since they were checked."""
    parameters = {"now": to_datetime(now_us), "settle": SETTLE, "again": again}
    return [day for (day,) in await (await conn.execute(SQL["due"], parameters)).fetchall()]


async def check_days(conn: Connection, days: Iterable[dt.date], now_us: int) -> None:
    """Check these days now, whether due or not."""
    for day in days:
        await check_day(conn, day, now_us)


async def check_day(conn: Connection, day: dt.date, now_us: int) -> Check:
    """Compare a UTC day's account with the rows that are there, and keep the outcome; `now_us` is the city's time."""
    counts = " + ".join(f"({SQL['count_rows'].format(kind=kind)})" for kind in KINDS)
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    parameters = {"day": day, "at": to_datetime(now_us), "begin": begin, "end": begin + dt.timedelta(days=1)}
    async with conn.transaction():
        await conn.execute(SQL["hold_retention"])
        row = await (await conn.execute(SQL["check"].format(rows_found=counts), parameters)).fetchone()
    assert row is not None, "an aggregate always gives one row"
    check = Check(*row)
    if not check.balances:
        _log.error("the ledger does not balance", day=str(day), **check.figures())
    return check
