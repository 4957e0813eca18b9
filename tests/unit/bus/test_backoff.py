"""Attempts grow rarer, within bounds, and never in step."""

from hypothesis import given
from hypothesis import strategies as st

from bus.backoff import Backoff


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
def test_waits_stay_between_half_the_first_and_the_last(chances: list[float]) -> None:
    draws = iter(chances)
    backoff = Backoff(0.1, 10, lambda: next(draws))
    for index in range(len(chances)):
        bound = min(10, 0.1 * 2**index)
        assert bound / 2 <= backoff.next_s() <= bound


def test_a_success_begins_anew() -> None:
    backoff = Backoff(0.1, 10, lambda: 0.999)
    waits = [backoff.next_s() for _ in range(5)]
    backoff.succeeded()
    assert backoff.next_s() == waits[0]
