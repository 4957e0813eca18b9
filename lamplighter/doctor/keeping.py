"""Checks of what is kept: whether old data is looked after, rollups equalled their rows, and when the disk is full."""

import datetime as dt
from collections.abc import AsyncIterator

from lamplighter import retention
from lamplighter.cleartext import is_here
from lamplighter.doctor import machine
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.settings import Settings
from storage import errors, forecast, lifecycle, rollup_check, survey
from storage.pool import Connection, connect
from telemetry.clock import DAY_US, to_datetime
from telemetry.kinds import KINDS

UPKEEP_DAYS = 2
"""Old data is looked after once a day; after so many days without, nobody does."""
FULL_DAYS_NOTE = 30
"""A disk that will be full within so many days is worth a word."""
CHECK_AGE = dt.timedelta(days=2)
"""Rollups are compared every night; a check older than this means that nobody maintains the database."""
_GIB = 1024**3


async def examine(settings: Settings, url: str) -> AsyncIterator[Finding]:
    """Look at what the database keeps; says nothing where it cannot be read, which is another check's finding."""
    try:
        with errors.translated():
            async with await connect(url, application="lamplighter doctor", statement_timeout_s=120) as connection:
                now_us = await survey.city_now_us(connection)
                yield await _upkeep(connection, settings, now_us)
                yield _rollups(await rollup_check.last(connection, to_datetime(now_us)), to_datetime(now_us))
                found = await forecast.measure(connection, retention.ages(settings), now_us)
    except errors.StorageError:
        return
    yield _forecast(found, machine.free_bytes(settings) if is_here(url) else None)


async def _upkeep(connection: Connection, settings: Settings, now_us: int) -> Finding:
    """Whether old data is looked after, which is done once a day; what has just come waits for the next time."""
    ages = retention.ages(settings)
    days = await survey.upkeep_days(connection)
    if days is not None and days > UPKEEP_DAYS:
        words = f"Nobody has summed up, compressed or dropped old data for {days:.0f} days"
        return wrong("upkeep", f"{words}: start `lamplighter up`, or `lamplighter upkeep`.")
    house, leaving = await lifecycle.keeper(connection), ""
    for kind in KINDS.values():
        due_us = now_us - (ages.raw(kind.name) + UPKEEP_DAYS) * DAY_US
        end = await house.end_of_rows(connection, kind, due_us)
        if end is None:
            continue
        words = f"Rows of {kind.name} up to {end:%Y-%m-%d} are older than they are kept ({ages.raw(kind.name)} days)"
        if await survey.outlasted(connection, kind.name, end):
            return wrong("upkeep", f"{words}: see in the log of `lamplighter up` why they are not dropped.")
        leaving = f"{words}, and leave with the next retention, which is once a day."
    return ok("upkeep", leaving or "Nothing is older than it is kept.")


def _rollups(check: rollup_check.Check | None, now: dt.datetime) -> Finding:
    if check is None:
        return ok("rollups", "They have not been compared with their rows yet: that is done every night.")
    when = f"{check.checked_at:%Y-%m-%d %H:%M} UTC"
    if check.differing:
        example = f", as {check.example}" if check.example else ""
        words = f"At {when} {check.differing} asset-days differed from their rows{example}; they were made anew."
        return note("rollups", words)
    if now - check.checked_at > CHECK_AGE:
        return note("rollups", f"They were last compared with their rows at {when}: is `lamplighter up` running?")
    if not check.asset_days + check.asset_days_left:
        return ok("rollups", f"At {when} there was no whole day yet to compare with its rows.")
    left = f"; {check.asset_days_left} were left for want of time" if check.asset_days_left else ""
    return ok("rollups", f"At {when} {check.asset_days} asset-days equalled their rows{left}.")


def _forecast(found: forecast.Forecast | None, free_bytes: int | None) -> Finding:
    """One sentence: how fast it grows, where it settles, and whether the disk holds it."""
    if found is None:
        return ok("disk", "Too little has come in yet to foresee how large the database becomes.")
    sizes = (
        f"The database grows by {_size(found.day_bytes)} a day from {_size(found.size_bytes)} and settles at "
        f"{_size(found.settled_bytes)}, then grows by {_size(found.year_bytes)} a year"
    )
    if free_bytes is None:
        return ok("disk", f"{sizes}: see that its server has as much.")
    days = found.full_in_days(free_bytes)
    if days is not None and days < FULL_DAYS_NOTE:
        mend = "enlarge it, or keep data for a shorter time (LAMPLIGHTER_RAW_DAYS)"
        return note("disk", f"{sizes}: at this pace the disk is full in {days:.0f} days; {mend}.")
    if days is not None and days < 10 * forecast.YEAR_DAYS:
        return ok("disk", f"{sizes}: at this pace the disk is full in {_span(days)}.")
    return ok("disk", f"{sizes}: the disk holds that.")


def _size(size: float) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB / 10 else f"{size / 1024**2:.0f} MiB"


def _span(days: float) -> str:
    return f"{days:.0f} days" if days < 2 * forecast.YEAR_DAYS else f"{days / forecast.YEAR_DAYS:.0f} years"
