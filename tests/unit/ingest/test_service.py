"""The service's own keeping of house."""

import gc
import weakref

from ingest.service import FLOW_S, Flow, set_apart
from telemetry.limits import BATCH_AGE_MS_MAX, BATCH_LINGER_MS_MAX, FLOOD_PER_S


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_set_apart_and_is_garbage_by_now_goes() -> None:
    """It stayed for ever: with every change of the registry a little more."""
    ring = Ring()
    seen = weakref.ref(ring)
    gc.unfreeze()  # what the tests' own start set apart
    set_apart()
    assert gc.get_freeze_count()
    del ring
    set_apart()
    assert seen() is None


def test_only_a_flood_makes_batches_linger_the_longer_the_higher_it_is() -> None:
    def age_ms(per_s: float) -> float:
        flow = Flow(0.0)
        for number in range(1, 200):
            flow.add(round(per_s * 0.02), number * 0.02)
        return flow.age_ms

    assert age_ms(0) == age_ms(0.99 * FLOOD_PER_S) == BATCH_AGE_MS_MAX
    assert BATCH_AGE_MS_MAX < age_ms(1.1 * FLOOD_PER_S) < age_ms(1.2 * FLOOD_PER_S) < BATCH_LINGER_MS_MAX
    assert age_ms(1.3 * FLOOD_PER_S) == age_ms(9 * FLOOD_PER_S) == BATCH_LINGER_MS_MAX


def test_what_piled_up_while_nothing_came_through_is_no_flood() -> None:
    """What comes is counted over all of the time, so that a jam and what breaks out of it are one with their mean."""
    flow, rate = Flow(0.0), 0.8 * FLOOD_PER_S
    now_s = 0.0
    for took_s in (0.02, 0.5, 0.02, 0.02, 0.1):
        now_s += took_s
        flow.add(round(rate * took_s), now_s)
        assert flow.age_ms == BATCH_AGE_MS_MAX
    flow.add(100_000, now_s + 60 * FLOW_S)
    assert flow.per_s < FLOOD_PER_S
