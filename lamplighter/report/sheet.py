"""What a report is: columns of rows, a plot of bars and a verdict, in every language at once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lamplighter.report.words import Language, Words

Value = int | float | str
"""A figure, or text that stands as it is."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """`name` is that of the CSV, `heading` that of the page, `meaning` a sentence on it.

    `value` is what stands in it for a row; the page shows a float with so many `digits` after the point.
    """

    name: Words
    heading: Words
    meaning: Words
    value: Callable[[Row], Value | Words]
    digits: int = 1

    def cell(self, row: Row, language: Language) -> Value:
        """What stands in the column for a row."""
        value = self.value(row)
        return value if isinstance(value, Value) else value[language]


@dataclass(frozen=True, slots=True)
class Series:
    """One part of every bar; `values` are 0 or more."""

    name: Words
    colour: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of stacked parts, one for each name."""

    caption: Words
    names: Sequence[str]
    series: Sequence[Series]


def of_wholes(
    caption: Words,
    rows: Sequence[Row],
    *,
    name: Callable[[Row], str],
    part: Callable[[Row], float],
    whole: Callable[[Row], float],
    called: tuple[Words, Words],
    rest_colour: str,
) -> Bars:
    """Bars of a part and the rest of its whole, as both are `called`; rows of one name are summed up."""
    parts, wholes = defaultdict[str, float](float), defaultdict[str, float](float)
    for row in rows:
        parts[name(row)] += part(row)
        wholes[name(row)] += whole(row)
    names = sorted(wholes)
    taken = Series(called[0], "#2b6c8f", [round(parts[each]) for each in names])
    rest = Series(called[1], rest_colour, [max(0, round(wholes[each] - parts[each])) for each in names])
    return Bars(caption, names, [taken, rest])


@dataclass(frozen=True, slots=True)
class Report(Generic[Row]):
    """A report on the days of `span`; `verdict` is the sentence that matters, `bad` the positions of rows that are."""

    title: Words
    lead: Words
    span: str
    verdict: Words
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    bars: Bars
    bad: Collection[int] = ()

    def table(self, language: Language) -> list[list[Value]]:
        """The report as CSV has it: the names of the columns, then the rows."""
        names: list[Value] = [column.name[language] for column in self.columns]
        return [names, *([column.cell(row, language) for column in self.columns] for row in self.rows)]
