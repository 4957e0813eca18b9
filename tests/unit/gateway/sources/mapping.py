"""How the values of a published vector are compared with ours: their path to our path, with the unit's factor.

One module a source of vectors. Its `FIELDS` has a dict for each device, named as the file in `data/lorawan`; each entry
names one of their values by its path (`status.dali_error`, list members by number, `*` for any one step):

    "distance": To("distance_m", 0.001)     ours is theirs × 0.001; a text such as "2799 mm" counts as its number
    "resetCause": To("reset_cause", words={"power on": "power_on"})
    "tag": To("tag", read=str.upper)
    "fillLevel": "needs the tank's height"  left out, and why
    "dim.*.level": To("dim.*.level_pct")    the steps that `*` stood for are filled in

Every value of a vector has to be named by an entry or by one of the source's `ANYWHERE`; what an entry maps has to be
in our answer too. `DOWNLINKS` does the same for what a downlink's bytes say; there a value without entry is compared
with ours of the same path.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class To:
    """Our path for one of their values, and how theirs becomes ours."""

    path: str
    factor: float = 1.0
    offset: float = 0.0
    words: Mapping[Any, Any] | None = None
    read: Callable[[Any], Any] | None = None

    def agrees(self, theirs: Any, ours: Any) -> bool:
        """Whether their value, converted, is ours."""
        if self.words is not None:
            return bool(self.words.get(theirs, _NOTHING) == ours)
        if self.read is not None:
            theirs = self.read(theirs)
        if isinstance(ours, bool):
            return theirs in (0, 1) and bool(theirs) is ours
        if isinstance(ours, int | float) and not isinstance(theirs, bool):
            number = _number(theirs)
            return number is not None and math.isclose(
                number * self.factor + self.offset, ours, rel_tol=1e-6, abs_tol=1e-6
            )
        return bool(theirs == ours)


Entry = To | str
_NOTHING = object()


def _number(theirs: Any) -> float | None:
    if isinstance(theirs, str):
        match = re.match(r"\s*(-?\d+(?:\.\d+)?)", theirs)
        return float(match[1]) if match else None
    return theirs if isinstance(theirs, int | float) else None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each plain value within a JSON value with its dotted path; empty objects, lists and nulls say nothing."""
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from leaves(member, f"{path}.{name}" if path else str(name))
    elif value is not None:
        yield path, value


def entry_for(path: str, entries: Mapping[str, Entry]) -> Entry | None:
    """The entry that names this path, with `*` filled in; `None` if there is none."""
    if path in entries:
        return entries[path]
    for pattern, entry in entries.items():
        match = "*" in pattern and re.fullmatch(re.escape(pattern).replace(r"\*", r"([^.]+)"), path)
        if match:
            if isinstance(entry, str):
                return entry
            target = entry.path
            for step in match.groups():
                target = target.replace("*", step, 1)
            return replace(entry, path=target)
    return None
