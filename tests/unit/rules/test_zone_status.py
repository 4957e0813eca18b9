"""What a zone says of itself beside its counts: how full it is, that it is closed, what is expected."""

from dataclasses import replace
from datetime import datetime

import pytest

from rules.city import City
from rules.measures import CLOSURE, Measure
from rules.zones import filled
from telemetry.clock import MINUTE_US, SECOND_US, to_us
from telemetry.thresholds import Parking
from tests.parts.cities import NOON_US, Life, bay, city
from tests.parts.zones import zone


@pytest.mark.parametrize(
    ("before", "occupied", "status"),
    [
        ("open", 89, "open"),
        ("open", 90, "almost_full"),
        ("almost_full", 85, "almost_full"),
        ("almost_full", 84, "open"),
        ("almost_full", 98, "almost_full"),
        ("almost_full", 99, "full"),
        ("full", 97, "full"),
        ("full", 96, "almost_full"),
        ("full", 84, "open"),
        ("closed", 90, "almost_full"),
    ],
)
def test_full_and_almost_full_come_above_one_share_and_go_below_another(
    before: str, occupied: int, status: str
) -> None:
    word = zone(free=100 - occupied, occupied=occupied)
    assert filled(word, before, Parking()) == status  # type: ignore[arg-type]


def closed(from_s: int, until_s: int) -> City:
    """Two bays of a market that is closed for a while."""
    measure = Measure("m", "market", CLOSURE, NOON_US + from_s * SECOND_US, NOON_US + until_s * SECOND_US)
    return replace(city([bay(1), bay(2, reserved_for="disabled")]), measures=(measure,))


def test_a_closed_zone_says_so_at_once_and_opens_by_itself() -> None:
    life = Life(closed(10, 20), settle_s=0)
    life.observe(NOON_US, "parking_bay", [(1, NOON_US, 0.0), (2, NOON_US, 0.0)])
    for second in range(1, 31):
        life.step(NOON_US + second * SECOND_US)
    told = [(to_us(datetime.fromisoformat(word.updated_at)) - NOON_US, word.status) for word in life.words()]
    assert [(at_us // SECOND_US, status) for at_us, status in told] == [(0, "open"), (10, "closed"), (20, "open")]
    word = life.words()[1]
    assert (word.capacity, word.free, word.closed, word.verified_at, word.forecast) == (0, 0, 2, None, ())
    assert word.restricted["disabled"].capacity == 0
    assert life.words()[2].restricted["disabled"].free == 1


def test_what_bays_say_while_they_are_closed_is_known_when_they_open() -> None:
    life = Life(closed(10, 100), settle_s=0)
    life.observe(NOON_US, "parking_bay", [(1, NOON_US, 0.0)])
    life.observe(NOON_US + 20 * SECOND_US, "parking_bay", [(1, NOON_US + 20 * SECOND_US, 1.0)])
    life.step(NOON_US + 101 * SECOND_US)
    assert (life.words()[-1].status, life.words()[-1].occupied) == ("full", 1)


def test_a_zone_that_has_been_followed_for_a_day_says_what_is_to_be_expected() -> None:
    life = Life(city([bay(number, report_every_s=900) for number in range(1, 5)]), settle_s=0)
    for step in range(24 * 6):
        now_us = NOON_US + step * 10 * MINUTE_US
        life.observe(now_us, "parking_bay", [(number, now_us, float(number == 1)) for number in range(1, 5)])
    word = life.words()[-1]
    assert [each.minutes for each in word.forecast] == [15, 30, 60]
    for each in word.forecast:
        assert 0 <= each.free_low <= each.free == 3 <= each.free_high <= 4
    first = life.words()[0]
    assert (first.free, [(each.minutes, each.free_low, each.free_high, each.learning) for each in first.forecast]) == (
        3,
        [(minutes, 0, 4, True) for minutes in (15, 30, 60)],
    )
    assert not any(each.learning for each in word.forecast)
