"""What an operator has ordered for a zone until a moment: that it is closed, or that its alarms disturb nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

CLOSURE, MAINTENANCE = "closure", "maintenance"
"""The bays of the zone are closed; alarms about it are recorded, but nobody is notified."""


@dataclass(frozen=True, slots=True)
class Measure:
    """In force from `from_us` (inclusive) to `until_us` (exclusive); `what` is `CLOSURE` or `MAINTENANCE`."""

    id: str
    zone: str
    what: str
    from_us: int
    until_us: int
    note: str = ""
    by: str = ""


def in_force(measures: Iterable[Measure], what: str, at_us: int) -> frozenset[str]:
    """The zones for which something is ordered at a moment."""
    return frozenset(each.zone for each in measures if each.what == what and each.from_us <= at_us < each.until_us)
