"""What an operator has ordered for a zone until a moment: that it is closed, or that its alarms disturb nobody."""

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
