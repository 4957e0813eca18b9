"""A bay stuck in one state against its zone's median behaviour (DOMAIN: drift)."""

import numpy as np

from rules.memory import NEVER_US
from rules.occupancy import FREE, OCCUPIED, UNKNOWN, Occupancy
from rules.stuck import Found, Stuck, look
from telemetry.clock import DAY_US, HOUR_US
from telemetry.thresholds import Parking

START_US = 1_770_000_000_000_000
PARKING = Parking()


class Street:
    """Six bays that are looked at every hour; in each hour some of them change."""

    def __init__(self) -> None:
        self.bays, self.memory, self.now_us = Occupancy.blank(6), Stuck.blank(6), START_US
        self.bays.shown[:] = FREE

    def pass_hours(self, hours: int, *moving: int) -> list[Found]:
        found = []
        for _ in range(hours):
            self.now_us += HOUR_US
            self.bays.changes[list(moving)] += 1
            found.append(look(self.memory, self.bays, np.arange(6), self.now_us, PARKING))
        return found


def rows(found: list[Found]) -> list[int]:
    return [row for each in found for row in each.stuck.tolist()]


def test_a_bay_that_stays_while_its_neighbours_come_and_go_is_stuck_once() -> None:
    street = Street()
    found = street.pass_hours(72, 0, 1, 2, 3, 4)
    assert rows(found) == [5]
    assert street.memory.cause_us[5] == START_US + HOUR_US
    assert next(each for each in found if len(each.stuck)).ahead.tolist() == [48]


def test_it_is_over_when_the_bay_changes() -> None:
    street = Street()
    street.pass_hours(72, 0, 1, 2, 3, 4)
    assert street.pass_hours(1, 5)[0].free.tolist() == [5]
    assert not street.memory.stuck.any()


def test_a_quiet_street_has_no_stuck_bay() -> None:
    assert rows(Street().pass_hours(24 * 20)) == []


def test_a_silent_bay_is_not_judged() -> None:
    street = Street()
    street.bays.shown[5] = UNKNOWN
    assert rows(street.pass_hours(72, 0, 1, 2, 3, 4)) == []


def test_a_bay_heard_again_begins_anew() -> None:
    street = Street()
    street.bays.shown[5] = UNKNOWN
    street.pass_hours(72, 0, 1, 2, 3, 4)
    street.bays.shown[5] = OCCUPIED
    assert rows(street.pass_hours(24, 0, 1, 2, 3, 4)) == []
    assert rows(street.pass_hours(48, 0, 1, 2, 3, 4)) == [5]


def test_where_too_few_are_heard_nobody_is_judged_and_a_standing_alarm_ends() -> None:
    street = Street()
    street.pass_hours(72, 0, 1, 2, 3, 4)
    street.bays.shown[:4] = UNKNOWN
    assert street.pass_hours(1)[0].free.tolist() == [5]
    assert (street.memory.since_us == NEVER_US).all()
    assert rows(street.pass_hours(int(5 * DAY_US / HOUR_US))) == []
