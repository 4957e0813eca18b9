"""The Observations of a Datastream through its history, read from the database as far as a page needs them.

Newest first unless asked otherwise. A page by time ends with a link that says from which moment to go on, so that the
thousandth page costs what the first does.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from api.standards.sensorthings.bounds import TIMES, Bounds, of_filter
from api.standards.sensorthings.budget import Budget, bad_query
from api.standards.sensorthings.entities import Entity
from api.standards.sensorthings.options import Options
from storage.series import Wanted
from telemetry.clock import to_datetime, to_rfc3339, to_us

READING_STEPS = 100
"""What a look into the database costs of a request's budget."""
CHUNK_ROWS = 1_000
SKIP_MAX = 10_000
"""By number no further; by moment as far as there is anything."""
SORTED_MAX = 100_000
"""Observations that may be put in order by their result."""
COUNTED_MAX = 1_000_000
NARROWER = "ask for a shorter time by $filter=phenomenonTime gt …"
FIRST_US = to_us(dt.datetime.min.replace(tzinfo=dt.UTC))
LAST_US = to_us(dt.datetime.max.replace(tzinfo=dt.UTC))

Value = tuple[dt.datetime, float | bool]


class Reader(Protocol):
    """Reads one property of one asset; called from a thread that may wait."""

    def read(self, wanted: Wanted) -> list[Value]:
        """Moments and values."""

    def count(self, wanted: Wanted, most: int) -> int:
        """How many there are, up to one more than `most`."""


@dataclass(frozen=True, slots=True)
class History:
    """Where the link `Observations` of a Datastream leads; walked over, it is the newest alone.

    `observation` makes an entity of a moment (RFC 3339) and a result.
    """

    reader: Reader
    newest: Entity
    observation: Callable[[str, float | bool], Entity]

    def __iter__(self) -> Iterator[Entity]:
        return iter((self.newest,))

    def may_hold(self, key: str) -> bool:
        """Whether an observation of this id would be one of these."""
        return key.rpartition(":")[0] == self.newest.id.rpartition(":")[0]

    def at(self, moment: dt.datetime) -> Entity | None:
        """The observation of a moment."""
        found = self.reader.read(Wanted(moment, moment + dt.timedelta(microseconds=1)))
        return self._entity(found[0]) if found else None

    def page(self, options: Options, budget: Budget) -> tuple[list[Entity], int | None, bool]:
        """The entities of a page, how many there are in all where that was asked, and whether there are more.

        Raises:
            Problem: it cannot be put in that order, or asks for too much.
            StorageError: the database is away or has no time for it.
        """
        bounds = self._bounds(options)
        condition = None if bounds.whole else options.condition
        wanted = _wanted(bounds, options)
        if options.skip > SKIP_MAX:
            raise bad_query(f"$skip is at most {SKIP_MAX} here: follow @iot.nextLink, or {NARROWER}.")
        if wanted.by_value and self.reader.count(wanted, SORTED_MAX) > SORTED_MAX:
            raise bad_query(f"At most {SORTED_MAX} observations are put in order by result: {NARROWER}.")
        count = self._count(wanted, condition, budget) if options.count else None
        here = _wanted(_from(bounds, options.after), options)
        if condition is None:
            found = self._read(replace(here, skip=options.skip, limit=options.top + 1), budget)
        else:
            found = list(
                itertools.islice(self._matching(here, condition, budget), options.skip, options.skip + options.top + 1)
            )
        return found[: options.top], count, len(found) > options.top > 0

    def _bounds(self, options: Options) -> Bounds:
        """What is asked of time and result; a result of another sort is compared as `filtering` compares."""
        bounds = of_filter(options.given.get("$filter"))
        truth = isinstance(self.newest.body["result"], bool)
        fitting = tuple(each for each in bounds.results if isinstance(each[1], bool) is truth)
        return replace(bounds, results=fitting, whole=bounds.whole and fitting == bounds.results)

    def _count(self, wanted: Wanted, condition: Callable[[Entity, Budget], bool] | None, budget: Budget) -> int:
        if condition is not None:
            return sum(1 for _ in self._matching(wanted, condition, budget))
        budget.spend(READING_STEPS)
        count = self.reader.count(wanted, COUNTED_MAX)
        if count > COUNTED_MAX:
            raise bad_query(f"At most {COUNTED_MAX} observations are counted: {NARROWER}.")
        return count

    def _matching(
        self, wanted: Wanted, condition: Callable[[Entity, Budget], bool], budget: Budget
    ) -> Iterator[Entity]:
        for skip in itertools.count(0, CHUNK_ROWS):
            found = self._read(replace(wanted, skip=skip, limit=CHUNK_ROWS), budget)
            yield from (each for each in found if condition(each, budget))
            if len(found) < CHUNK_ROWS:
                return

    def _read(self, wanted: Wanted, budget: Budget) -> list[Entity]:
        budget.spend(READING_STEPS)
        found = self.reader.read(wanted)
        budget.spend(len(found))
        return [self._entity(each) for each in found]

    def _entity(self, value: Value) -> Entity:
        return self.observation(to_rfc3339(to_us(value[0])), value[1])


def next_options(options: Options, last: Entity) -> dict[str, str | None]:
    """By which options the page after one is asked for; `None` leaves one out."""
    if any(path[0] == "result" for path, _ in options.order):
        return {"$skip": str(options.skip + options.top)}
    how = "lt" if _is_down(options) else "gt"
    return {"$skip": None, "$skipFilter": f"phenomenonTime {how} {last.body['phenomenonTime']}"}


def _wanted(bounds: Bounds, options: Options) -> Wanted:
    """What the database is asked for: what lies within the bounds, in the order of the options.

    Raises:
        Problem: it knows no such order.
    """
    names = [path[0] if len(path) == 1 else "" for path, _ in options.order]
    if (
        not set(names) <= {*TIMES, "result", "id", "@iot.id"}
        or "result" in names[1:]
        or len({down for _, down in options.order}) > 1
    ):
        raise bad_query("Observations of a Datastream are put in order by phenomenonTime or by result, all one way.")
    return Wanted(
        since=_moment(bounds.since_us),
        until=_moment(bounds.until_us),
        results=bounds.results,
        by_value="result" in names,
        down=_is_down(options),
    )


def _is_down(options: Options) -> bool:
    return options.order[0][1] if options.order else True


def _from(bounds: Bounds, after: tuple[str, int] | None) -> Bounds:
    if after is None:
        return bounds
    how, us = after
    return bounds.within(us + 1, LAST_US + 1) if how == "gt" else bounds.within(FIRST_US - 1, us)


def _moment(us: int) -> dt.datetime | None:
    """`None` where nothing can lie beyond."""
    return to_datetime(us) if FIRST_US <= us <= LAST_US else None
