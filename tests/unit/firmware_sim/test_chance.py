"""Chance is seeded and has no hidden state."""

import math
import statistics

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.chance import Chance

NUMBERS = st.integers(min_value=-(2**40), max_value=2**40)


@given(seed=st.integers(), n=NUMBERS)
def test_the_same_draw_is_the_same_number(seed: int, n: int) -> None:
    assert Chance.seeded("lamp", seed).unit(n) == Chance.seeded("lamp", seed).unit(n)


@given(n=NUMBERS)
def test_a_unit_draw_lies_in_the_unit_interval(n: int) -> None:
    assert 0.0 <= Chance.seeded("a").unit(n) < 1.0


def test_draws_are_spread_evenly() -> None:
    chance = Chance.seeded("spread")
    draws = [chance.unit(n) for n in range(4_000)]
    tenths = [sum(1 for draw in draws if tenth <= draw * 10 < tenth + 1) for tenth in range(10)]
    assert all(300 < count < 500 for count in tenths)


def test_sources_of_different_words_are_unrelated() -> None:
    one, other = Chance.seeded("a", 1), Chance.seeded("a", 2)
    same = sum(1 for n in range(1_000) if one.happens(0.5, n) == other.happens(0.5, n))
    assert 430 < same < 570


def test_distributions_have_their_means() -> None:
    chance = Chance.seeded("means")
    numbers = range(4_000)
    assert math.isclose(statistics.fmean(chance.exponential(3.0, n) for n in numbers), 3.0, rel_tol=0.08)
    assert math.isclose(statistics.fmean(chance.poisson(2.5, n) for n in numbers), 2.5, rel_tol=0.08)
    assert math.isclose(statistics.fmean(chance.poisson(80.0, n) for n in numbers), 80.0, rel_tol=0.02)
    assert math.isclose(statistics.median(chance.lognormal(40.0, 0.8, n) for n in numbers), 40.0, rel_tol=0.08)
    assert abs(statistics.fmean(chance.normal(0.0, 1.0, n) for n in numbers)) < 0.06
