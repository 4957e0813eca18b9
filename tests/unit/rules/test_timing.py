"""Latches: on-delay, off-delay, deadband."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.timing import Delays, Latch, fire, observe

ROW = np.array([0], np.intp)
RAISE, CLEAR = 10.0, 8.0

samples = st.lists(st.tuples(st.integers(1, 50), st.sampled_from([7.0, 8.0, 9.0, 9.9, 10.0, 11.0])), max_size=60)
delays = st.builds(Delays, st.integers(0, 120), st.integers(0, 120))


def turns(steps: list[tuple[int, float]], delays: Delays) -> list[tuple[int, bool]]:
    """When a latch turned, and whether it rose; `steps` are (time since the last sample, value)."""
    latch, now, found = Latch.blank(1), 0, []
    for wait, value in steps:
        now += wait
        at, level = np.array([now]), np.array([value])
        found += [(int(due), bool(latch.active[0])) for due in fire(latch, ROW, now, delays).at_us]
        observe(latch, ROW, at, level, level >= RAISE, level < CLEAR)
        found += [(int(due), bool(latch.active[0])) for due in fire(latch, ROW, now, delays).at_us]
    return found


def held(steps: list[tuple[int, float]], until: int, condition: str) -> int:
    """For how long before a time every sample, and the one in force at its begin, met a condition."""
    now, since = 0, None
    for wait, value in steps:
        now += wait
        if now > until:
            break
        met = value >= RAISE if condition == "raise" else value < CLEAR
        if not met and now < until:
            since = None
        elif met and since is None:
            since = now
    return -1 if since is None else until - since


@given(samples, delays)
def test_nothing_turns_without_its_condition_held_for_the_delay(steps: list[tuple[int, float]], delays: Delays) -> None:
    for at, rose in turns(steps, delays):
        delay = delays.on_us if rose else delays.off_us
        assert held(steps, at, "raise" if rose else "clear") >= delay


@given(samples, delays)
def test_a_latch_rises_and_falls_in_turn(steps: list[tuple[int, float]], delays: Delays) -> None:
    rises = [rose for _, rose in turns(steps, delays)]
    assert rises == [number % 2 == 0 for number in range(len(rises))]


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([8.0, 8.5, 9.0, 9.9]))), delays, st.booleans())
def test_inside_the_deadband_nothing_oscillates(steps: list[tuple[int, float]], delays: Delays, high: bool) -> None:
    begin = [(1, 11.0), (500, 11.0)] if high else [(1, 7.0), (500, 7.0)]
    settled = len(turns(begin, delays))
    assert len(turns(begin + steps, delays)) == settled
