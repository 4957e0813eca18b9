"""What was known before a connection to the broker, until the broker repeats it or has had its time."""

from collections.abc import Iterable


class Unconfirmed:
    """Names that the broker has yet to repeat; what it does not repeat in time was taken away meanwhile.

    Times are real monotonic seconds.
    """

    def __init__(self, patience_s: float) -> None:
        """`patience_s`: the time that the broker has after a connection."""
        self._patience_s = patience_s
        self._names: set[str] = set()
        self._until_s = 0.0

    def connected(self, known: Iterable[str], now_s: float) -> None:
        """The broker is about to repeat all it retains."""
        self._names, self._until_s = set(known), now_s + self._patience_s

    def heard(self, name: str) -> None:
        """The broker has spoken of it."""
        self._names.discard(name)

    def taken_away(self, now_s: float) -> set[str]:
        """The names that were not repeated in time; each is told once."""
        if now_s <= self._until_s:
            return set()
        taken, self._names = self._names, set()
        return taken
