"""Free places ahead: the learned week, the present, the range, and what is not known."""

import datetime as dt
import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rules import outlook_kept
from rules.forecast import GAP_US_MAX, HORIZONS_MIN, SAMPLE_US, SCORED_MIN, Expected, Outlook
from rules.week import SLOT_US, Week, slot_of
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_us

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_US = to_us(dt.datetime(2026, 3, 2, tzinfo=BERLIN))
LOOK_US = 15 * MINUTE_US


def local(at_us: int) -> dt.datetime:
    return to_datetime(at_us).astimezone(BERLIN)


def usual(at_us: int) -> float:
    """A town's working day: empty at night, full at noon by the wall clock."""
    moment = local(at_us)
    return 0.5 - 0.4 * math.cos(2 * math.pi * (moment.hour * 60 + moment.minute) / 1440)


def followed(days: int, noise: float = 0.0, seed: int = 1) -> Outlook:
    chance = np.random.default_rng(seed)
    outlook = Outlook()
    for at_us in range(MONDAY_US, MONDAY_US + days * DAY_US, LOOK_US):
        taken = float(np.clip(usual(at_us) + noise * chance.standard_normal(), 0, 1))
        outlook = outlook.looked(at_us, taken, local)
    return outlook


def test_a_town_that_repeats_itself_is_forecast_to_a_hundredth() -> None:
    outlook = followed(15)
    now_us = outlook.looks[-1].at_us
    for each in outlook.expect(local):
        assert each.taken == pytest.approx(usual(now_us + each.minutes * MINUTE_US), abs=0.01)


def test_the_range_holds_about_eighty_of_a_hundred_times() -> None:
    chance = np.random.default_rng(7)
    outlook, held = Outlook(), []
    waiting: list[tuple[int, float, float]] = []
    for at_us in range(MONDAY_US, MONDAY_US + 21 * DAY_US, LOOK_US):
        taken = float(np.clip(usual(at_us) + 0.03 * chance.standard_normal(), 0, 1))
        held += [low <= taken <= high for due_us, low, high in waiting if due_us == at_us]
        outlook = outlook.looked(at_us, taken, local)
        waiting = [each for each in waiting if each[0] > at_us]
        if at_us > MONDAY_US + 14 * DAY_US:
            waiting += [(at_us + 30 * MINUTE_US, each.low, each.high) for each in outlook.expect(local)[1:2]]
    assert 0.75 <= np.mean(held) <= 0.85


def test_forecasts_stay_between_nobody_and_full_and_within_their_range() -> None:
    for each in followed(9, noise=0.3).expect(local):
        assert 0 <= each.low <= each.taken <= each.high <= 1


def test_from_the_first_look_on_every_horizon_is_given_and_until_its_errors_are_known_anything_may_come() -> None:
    assert Outlook().expect(local) == []
    first = Outlook().looked(MONDAY_US, 0.3, local)
    assert first.expect(local) == [Expected(each, 0.3, 0, 1, 0.7, learning=True) for each in HORIZONS_MIN]
    for number in range(1, 60):
        first = first.looked(MONDAY_US + number * SAMPLE_US, 0.3 + number / 120, local)
    for model, each in zip(first.models, first.expect(local), strict=True):
        assert each.learning == (model.scored < SCORED_MIN) == ((each.low, each.high) == (0, 1))


def test_after_a_gap_nothing_is_scored_and_nothing_learned_across_it() -> None:
    before = followed(3)
    later_us = before.looks[-1].at_us + GAP_US_MAX + 1
    after = before.looked(later_us, 1.0, local)
    assert [each.scored for each in after.models] == [each.scored for each in before.models]
    assert all(each.due_us > later_us for each in after.promises)
    assert not any(before.looks[-1].at_us < slot_us <= later_us for slot_us, _ in after.unlearned)


def test_the_day_itself_enters_the_week_only_after_two_hours() -> None:
    outlook = followed(1)
    now_us = outlook.looks[-1].at_us
    learned = outlook.week.learned_us
    assert now_us - 2 * HOUR_US - SLOT_US <= int(learned.max()) < now_us - 2 * HOUR_US + SLOT_US


def test_the_week_follows_the_wall_clock_over_the_change_of_summer_time() -> None:
    week = Week.blank()
    sunday = dt.datetime(2026, 3, 22, 12, 0, tzinfo=BERLIN)
    week = week.learned([(slot_of(sunday), to_us(sunday), 0.7)])
    after_change = dt.datetime(2026, 3, 29, 12, 0, tzinfo=BERLIN)
    assert week.at(to_us(after_change), to_us(after_change), local) == pytest.approx(0.7)


def test_working_days_lend_each_other_what_they_know_and_sundays_stand_alone() -> None:
    tuesday = dt.datetime(2026, 3, 3, 9, 0, tzinfo=BERLIN)
    week = Week.blank().learned([(slot_of(tuesday), to_us(tuesday), 0.4)])
    friday, sunday = tuesday + dt.timedelta(days=3), tuesday + dt.timedelta(days=5)
    assert week.at(to_us(friday), to_us(friday), local) == pytest.approx(0.4)
    assert math.isnan(week.at(to_us(sunday), to_us(sunday), local))


def test_every_horizon_of_the_contract_is_given() -> None:
    assert [each.minutes for each in followed(3).expect(local)] == list(HORIZONS_MIN) == [15, 30, 60]


def test_what_was_kept_forecasts_the_same() -> None:
    outlook = followed(3, noise=0.05)
    again = outlook_kept.load(outlook_kept.dump(outlook))
    assert again.expect(local) == outlook.expect(local)
    later_us = outlook.looks[-1].at_us + LOOK_US
    assert outlook_kept.dump(again.looked(later_us, 0.5, local)) == outlook_kept.dump(
        outlook.looked(later_us, 0.5, local)
    )


def test_bytes_that_are_no_outlook_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        outlook_kept.load(b"\xc1")
