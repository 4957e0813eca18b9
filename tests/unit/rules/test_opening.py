"""Opening hours, market days and closures of parking zones (DOMAIN: opening hours and closures are a calendar)."""

import datetime as dt

import pytest

from rules.calendars import Calendars
from rules.hours import Hours
from rules.measures import CLOSURE, MAINTENANCE, Measure
from rules.opening import Opening
from telemetry.clock import to_us
from telemetry.thresholds import HOLIDAYS, Closure, OpeningHours, Parking
from tests.parts.cities import BERLIN, SUN

TOWN = Hours(Calendars({"holiday": HOLIDAYS}), SUN, BERLIN)
HOURS = (
    OpeningHours(("garage",), ("mon..fri",), "06:00", "22:00"),
    OpeningHours(("garage",), ("sat",), "08:00", "02:00"),
    OpeningHours(("garage",), ("holiday",), closed=True),
)
MARKET = (Closure("market", ("markt",), ("wed", "sat"), "05:00", "14:30"),)


def at(text: str) -> int:
    return to_us(dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN))


def opening(*measures: Measure) -> Opening:
    return Opening(Parking(hours=HOURS, closures=MARKET), TOWN, measures)


@pytest.mark.parametrize(
    ("moment", "closed"),
    [
        ("2026-11-23T05:59:59", True),
        ("2026-11-23T06:00:00", False),
        ("2026-11-23T21:59:59", False),
        ("2026-11-23T22:00:00", True),
        ("2026-11-28T23:30:00", False),
        ("2026-11-29T01:59:59", False),
        ("2026-11-29T02:00:00", True),
        ("2026-11-29T12:00:00", True),
        ("2026-12-25T12:00:00", True),
    ],
)
def test_a_zone_is_closed_outside_its_hours_and_on_holidays(moment: str, closed: bool) -> None:
    assert opening().closed("garage", at(moment)) is closed


@pytest.mark.parametrize(("moment", "closed"), [("2026-11-25T10:00:00", True), ("2026-11-25T14:30:00", False)])
def test_a_market_closes_its_place(moment: str, closed: bool) -> None:
    assert opening().closed("markt", at(moment)) is closed


def test_a_zone_that_no_hours_name_is_always_open() -> None:
    assert not opening().closed("strasse", at("2026-12-25T03:00:00"))


def test_hours_follow_the_wall_clock_over_the_change_of_summer_time() -> None:
    hours = (OpeningHours(("garage",), ("sun",), "01:00", "04:00"),)
    there = Opening(Parking(hours=hours), TOWN)
    assert not there.closed("garage", at("2026-03-29T03:59:00"))
    assert there.closed("garage", at("2026-03-29T04:00:00"))


def test_what_an_operator_closes_is_closed_until_it_ends_and_maintenance_closes_nothing() -> None:
    noon = at("2026-11-23T12:00:00")
    closure = Measure("1", "garage", CLOSURE, noon, noon + 60_000_000)
    there = opening(closure, Measure("2", "strasse", MAINTENANCE, 0, 2 * noon))
    assert not there.closed("garage", noon - 1)
    assert there.closed("garage", noon)
    assert not there.closed("garage", noon + 60_000_000)
    assert not there.closed("strasse", noon)
