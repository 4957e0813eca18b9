"""Free bays: dwell, first states, missed edges, silence, and a zone's word."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from rules.city import City
from rules.effects import Count, ForgetZone
from telemetry.availability import Bays
from telemetry.clock import SECOND_US, to_rfc3339, to_us
from telemetry.registry import Asset
from tests.parts.cities import NOON_US, Life, bay, city
from tests.parts.series import Sample

FREE, TAKEN = 0.0, 1.0


def at(seconds: float) -> int:
    return NOON_US + round(seconds * SECOND_US)


def said(life: Life, field: str = "free") -> list[tuple[float, int]]:
    """The values that a zone said of a field, each with the seconds since noon at which it first held."""
    found: list[tuple[float, int]] = []
    for word in life.words():
        value = getattr(word, field)
        if not found or found[-1][1] != value:
            found.append((_seconds(word.updated_at), value))
    return found


def _seconds(moment: str) -> float:
    return (to_us(datetime.fromisoformat(moment)) - NOON_US) / SECOND_US


def live(life: Life, samples: list[tuple[int, float, float]], until_s: float, tick_s: float = 5) -> Life:
    """Samples (bay, seconds, value) arriving as they are taken, and a tick of the clock in between."""
    waiting = sorted((at(seconds), number, value) for number, seconds, value in samples)
    now_us = NOON_US
    while now_us <= at(until_s):
        ripe = [each for each in waiting if each[0] <= now_us]
        waiting = waiting[len(ripe) :]
        life.observe(now_us, "parking_bay", [(number, at_us, value) for at_us, number, value in ripe])
        now_us += round(tick_s * SECOND_US)
    return life


def exact(*bays: int) -> Life:
    """A life in which everything is heard at once."""
    return Life(city([bay(number) for number in bays or (1,)]), settle_s=0)


def test_before_anything_is_heard_all_is_unknown() -> None:
    life = exact(1, 2)
    life.step(NOON_US)
    (word,) = life.words()
    assert (word.capacity, word.free, word.free_min, word.free_max, word.unknown) == (2, 0, 0, 2, 2)
    assert word.verified_at is None


def test_the_first_state_counts_at_once() -> None:
    assert said(live(exact(), [(1, 10, FREE)], 30)) == [(0, 0), (10, 1)]


def test_a_car_counts_after_thirty_seconds() -> None:
    assert said(live(exact(), [(1, 0, FREE), (1, 100, TAKEN)], 200)) == [(0, 1), (130, 0)]


def test_a_bay_is_free_again_after_sixty_seconds() -> None:
    assert said(live(exact(), [(1, 0, TAKEN), (1, 100, FREE)], 200)) == [(0, 0), (160, 1)]


def test_a_car_that_only_passes_does_not_count() -> None:
    assert said(live(exact(), [(1, 0, FREE), (1, 100, TAKEN), (1, 125, FREE)], 300)) == [(0, 1)]


def test_dwell_runs_by_event_time_where_nothing_is_heard_in_between() -> None:
    life = exact()
    rows = [(1, at(0), FREE), (1, at(100), TAKEN), (1, at(900), FREE)]
    life.observe(at(1000), "parking_bay", rows, settled_us=at(1000))
    assert said(life) == [(0, 1), (130, 0), (1000, 1)]


def test_a_heartbeat_that_differs_reveals_a_missed_edge() -> None:
    life = live(exact(), [(1, 0, FREE), (1, 900, TAKEN)], 1000)
    assert said(life) == [(0, 1), (930, 0)]
    assert [each.number for each in life.effects if isinstance(each, Count)] == [1]


def test_an_edge_between_heartbeats_is_no_missed_one() -> None:
    life = live(exact(), [(1, 0, FREE), (1, 500, TAKEN)], 1000)
    assert not [each for each in life.effects if isinstance(each, Count)]


def test_a_silent_bay_is_unknown_never_free() -> None:
    life = live(exact(), [(1, 0, FREE)], 3000, tick_s=100)
    assert said(life) == [(0, 1), (2700, 0)]
    assert said(life, "unknown")[-1] == (2700, 1)
    assert said(life, "free_max") == [(0, 1)]


def test_after_unknown_the_first_state_counts_at_once() -> None:
    assert said(live(exact(), [(1, 0, FREE), (1, 3000, FREE)], 3100, tick_s=100))[-1] == (3000, 1)


def test_free_min_counts_only_what_was_heard_within_a_heartbeat() -> None:
    life = live(exact(1, 2), [(1, 0, FREE), (2, 0, FREE), (2, 800, FREE)], 1600, tick_s=100)
    assert said(life, "free_min") == [(0, 2), (900, 1)]
    assert said(life, "free") == [(0, 2)]


def test_verified_at_is_the_oldest_sign_of_life_of_a_known_bay() -> None:
    life = live(exact(1, 2, 3), [(1, 5, FREE), (2, 10, TAKEN)], 60)
    assert life.words()[-1].verified_at == to_rfc3339(at(5))


def test_reserved_bays_count_only_under_restricted() -> None:
    reserved = [
        bay(1),
        bay(2, reserved_for="disabled"),
        bay(3, reserved_for="charging"),
        bay(4, reserved_for="charging"),
    ]
    life = live(Life(city(reserved), settle_s=0), [(1, 0, FREE), (2, 0, FREE), (3, 0, TAKEN)], 10)
    word = life.words()[-1]
    assert (word.capacity, word.free) == (1, 1)
    assert (word.restricted["disabled"].capacity, word.restricted["disabled"].free) == (1, 1)
    charging = word.restricted["charging"]
    assert (charging.capacity, charging.free, charging.free_max, charging.occupied, charging.unknown) == (2, 0, 1, 1, 1)


def test_a_zone_without_reserved_bays_says_that_there_are_none() -> None:
    restricted = live(exact(1), [(1, 0, FREE)], 10).words()[-1].restricted
    assert restricted == {whom: Bays(0, 0, 0, 0, 0, 0) for whom in ("disabled", "charging")}


@pytest.mark.parametrize(("turn", "trend"), [((FREE, TAKEN), "filling"), ((TAKEN, FREE), "emptying")])
def test_a_zone_is_filling_or_emptying(turn: tuple[float, float], trend: str) -> None:
    first, then = turn
    samples = [(number, 0, first) for number in (1, 2, 3)] + [(number, 100, then) for number in (1, 2)]
    life = live(exact(1, 2, 3), samples, 1500, tick_s=20)
    trends = [(word.trend, _seconds(word.updated_at)) for word in life.words()]
    assert trends[0][0] == "steady"
    assert trend in [each for each, _ in trends]
    assert trends[-1][0] == "steady"


def test_a_single_bay_that_turns_is_no_trend() -> None:
    life = live(exact(1, 2, 3), [(n, 0, FREE) for n in (1, 2, 3)] + [(1, 100, TAKEN)], 300)
    assert {word.trend for word in life.words()} == {"steady"}


def test_a_zone_repeats_its_word_within_half_its_time_to_live() -> None:
    life = live(exact(), [(1, 0, FREE)], 300)
    moments = [_seconds(word.updated_at) for word in life.words()]
    assert moments == [0, *range(30, 301, 30)]


def test_a_word_holds_for_the_moment_it_names() -> None:
    life = Life(city([bay(1)]), settle_s=600)
    samples: list[Sample] = [(at(0), FREE), (at(100), TAKEN), (at(500), FREE)]
    for at_us, value in samples:
        life.observe(at_us + SECOND_US, "parking_bay", [(1, at_us, value)])
    for seconds in range(510, 1400, 10):
        life.step(at(seconds))
    assert [free for _, free in said(life)] == [0, 1, 0, 1]
    for word in life.words():
        moment = _seconds(word.updated_at)
        assert word.free == (0 <= moment < 130 or moment >= 560)


def test_of_a_long_step_each_quiet_moment_is_told() -> None:
    life = exact()
    rows = [(1, at(0), FREE), (1, at(100), TAKEN), (1, at(800), FREE)]
    life.observe(at(1000), "parking_bay", rows, settled_us=at(-50))
    life.step(at(1000), settled_us=at(1000))
    assert said(life) == [(-50, 0), (0, 1), (130, 0), (1000, 1)]


def test_a_zone_without_bays_is_forgotten() -> None:
    life = live(exact(), [(1, 0, FREE)], 10)
    life.city = city([bay(1, zone="harbour")], version=2)
    effects = life.step(at(60))
    assert [each.id for each in effects if isinstance(each, ForgetZone)] == ["market"]
    assert [(word.zone, word.free) for word in life.words()[-1:]] == [("harbour", 1)]


def test_a_bay_without_zone_harms_nobody() -> None:
    life = live(Life(city([bay(1, zone=None), bay(2)]), settle_s=0), [(1, 0, FREE), (2, 0, FREE)], 60)
    assert life.words()[-1].capacity == 1


def market(bays: list[Asset], version: int = 1, **face: Any) -> City:
    """A city with a market of these bays, whose name or place is another."""
    town = city(bays, version=version)
    zones = {"market": replace(town.registry.zones["market"], **face)}
    return replace(town, registry=replace(town.registry, zones=zones))


@pytest.mark.parametrize(
    "changed",
    [
        [bay(1), bay(2), bay(3)],
        [bay(1)],
        [bay(1), bay(2, reserved_for="disabled")],
        [replace(bay(1), lat=1.0, lon=2.0), bay(2)],
    ],
)
def test_a_zone_whose_bays_changed_speaks_at_once(changed: list[Asset]) -> None:
    life = Life(market([bay(1), bay(2)], lat=None, lon=None), settle_s=0)
    life.step(at(0))
    life.city = market(changed, version=2, lat=None, lon=None)
    life.step(at(1))
    assert len(life.words()) == 2


@pytest.mark.parametrize("face", [{"name": "Neuer Markt"}, {"lat": 52.0}, {}])
def test_a_zone_speaks_at_once_only_when_its_own_name_or_place_changed(face: dict[str, Any]) -> None:
    life = exact(1, 2)
    life.step(at(0))
    life.city = market([bay(1), bay(2)], version=2, **face)
    life.step(at(1))
    assert len(life.words()) == (2 if face else 1)


def test_a_bay_whose_device_was_taken_away_is_unknown() -> None:
    life = live(exact(), [(1, 0, FREE)], 30)
    life.city = city([bay(1, device=None)], version=2)
    life.step(at(40))
    life.step(at(41))
    assert said(life)[-1] == (40, 0)
    assert life.words()[-1].unknown == 1
