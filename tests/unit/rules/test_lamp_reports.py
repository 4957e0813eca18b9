"""Reports of lamps that no lamp should send: they change nothing for others, and take no time."""

import time
from datetime import UTC, datetime

import numpy as np

from rules import lamp_faults
from rules.inputs import Inputs
from telemetry.alarms import AlarmType
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_us
from tests.parts.cities import MIDNIGHT_US, SUN, Life, city, lamp
from tests.parts.series import columns


def test_times_of_fifty_years_ago_cost_nothing_and_raise_nothing() -> None:
    life = Life(city([lamp(number) for number in range(1, 101)]))
    life.step(MIDNIGHT_US)
    long_ago_us = to_us(datetime(1971, 1, 1, tzinfo=UTC))
    rows = [(number, long_ago_us + number * 180 * DAY_US, 100.0) for number in range(1, 101)]
    found = columns("streetlight", rows)
    for name in ("lux", "voltage_v", "power_w"):
        found.fields[name][:] = 0.0
    begun_s = time.process_time()
    life.step(MIDNIGHT_US + MINUTE_US, Inputs({"streetlight": found}))
    assert time.process_time() - begun_s < 2
    assert {each.type for each in life.raised()} <= {AlarmType.DEVICE_SILENT}


def test_values_that_are_none_raise_nothing() -> None:
    life = Life(city([lamp(1)]))
    for minute in range(0, 60, 5):
        found = columns("streetlight", [(1, MIDNIGHT_US + minute * MINUTE_US, float("nan"))])
        life.step(MIDNIGHT_US + minute * MINUTE_US, Inputs({"streetlight": found}))
    assert {each.type for each in life.raised()} == {AlarmType.COMMAND_FAILED}, "it answers nothing either"


def test_a_dead_lamp_gives_no_light_and_its_devices_word_counts_all_the_same() -> None:
    """A controller that said `lamp_fault` at level 0, without a setpoint, was never believed."""
    life = Life(city([lamp(1)]))
    for number, (level, fault) in enumerate([(0.0, 1.0)] * 3 + [(0.0, 0.0)] * 2 + [(100.0, 0.0)] * 2):
        at_us = MIDNIGHT_US + number * MINUTE_US
        found = columns("streetlight", [(1, at_us, level)])
        found.fields["lamp_fault"][:] = fault
        life.step(at_us, Inputs({"streetlight": found}))
        dead = [each for each in life.raised() if each.type is AlarmType.LAMP_FAULT]
        assert len(dead) == (number >= 2)
        over = [each for each in life.cleared() if each.type is AlarmType.LAMP_FAULT]
        assert len(over) == (number >= 6), "dark and without a fault, nobody knows whether it would burn"
    assert dead[0].why["inputs"]["lamp_fault"] is True


def test_darkness_at_many_moments_is_darkness_at_each() -> None:
    at_us = np.array([MIDNIGHT_US + hour * HOUR_US // 3 for hour in (200, -3, 0, 17, 55, 90, 31)])
    assert lamp_faults.dark(SUN, at_us).tolist() == [SUN.dark_at(each) for each in at_us.tolist()]
