"""How much one request may make us do, and how it is told that it asks for more or for what is not there."""

from api.problems import Problem

PUBLIC_STEPS = 20_000
"""Entities looked at or written for one request of somebody unknown: about half a second of work."""
OPERATOR_STEPS = 400_000
"""The same for whoever has a token."""


def bad_query(detail: str) -> Problem:
    """400: what was asked is no query that we know."""
    return Problem(400, detail, slug="bad-query")


class Budget:
    """Steps left to one request."""

    def __init__(self, steps: int = PUBLIC_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        Raises:
            Problem: none are left.
        """
        self._left -= steps
        if self._left < 0:
            raise bad_query("The query asks for too much at once; ask with fewer expansions or a smaller $top.")
