"""Drains beyond their stages: outlooks, neighbours, what is usual, what devices are asked, and data of any sort."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.drains import blockage
from rules.drains.blockage import Usual
from rules.effects import RaiseAlarm, SendCommand
from rules.inputs import Acked, Inputs
from rules.memory import NEVER_US
from telemetry.alarms import AlarmType, Severity
from telemetry.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_rfc3339
from telemetry.columns import Columns
from telemetry.commands import Settings
from tests.parts import floods
from tests.parts.cities import NOON_US, Life, city, drain
from tests.parts.floods import GAGES, Gage
from tests.parts.series import columns

DRAIN = "drain_level"


def of_type(life: Life, kind: AlarmType) -> list[RaiseAlarm]:
    return [each for each in life.raised() if each.type == kind]


@pytest.mark.parametrize("gage", GAGES, ids=[gage.name for gage in GAGES])
def test_a_fifth_of_the_samples_dropped_delayed_or_repeated_gives_the_same_alarms(gage: Gage) -> None:
    runs = 200
    deliveries = floods.delivered(floods.record(gage).floods(), runs, 0.2, seed=1)
    effects = [each for _, _, effects in floods.replay(deliveries, floods.town(runs)) for each in effects]
    assert floods.counts(effects, runs) == {(gage.high, gage.overflow): runs}


@pytest.mark.parametrize("gage", GAGES[:2], ids=[gage.name for gage in GAGES[:2]])
def test_the_time_to_overflow_is_told_ten_minutes_before_each_flood(gage: Gage) -> None:
    record = floods.record(gage).floods()
    replay = floods.replay(floods.delivered(record, 1, 0.0, seed=1), floods.town(1), lot_us=5 * MINUTE_US)
    told_us = [now_us for now_us, state, _ in replay if state.drain_outlook.until_us[0] != NEVER_US]
    for crossing_us in record.crossings_us():
        assert [at for at in told_us if crossing_us - HOUR_US < at <= crossing_us - 10 * MINUTE_US]


def rising() -> Life:
    life = Life(city([drain(1)]))
    life.play(DRAIN, 1, "0.4 0.5 0.6 0.7", NOON_US, 300)
    return life


def test_an_outlook_is_a_range_about_the_likely_time() -> None:
    outlook = rising().state.drain_outlook
    last_us = NOON_US + 15 * MINUTE_US
    assert outlook.rate_m_h[0] == pytest.approx(1.2)
    assert outlook.likely_us[0] == pytest.approx(last_us + 40 * MINUTE_US, abs=SECOND_US)
    assert last_us < outlook.earliest_us[0] < outlook.likely_us[0] < outlook.latest_us[0]


def test_an_outlook_is_taken_back_when_its_data_is_older_than_two_intervals() -> None:
    life = rising()
    life.step(NOON_US + 24 * MINUTE_US)
    assert life.state.drain_outlook.until_us[0] != NEVER_US
    life.step(NOON_US + 25 * MINUTE_US + 2 * SECOND_US)
    assert life.state.drain_outlook.until_us[0] == NEVER_US


def test_an_outlook_that_hardly_moves_is_not_told_anew() -> None:
    life = rising()
    before = life.state.drain_outlook.likely_us[0]
    life.play(DRAIN, 1, "0.797", NOON_US + 20 * MINUTE_US, 300)
    assert life.state.drain_outlook.likely_us[0] == before


def test_an_alarm_says_how_fast_the_water_rises_and_when_it_will_overflow() -> None:
    life = Life(city([drain(1)]))
    life.play(DRAIN, 1, "0.8 0.9 1.0 1.1", NOON_US, 300)
    (alarm,) = of_type(life, AlarmType.DRAIN_RISING_FAST)
    assert alarm.why["inputs"]["rate_m_h"] == pytest.approx(1.2)
    assert alarm.why["inputs"]["overflow"]["likely_at"] == to_rfc3339(NOON_US + 35 * MINUTE_US)


def test_an_alarm_says_at_least_where_the_water_stands_in_the_blind_zone() -> None:
    life = Life(city([drain(1, sensor_height_m=1.4, blind_zone_m=0.3)]))
    life.play(DRAIN, 1, "1.0 1.1x2", NOON_US, 300)
    (alarm,) = of_type(life, AlarmType.DRAIN_HIGH)
    assert "at least" in alarm.why["inputs"]["at_least"]
    assert life.state.drain_outlook.at_least[0]


def test_an_alarm_tells_of_the_drains_above_and_below() -> None:
    life = Life(city([drain(1), drain(2, upstream="drain_level-1"), drain(3, upstream="drain_level-2")]))
    for number, level in enumerate((0.4, 0.6, 0.8)):
        at_us = NOON_US + number * 5 * MINUTE_US
        life.observe(at_us + SECOND_US, DRAIN, [(1, at_us, level), (2, at_us, 1.6), (3, at_us, 0.1)])
    (alarm,) = of_type(life, AlarmType.DRAIN_HIGH)
    upstream, downstream = alarm.why["inputs"]["upstream"], alarm.why["inputs"]["downstream"]
    assert (upstream["asset"], upstream["level_m"], upstream["stage"]) == ("drain_level-1", 0.6, "normal")
    assert (downstream["asset"], downstream["level_m"]) == ("drain_level-3", 0.1)


def test_the_rain_of_an_alarm_is_that_of_its_gauge_else_the_largest_in_its_zone() -> None:
    town = [drain(1, zone="a", rain_from="drain_level-3"), drain(2, zone="a"), drain(3, zone="b"), drain(4, zone="a")]
    life = Life(city(town))
    rain = columns(DRAIN, [(3, NOON_US, 0.1), (4, NOON_US, 0.1), (2, NOON_US, 0.1)])
    rain.fields["rain_mm_h"][:] = [7.0, 3.0, 2.0]
    life.step(NOON_US + SECOND_US, Inputs({DRAIN: rain}))
    at_us = NOON_US + 50 * MINUTE_US
    life.observe(at_us + SECOND_US, DRAIN, [(1, at_us, 1.6), (2, at_us, 1.6)])
    at_us = NOON_US + 61 * MINUTE_US
    life.observe(at_us + SECOND_US, DRAIN, [(4, at_us, 1.6)])
    said = {alarm.asset: alarm.why["inputs"]["rain"] for alarm in of_type(life, AlarmType.DRAIN_OVERFLOW)}
    assert said == {
        "drain_level-1": {"mm_h": 7.0, "from": "drain_level-3"},
        "drain_level-2": {"mm_h": 3.0, "from": "zone a"},
        "drain_level-4": "unknown",
    }


def shower(life: Life, minute: int, mm_h: float) -> None:
    said = columns(DRAIN, [(2, NOON_US + minute * MINUTE_US, 0.1)])
    said.fields["rain_mm_h"][:] = mm_h
    life.step(NOON_US + minute * MINUTE_US + SECOND_US, Inputs({DRAIN: said}))


def test_silence_in_rain_is_critical() -> None:
    life = Life(city([drain(1, zone="a"), drain(2, zone="a")]))
    play(life, "0.3", 0)
    for minute in range(0, 25, 5):
        shower(life, minute, 2.0)
    (alarm,) = of_type(life, AlarmType.DEVICE_SILENT)
    assert alarm.severity is Severity.CRITICAL
    assert alarm.why["inputs"]["rain"] == {"mm_h": 2.0, "from": "zone a"}
    assert alarm.why["inputs"]["last_level_m"] == 0.3


def test_silence_escalates_once_when_it_begins_to_rain() -> None:
    life = Life(city([drain(1, zone="a"), drain(2, zone="a")]))
    play(life, "0.3", 0)
    for minute in range(0, 40, 5):
        shower(life, minute, 0.0 if minute < 25 else 2.0)
    before, after = of_type(life, AlarmType.DEVICE_SILENT)
    assert (before.id, before.severity, after.severity) == (after.id, None, Severity.CRITICAL)


def test_a_blockage_lies_between_the_last_drain_that_is_high_and_the_first_that_is_not() -> None:
    life = Life(city([drain(1, zone="a"), drain(2, zone="a", upstream="drain_level-1")]))
    life.state.usual = Usual(np.array([0.2, 0.2]), np.full(2, 9_999, np.int32), np.full(2, NEVER_US), np.full(2, 0.2))
    for quarter in range(48):
        at_us = NOON_US + quarter * 15 * MINUTE_US
        said = columns(DRAIN, [(1, at_us, 0.4 + quarter % 2 / 100), (2, at_us, 0.1 + quarter % 2 / 100)])
        said.fields["rain_mm_h"][:] = 0.0
        life.step(at_us + SECOND_US, Inputs({DRAIN: said}))
    (alarm,) = of_type(life, AlarmType.DRAIN_BLOCKAGE)
    assert alarm.asset == "drain_level-1"
    assert alarm.at_us == NOON_US + 10 * HOUR_US
    assert alarm.why["inputs"]["likely_between"] == ["drain_level-1", "drain_level-2"]


def test_what_is_usual_is_the_99th_percentile_and_follows_it() -> None:
    chance = np.random.default_rng(4)
    usual = Usual.blank(200)
    hours = np.arange(60 * 48) / 2
    low = 0.2 + 0.08 * np.sin(hours / 12 * np.pi)
    for season_m, share in ((0.0, 60), (0.15, 60), (0.05, 120)):
        for level in low[: share * 24] + season_m:
            blockage.learn(usual, np.arange(200), level + chance.normal(0, 0.01, 200))
        wanted = np.quantile(low[:, np.newaxis] + season_m + chance.normal(0, 0.01, (len(low), 200)), 0.99)
        assert np.abs(usual.usual_m - wanted).max() < 0.04
        assert abs(usual.usual_m.mean() - wanted) < 0.015


def asked(life: Life) -> list[tuple[int, Settings, str]]:
    sent = [each for each in life.sent() if not each.again]
    return [((each.at_us - NOON_US) // MINUTE_US, each.settings, each.reason) for each in sent]


def answer(life: Life, minute: int, ok: bool) -> None:
    command = life.sent()[-1]
    life.step(NOON_US + minute * MINUTE_US, Inputs(acks=[Acked(0, command.device, command.id, ok)]))


def play(life: Life, notation: str, minute: int) -> None:
    life.play(DRAIN, 1, notation, NOON_US + minute * MINUTE_US, 300)


FAST, USUAL = Settings(report_every_s=60), Settings(report_every_s=300)


def test_a_lease_of_faster_reports_is_renewed_at_half_and_taken_back() -> None:
    life = Life(city([drain(1, report_every_s=300)]))
    play(life, "0.85", 0)
    answer(life, 1, True)
    play(life, "0.85x5", 5)
    answer(life, 31, True)
    play(life, "0.5x6", 35)
    assert asked(life) == [*((minute, FAST, "sensor") for minute in (0, 30, 60)), (65, USUAL, "default")]


def test_a_device_that_rejects_faster_reports_is_not_asked_again_for_a_day() -> None:
    life = Life(city([drain(1, report_every_s=300)]))
    play(life, "0.85", 0)
    answer(life, 1, False)
    play(life, "0.85x11 0.5x12 0.85x99", 5)
    assert asked(life) == [(0, FAST, "sensor")]
    play(life, "0.85", DAY_US // MINUTE_US + 5)
    assert len(asked(life)) == 2
    assert of_type(life, AlarmType.COMMAND_FAILED) == []


def test_no_faster_reports_where_they_are_fast_enough() -> None:
    life = Life(city([drain(1, report_every_s=60)]))
    play(life, "0.85x3", 0)
    assert asked(life) == []


values = st.sampled_from([0.1, 0.1, 0.3, 0.9, 1.0, 1.1, 1.5, 1.6, 3.9, 29.0, -0.5, -1.0, float("nan")])
rains = st.sampled_from([0.0, 0.0, 3.0, float("nan")])
moments = st.sampled_from([-600, 0, 0, 20, 300, 300, 300, 900, 4000, 30_000])
sayings = st.lists(st.tuples(st.integers(1, 3), moments, values, rains), max_size=60)
Saying = tuple[int, int, float, float]
HOSTILE = city(
    [
        drain(1, zone="a", sensor_height_m=1.4, blind_zone_m=0.3),
        drain(2, zone="a", upstream="drain_level-1", rain_from="drain_level-1"),
        drain(3, crown_m=None),
    ]
)


def said(rows: Sequence[tuple[int, int, float, float]]) -> Columns:
    found = columns(DRAIN, [(asset, at_us, value) for asset, at_us, value, _ in rows])
    found.fields["rain_mm_h"][:] = [rain for _, _, _, rain in rows]
    return found


def suffer(sayings: Sequence[Saying], lot: int, restart: bool = False) -> Life:
    """Each drain says something some seconds after its last word, or before it, or again."""
    life, now_us, last = Life(HOSTILE, restart=restart), NOON_US, dict.fromkeys((1, 2, 3), NOON_US)
    for begin in range(0, len(sayings), lot):
        rows = []
        for asset, after_s, value, rain in sayings[begin : begin + lot]:
            last[asset] += after_s * SECOND_US
            now_us = max(now_us, last[asset] + SECOND_US)
            rows.append((asset, last[asset], value, rain))
        life.step(now_us, Inputs({DRAIN: said(rows)}))
    life.step(now_us + 2 * HOUR_US)
    return life


@settings(max_examples=15, deadline=None)
@given(sayings, st.integers(1, 8))
def test_data_of_any_sort_never_crashes_nor_fires_wrongly(sayings: list[Saying], lot: int) -> None:
    life = suffer(sayings, lot)
    ids = [each.id for each in life.raised() if each.severity is None]
    assert len(ids) == len(set(ids))
    for alarm in of_type(life, AlarmType.DRAIN_OVERFLOW):
        number = int((alarm.asset or "").rpartition("-")[2])
        levels = [value for asset, _, value, _ in sayings if asset == number]
        assert any(1.5 <= level <= 4.5 for level in levels)
    assert not [each for each in of_type(life, AlarmType.DRAIN_HIGH) if each.asset == "drain_level-3"]


@settings(max_examples=12, deadline=None)
@given(sayings)
def test_a_restart_after_any_step_changes_nothing_for_drains(sayings: list[Saying]) -> None:
    assert suffer(sayings, 3, restart=True).effects == suffer(sayings, 3).effects


@settings(max_examples=12, deadline=None)
@given(sayings)
@example([(1, -600, 29.0, 0.0), (1, 20, 0.1, 0.0), (1, 20, 3.9, 0.0), (1, 20, 29.0, 0.0), (1, 20, 0.9, 0.0)])
def test_every_alarm_of_a_drain_clears_once_its_condition_is_gone(sayings: list[Saying]) -> None:
    """Its device answers what it is asked: a command that nobody answers has rightly failed."""
    life = suffer(sayings, 4)
    begin_us, sent = life.state.now_us, life.sent()
    for number in range(36):
        now_us = begin_us + number * 5 * MINUTE_US
        calm = [(asset, now_us, 0.1 + number % 2 / 100, 0.0) for asset in (1, 2, 3)]
        acks = [Acked(-1, each.device, each.id, True) for each in sent]
        effects = life.step(now_us + SECOND_US, Inputs({DRAIN: said(calm)}, acks))
        sent = [each for each in effects if isinstance(each, SendCommand)]
    assert {each.id for each in life.raised()} == {each.id for each in life.cleared()}


levels = st.lists(st.sampled_from([0.7, 0.94, 0.95, 0.97, 0.99, 1.0, 1.2]), min_size=2, max_size=40)


@settings(max_examples=12, deadline=None)
@given(levels, st.sampled_from([100, 300]))
def test_no_stage_rises_without_its_condition_held_for_the_delay_nor_clears_inside_the_deadband(
    levels: list[float], every_s: int
) -> None:
    life = Life(city([drain(1, ground_m=None, report_every_s=every_s)]))
    times = [NOON_US + number * every_s * SECOND_US for number in range(len(levels))]
    for at_us, level in zip(times, levels, strict=True):
        life.observe(at_us + SECOND_US, DRAIN, [(1, at_us, level)])
    readings = list(zip(times, levels, strict=True))
    for alarm in life.raised():
        held = [level for at_us, level in readings if alarm.observed_us <= at_us <= alarm.at_us]
        assert alarm.at_us - alarm.observed_us == 360 * SECOND_US
        assert min(held) >= 1.0
    for cleared in life.cleared():
        held = [level for at_us, level in readings if cleared.at_us - 1800 * SECOND_US <= at_us <= cleared.at_us]
        assert max(held) < 0.95
