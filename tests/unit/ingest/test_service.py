"""The service's own keeping of house."""

import gc
import weakref

from ingest.service import set_apart


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_set_apart_and_is_garbage_by_now_goes() -> None:
    """It stayed for ever: with every change of the registry a little more."""
    ring = Ring()
    seen = weakref.ref(ring)
    try:
        set_apart()
        assert gc.get_freeze_count()
        del ring
        set_apart()
        assert seen() is None
    finally:
        gc.unfreeze()
