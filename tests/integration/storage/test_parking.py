"""How long bays were taken and how many cars came, from what each bay said."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from storage import parking
from storage.pool import Connection
from tests.integration.storage.rows import register, store

BERLIN = ZoneInfo("Europe/Berlin")
DAY = dt.datetime(2026, 11, 20, tzinfo=BERLIN)
NEXT = DAY + dt.timedelta(days=1)


def said(asset: int, *reports: tuple[float, bool]) -> list[tuple[int, dt.datetime, dict[str, bool]]]:
    """What a bay said at hours of the day."""
    return [(asset, DAY + dt.timedelta(hours=hour), {"occupied": occupied}) for hour, occupied in reports]


async def test_what_a_bay_says_holds_until_the_next_report_and_no_longer_than_the_rules_say(conn: Connection) -> None:
    await register(conn, ("bay-1", "parking_bay", "market"), ("bay-2", "parking_bay", "market"))
    first = said(1, (8, False), (8.25, True), (8.5, True), (8.75, False))
    await store(conn, "parking_bay", first + said(2, (8, True), (8.5, True)))
    (found,) = await parking.by_zone_and_day(conn, DAY, NEXT, 3)
    assert (found.zone, found.day, found.bays, found.arrivals) == ("market", DAY.date(), 2, 1)
    assert found.taken_h == pytest.approx(0.5 + 0.5 + 0.75)
    assert found.known_h == pytest.approx(0.75 + 0.75 + 0.5 + 0.75)
    assert (found.fullest_hour, found.fullest_pct) == (8, pytest.approx(75.0))
    (sooner,) = await parking.by_zone_and_day(conn, DAY, NEXT, 2)
    assert sooner.known_h == pytest.approx(3 * 0.25 + 0.5 + 2 * 0.5), "by rules under which two are enough"


async def test_a_car_that_stays_over_midnight_is_counted_in_both_days_and_came_once(conn: Connection) -> None:
    await register(conn, ("bay-1", "parking_bay", "market"))
    reports = [(23 + quarter / 4, quarter > 0) for quarter in range(8)]
    await store(conn, "parking_bay", said(1, *reports))
    today, tomorrow = await parking.by_zone_and_day(conn, DAY, NEXT + dt.timedelta(days=1), 3)
    assert (today.arrivals, tomorrow.arrivals) == (1, 0)
    assert (today.taken_h, tomorrow.taken_h) == (pytest.approx(0.75), pytest.approx(0.75 + 0.75))
    (only,) = await parking.by_zone_and_day(conn, NEXT, NEXT + dt.timedelta(days=1), 3)
    assert only == tomorrow


async def test_without_reports_there_is_nothing_to_tell(conn: Connection) -> None:
    await register(conn, ("bay-1", "parking_bay", "market"))
    assert await parking.by_zone_and_day(conn, DAY, NEXT, 3) == []
