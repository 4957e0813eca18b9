"""Figures and what they must reach: medians with their spread, ratios of pairs, targets met or missed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Series:
    """The same figure of several rounds."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Series":
        """A series of these values."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle."""
        return statistics.median(self.values)

    def over(self, other: "Series") -> "Series":
        """The ratio in each round: both had their turn in it, so what troubled the machine troubled both."""
        return Series(tuple(mine / its for mine, its in zip(self.values, other.values, strict=True)))

    def text(self, form: str = ",.0f", unit: str = "") -> str:
        """The median, with the least and the greatest."""
        low, high = min(self.values), max(self.values)
        spread = f" ({low:{form}} to {high:{form}})" if len(self.values) > 1 else ""
        return f"{self.median:{form}}{unit}{spread}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure must reach. `at_least` tells a floor from a ceiling; `unit` follows both numbers."""

    number: int
    what: str
    value: float
    limit: float
    at_least: bool
    unit: str = ""
    form: str = ",.3g"

    @classmethod
    def claim(cls, number: int, what: str, holds: bool) -> "Target":
        """One that is a statement, not a figure."""
        return cls(number, what, holds, True, True)

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def text(self) -> str:
        """One line for people."""
        if self.limit is True:
            return f"{'met' if self.met else 'MISSED'}: {self.what}"
        bound = "at least" if self.at_least else "at most"
        value, limit = f"{self.value:{self.form}}{self.unit}", f"{self.limit:{self.form}}{self.unit}"
        return f"{'met' if self.met else 'MISSED'}: {self.what}: {value} ({bound} {limit})"


@dataclass
class Table:
    """Rows of words under a head."""

    head: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)


@dataclass
class Section:
    """One part of the page: what was done, a table, targets; `costs` are figures that the sizing needs."""

    title: str
    words: str
    table: Table
    targets: list[Target] = field(default_factory=list)
    costs: dict[str, Any] = field(default_factory=dict)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
