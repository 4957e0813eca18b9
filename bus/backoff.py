"""How long to wait before the next attempt: doubling, bounded, with jitter so that not all clients return at once."""

import random
from collections.abc import Callable

FIRST_S = 0.1
LAST_S = 10.0


class Backoff:
    """Waits in seconds of real time: each up to twice the one before, at least half of its bound."""

    def __init__(
        self, first_s: float = FIRST_S, last_s: float = LAST_S, chance: Callable[[], float] = random.random
    ) -> None:
        self._first_s, self._last_s, self._chance = first_s, last_s, chance
        self._bound_s = first_s

    def next_s(self) -> float:
        """The wait before the next attempt."""
        bound_s = self._bound_s
        self._bound_s = min(self._last_s, bound_s * 2)
        return bound_s * (0.5 + self._chance() / 2)

    def succeeded(self) -> None:
        """Begin anew with the shortest wait."""
        self._bound_s = self._first_s
