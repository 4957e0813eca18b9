"""What a `$filter` of Observations asks of time and result alone, so that the database can look for it.

Only comparisons joined by `and` are understood; the rest of an expression is left to `filtering`, row by row.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.standards.sensorthings.filtering import tokens
from telemetry.clock import to_us

TIMES = ("phenomenonTime", "resultTime")
"""For us both are the moment of the observation."""
TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
US_MAX = 2**62

Token = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Observations in [since, until), microseconds since 1970, whose result compares so with each of `results`.

    `whole`: nothing else was asked for.
    """

    since_us: int = -US_MAX
    until_us: int = US_MAX
    results: tuple[tuple[str, float | bool], ...] = ()
    whole: bool = True

    def within(self, since_us: int, until_us: int) -> "Bounds":
        """The same within a span."""
        return replace(self, since_us=max(self.since_us, since_us), until_us=min(self.until_us, until_us))


def of_filter(text: str | None) -> Bounds:
    """The bounds of an expression that `filtering.parse` understands; `None` asks nothing."""
    return Bounds() if text is None else _of(Bounds(), list(tokens(text)))


def _of(bounds: Bounds, found: Sequence[Token]) -> Bounds:
    parts = _parts(found)
    if parts is None:
        return replace(bounds, whole=False)
    for part in parts:
        bounds = _of(bounds, part[1:-1]) if _is_bracketed(part) else _compared(bounds, part)
    return bounds


def _parts(found: Sequence[Token]) -> list[Sequence[Token]] | None:
    """What `and` joins outside of brackets; `None` where something else joins or negates it."""
    parts, begin, depth = [], 0, 0
    for at, (sort, text) in enumerate(found):
        if sort == "mark":
            depth += {"(": 1, ")": -1}.get(text, 0)
        elif depth == 0 and sort == "word" and text in ("or", "not"):
            return None
        elif depth == 0 and (sort, text) == ("word", "and"):
            parts.append(found[begin:at])
            begin = at + 1
    return [*parts, found[begin:]]


def _is_bracketed(part: Sequence[Token]) -> bool:
    """Whether brackets stand around all of it."""
    depth = 0
    for at, token in enumerate(part):
        depth += {("mark", "("): 1, ("mark", ")"): -1}.get(token, 0)
        if depth == 0:
            return at > 0 and at == len(part) - 1
    return False


def _compared(bounds: Bounds, part: Sequence[Token]) -> Bounds:
    if len(part) != 3 or part[1][1] not in TURNED:
        return replace(bounds, whole=False)
    (_, name), (_, how), value = part
    if value[0] == "word" and value[1] not in ("true", "false"):
        (_, name), how, value = value, TURNED[how], part[0]
    if name in TIMES and value[0] == "moment" and how != "ne":
        us = to_us(dt.datetime.fromisoformat(value[1]))
        return bounds.within(
            {"gt": us + 1, "ge": us, "eq": us}.get(how, -US_MAX),
            {"lt": us, "le": us + 1, "eq": us + 1}.get(how, US_MAX),
        )
    if name == "result" and (value[0] == "number" or value[1] in ("true", "false")):
        wanted = value[1] == "true" if value[0] == "word" else float(value[1])
        return replace(bounds, results=(*bounds.results, (how, wanted)))
    return replace(bounds, whole=False)
