"""Backtests without a database: windows of time, one version over them, and what differs between two."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from rules.backtest.difference import alarms_differ, difference
from rules.backtest.feed import ends, windows
from rules.backtest.replay import Outcome, Replay, Stood, Window
from rules.backtest.scope import NothingChosen, scoped
from storage.history_reading import Acknowledged, Wish
from telemetry.clock import HOUR_US, MINUTE_US
from telemetry.columns import Columns
from telemetry.commands import Settings
from telemetry.thresholds import DimmingProgram, Drainage, Lighting, Thresholds
from tests.parts.cities import MIDNIGHT_US, NOON_US, bay, city, drain, lamp
from tests.parts.series import columns, series

DRAIN, LAMP = "drain_level", "streetlight"


def stood(raised_us: int, cleared_us: int | None, asset: str = "D-1") -> Stood:
    return Stood(f"asset:{asset}", asset, "drain_high", "warning", raised_us, cleared_us)


def test_alarms_that_stand_at_the_same_time_are_one() -> None:
    active = [stood(10, 20), stood(50, 60), stood(80, None), stood(10, 20, "D-2")]
    candidate = [stood(15, 20), stood(50, 60), stood(85, 90), stood(100, 110), stood(30, 40, "D-2")]
    differs = alarms_differ(active, candidate)
    assert differs.same == 1
    assert [(each.raised_later_us, each.cleared_later_us) for each in differs.moved] == [(5, 0), (5, None)]
    assert differs.new == [stood(100, 110), stood(30, 40, "D-2")]
    assert differs.gone == [stood(10, 20, "D-2")]


def test_nothing_happened_and_nothing_differs() -> None:
    nothing = Outcome("v", [], [], [], {})
    found = difference(nothing, nothing)
    assert (found.commands, found.light, found.lamp_hours, found.alarms.new, found.alarms.same) == ([], [], [], [], 0)


def test_windows_end_at_their_width_at_cuts_and_at_changes() -> None:
    def change(at_us: int) -> int:
        return 17 if at_us < 17 else 1_000

    assert list(ends(0, 40, 10, [5, 12, 99], change)) == [5, 10, 12, 17, 20, 30, 40]
    assert list(ends(40, 40, 10, [], change)) == []


async def told(parts: Sequence[Columns]) -> AsyncIterator[Columns]:
    for each in parts:
        yield each


async def acknowledged(times: Sequence[int]) -> AsyncIterator[Acknowledged]:
    for at_us in times:
        yield Acknowledged(np.array([at_us]), np.array([2], np.int32), np.array([50.0]), np.array([at_us + 9]))


async def test_a_window_holds_what_was_said_before_its_end_and_nothing_twice() -> None:
    drains = [columns(DRAIN, [(1, 1, 0.1), (1, 9, 0.2)]), columns(DRAIN, [(1, 10, 0.3), (1, 25, 0.4)])]
    wish = Wish("w", 2, Settings(setpoint_pct=50), 8, 99, 22)
    found = [
        each
        async for each in windows(
            {DRAIN: told(drains), LAMP: told([])}, acknowledged([3, 12]), [wish], iter([10, 20, 30])
        )
    ]
    assert [each.columns[DRAIN].observed_us.tolist() for each in found] == [[1, 9], [10], [25]]
    assert [each.answers and each.answers.at_us.tolist() for each in found] == [[3], [12], None]
    assert [(len(each.overrides), len(each.ended)) for each in found] == [(1, 0), (0, 0), (0, 1)]
    assert all(LAMP not in each.columns for each in found)


def replayed(thresholds: Thresholds, since_us: int, notation: str) -> Outcome:
    replay = Replay(city([drain(1)], thresholds), since_us)
    samples = [(1, at_us, value) for at_us, value in series(notation, NOON_US, 300)]
    for at_us in range(NOON_US, NOON_US + 3 * HOUR_US, 5 * MINUTE_US):
        said = [each for each in samples if at_us <= each[1] < at_us + 5 * MINUTE_US]
        replay.take(Window(at_us + 5 * MINUTE_US, {DRAIN: columns(DRAIN, said)} if said else {}))
    return replay.outcome()


def test_another_delay_raises_later_and_what_stood_before_the_span_is_told_as_such() -> None:
    notation = "0.5x3 1.2x11 0.4x20"
    slow = Thresholds(drainage=replace(Drainage(), high_raise_delay_s=1_800))
    active, candidate = (replayed(each, NOON_US, notation).alarms for each in (Thresholds(), slow))
    (moved,) = alarms_differ(active, candidate).moved
    assert (moved.raised_later_us, moved.cleared_later_us) == (24 * MINUTE_US, 0)
    (before,) = replayed(Thresholds(), NOON_US + HOUR_US, notation).alarms
    assert before.raised_us < NOON_US + HOUR_US < (before.cleared_us or 0)
    assert replayed(Thresholds(), NOON_US + 155 * MINUTE_US, notation).alarms == []


def test_light_and_energy_are_what_is_wanted_times_what_a_lamp_draws() -> None:
    program = Lighting(programs=(DimmingProgram("standard", night_level_pct=40),))
    replay = Replay(
        city([lamp(1), lamp(2, zone="north"), lamp(3, device=None)], Thresholds(lighting=program)), MIDNIGHT_US
    )
    said = columns(LAMP, [(1, MIDNIGHT_US, 50.0), (2, MIDNIGHT_US, 10.0)])
    said.fields["power_w"][:] = 30.0
    replay.take(Window(MIDNIGHT_US))
    replay.take(Window(MIDNIGHT_US + HOUR_US, {LAMP: said}))
    replay.take(Window(MIDNIGHT_US + 2 * HOUR_US))
    found = replay.outcome()
    nowhere, north = found.light
    assert (nowhere.lamps, nowhere.lamps_known, nowhere.full_w) == (1, 1, 60.0)
    assert nowhere.kwh == pytest.approx(0.060 * 0.4 * 2)
    assert (north.lamps, north.lamps_known, north.level_hours) == (1, 0, pytest.approx(80.0))
    assert found.lamp_hours == {40: pytest.approx(4.0)}
    assert [(each.zone, each.program) for each in found.commands] == [("", "standard"), ("north", "standard")]
    assert all(each.number >= 3 for each in found.commands)


def test_a_zone_keeps_what_its_assets_look_at() -> None:
    town = city(
        [drain(1, zone="north", rain_from="drain_level-2"), drain(2, zone="south"), drain(3, zone="south"), bay(4)]
    )
    registry, chosen = scoped(town.registry, (Thresholds(),), "north", None)
    assert (set(registry.assets), chosen) == ({1, 2}, {"drain_level-1"})
    assert set(scoped(town.registry, (Thresholds(),), None, "parking_bay")[0].assets) == {4}
    with pytest.raises(NothingChosen):
        scoped(town.registry, (Thresholds(),), "north", "parking_bay")
