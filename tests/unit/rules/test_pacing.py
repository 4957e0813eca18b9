"""How fleet commands are spread, so that no radio network is flooded, and in which order they go out."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules import pacing
from rules.inputs import Inputs, Override
from rules.pacing import Room
from telemetry.clock import HOUR_US, SECOND_US
from telemetry.commands import Settings
from telemetry.thresholds import Commanding, Thresholds
from tests.parts.cities import MIDNIGHT_US, NOON_US, Life, city, lamp

FIGURES = Commanding(zone_commands_per_s=10, commands_per_s=15)


def town(lamps: int, *zones: str) -> Life:
    """So many lamps in each zone, that have been told their level of the day."""
    listed = [lamp(1 + number, zone=zones[number % len(zones)]) for number in range(lamps * len(zones))]
    life = Life(city(listed, Thresholds(commanding=FIGURES)))
    dusk_us = life.city.sun.next_change_us(NOON_US)
    for seconds in range(-60, -1):
        life.step(dusk_us + seconds * SECOND_US)
    life.step(dusk_us - SECOND_US // 10)
    life.effects.clear()
    return life


def seconds_of(life: Life, begin_us: int) -> Counter[int]:
    """How many commands went out in each second from a moment on."""
    return Counter((each.at_us - begin_us) // SECOND_US for each in life.sent())


def test_at_dusk_a_town_is_switched_at_the_pace_of_its_zones_and_of_all() -> None:
    life = town(60, "east", "west")
    dusk_us = life.city.sun.next_change_us(NOON_US)
    for tenths in range(200):
        life.step(dusk_us + tenths * SECOND_US // 10)
    assert len(life.sent()) == 120
    assert max(seconds_of(life, dusk_us).values()) <= 16
    for zone in ("east", "west"):
        mine = [each.at_us for each in life.sent() if life.city.registry.assets[each.asset_id].zone == zone]
        assert max(Counter((at_us - dusk_us) // SECOND_US for at_us in mine).values()) <= 11


def test_a_small_zone_does_not_wait_behind_a_large_one() -> None:
    numbers = [(1 + each, "large") for each in range(200)] + [(201 + each, "small") for each in range(5)]
    life = Life(city([lamp(number, zone=zone) for number, zone in numbers], Thresholds(commanding=FIGURES)))
    life.step(MIDNIGHT_US)
    told = {each.asset_id for each in life.sent()}
    assert {201 + each for each in range(5)} <= told
    assert len(told) < 100


def test_a_zone_on_a_slow_radio_has_a_pace_of_its_own() -> None:
    own = {"slow": {"commanding": {"zone_commands_per_s": 0.5}}}
    lamps = [lamp(1 + number, zone=("fast", "slow")[number % 2]) for number in range(40)]
    life = Life(city(lamps, Thresholds(zones=own)))
    for seconds in range(21):
        life.step(MIDNIGHT_US + seconds * SECOND_US)
    told = Counter(life.city.registry.assets[each.asset_id].zone for each in life.sent())
    assert told["fast"] == 20
    assert 11 <= told["slow"] <= 13


def test_an_order_for_a_zone_goes_out_at_the_same_pace_and_before_the_program() -> None:
    life = town(50, "east")
    now_us = life.city.sun.next_change_us(NOON_US)
    wishes = [Override(f"o{each}", each, Settings(setpoint_pct=100), now_us + HOUR_US) for each in range(1, 51)]
    life.step(now_us, Inputs(overrides=wishes))
    for tenths in range(1, 60):
        life.step(now_us + tenths * SECOND_US // 10)
    assert {each.reason for each in life.sent()} == {"override"}
    assert len(life.sent()) == 50
    assert max(seconds_of(life, now_us).values()) <= 11


def test_an_order_that_ends_before_its_turn_is_never_sent() -> None:
    life = town(50, "east")
    now_us = life.city.sun.next_change_us(NOON_US)
    wishes = [Override(f"o{each}", each, Settings(setpoint_pct=100), now_us + 2 * SECOND_US) for each in range(1, 51)]
    life.step(now_us, Inputs(overrides=wishes))
    for tenths in range(1, 100):
        life.step(now_us + tenths * SECOND_US // 10)
    sent = [each for each in life.sent() if each.reason == "override"]
    assert 0 < len(sent) < 50
    assert all(each.at_us < each.expires_us for each in life.sent())
    ended = [each for each in life.moved() if each.error == "It ended before it was its turn to go out."]
    assert len(ended) == 50 - len(sent)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=60),
    st.integers(0, 8),
    st.integers(0, 30),
)
def test_turns_keep_the_room_and_pass_over_nobody_who_waited_longer(
    waiting: list[tuple[int, int]], zone_room: int, all_room: int
) -> None:
    zone = np.array([each for each, _ in waiting], np.int32)
    since = np.array([each for _, each in waiting], np.int64)
    turn = pacing.take(Room(np.full(5, zone_room, np.int32), all_room), zone, since, np.arange(len(waiting)))
    assert len(turn) == len(set(turn.tolist())) <= all_room
    assert all(count <= zone_room for count in Counter(zone[turn].tolist()).values())
    for place in set(range(len(waiting))) - set(turn.tolist()):
        for chosen in turn.tolist():
            assert zone[chosen] != zone[place] or since[chosen] <= since[place]
