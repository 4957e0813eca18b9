"""What goes wrong with devices, as often as it is said."""

import pytest

from firmware_sim.chance import Chance
from firmware_sim.faults import NONE, DeviceFaults, Faults
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US

DAYS = 2_000
NAMES = list(Faults.__slots__)


def device(number: int = 0, **faults: float) -> DeviceFaults:
    return DeviceFaults(Faults(**{**dict.fromkeys(NAMES, 0.0), **faults}), Chance.seeded("device", number))


def test_a_probability_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="reboot_per_day"):
        Faults(reboot_per_day=1.5)


def test_without_faults_nothing_goes_wrong() -> None:
    well = DeviceFaults(NONE, Chance.seeded("well"))
    assert (well.stuck, well.not_dimming, well.weak_battery) == (False, False, False)
    for hour in range(200):
        moment_us = hour * HOUR_US
        assert well.silent_until_us(moment_us) is None
        assert well.radio_back_us(moment_us) is None
        assert well.reboot_us(moment_us) is None
        assert well.drift_us(moment_us) == 0
        assert not well.lamp_failed(moment_us)
        assert not any(fault(hour) for fault in (well.duplicate, well.lost_echo, well.missed_edge, well.out_of_range))


def test_a_silence_lasts_until_the_moment_it_names() -> None:
    dying = device(silent_per_day=1.0)
    silent = next(at for at in range(0, DAY_US, MINUTE_US) if dying.silent_until_us(at) is not None)
    end_us = dying.silent_until_us(silent)
    assert end_us is not None
    assert silent < end_us <= silent + 12 * HOUR_US
    assert dying.silent_until_us(end_us - 1) == end_us


def test_reboots_come_as_often_as_said() -> None:
    rebooting = device(reboot_per_day=0.1)
    count = sum(1 for day in range(DAYS) if rebooting.reboot_us(day * DAY_US) is not None)
    assert 0.07 * DAYS < count < 0.13 * DAYS


def test_a_reboot_lies_in_its_day_and_is_not_told_twice() -> None:
    rebooting = device(reboot_per_day=1.0)
    at_us = rebooting.reboot_us(5 * DAY_US)
    assert at_us is not None
    assert 5 * DAY_US <= at_us < 6 * DAY_US
    assert rebooting.reboot_us(at_us) is None


def test_a_dead_lamp_is_replaced_within_days() -> None:
    failing = device(lamp_failure_per_day=0.05)
    hours = [failing.lamp_failed(hour * HOUR_US) for hour in range(24 * 400)]
    runs = "".join("x" if dead else "." for dead in hours).split(".")
    lengths = [len(run) for run in runs if run]
    assert lengths
    assert min(lengths) >= 23


def test_a_share_of_all_devices_is_stuck() -> None:
    stuck = sum(1 for number in range(3_000) if device(number, stuck_share=0.1).stuck)
    assert 220 < stuck < 380


def test_clocks_drift_and_are_set_right_at_midnight() -> None:
    drifting = device(clock_drift_ppm_max=100.0)
    assert drifting.drift_us(3 * DAY_US) == 0
    assert 0 < abs(drifting.drift_us(4 * DAY_US - 1)) <= 100 * DAY_US // 1_000_000
    assert abs(drifting.drift_us(4 * DAY_US - 1)) < 10 * SECOND_US
