"""`$filter`: the OData expressions that SensorThings clients send, parsed into functions of an entity.

A path that leads over a collection stands for the values of all its members; a comparison holds if it holds for any.
Everything is bounded: length, tokens, depth, and the entities that an evaluation may touch.
"""

import datetime as dt
import itertools
import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from api.standards.sensorthings.budget import Budget, bad_query
from api.standards.sensorthings.entities import Entity

CHARACTERS_MAX = 2_000
TOKENS_MAX = 300
DEPTH_MAX = 20
SEGMENTS_MAX = 6

Expression = Callable[[Entity, Budget], Sequence[Any]]
"""The values that an expression may have for an entity; never empty: nothing is `[None]`."""
Condition = Callable[[Entity, Budget], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<geography>geography'(?:[^']|'')*')|(?P<string>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<word>@?[A-Za-z_][\w.]*(?:/@?[\w.]+)*)|(?P<mark>[(),]))"
)
POINT = re.compile(r"\s*(?:SRID=\d+;)?\s*POINT\s*\(\s*(-?\d+(?:\.\d+)?)\s+(-?\d+(?:\.\d+)?)\s*\)\s*", re.IGNORECASE)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: _number(a) + _number(b),
    "sub": lambda a, b: _number(a) - _number(b),
}
PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda a, b: _number(a) * _number(b),
    "div": lambda a, b: _number(a) / _number(b),
    "mod": lambda a, b: _number(a) % _number(b),
}
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "substringof": (2, lambda part, text: part in _text(text)),
    "contains": (2, lambda text, part: part in _text(text)),
    "startswith": (2, lambda text, part: _text(text).startswith(part)),
    "endswith": (2, lambda text, part: _text(text).endswith(part)),
    "length": (1, lambda text: len(_text(text))),
    "indexof": (2, lambda text, part: _text(text).find(part)),
    "tolower": (1, lambda text: _text(text).lower()),
    "toupper": (1, lambda text: _text(text).upper()),
    "trim": (1, lambda text: _text(text).strip()),
    "round": (1, lambda number: round(_number(number))),
    "floor": (1, lambda number: math.floor(_number(number))),
    "ceiling": (1, lambda number: math.ceil(_number(number))),
    "year": (1, lambda moment: _moment(moment).year),
    "month": (1, lambda moment: _moment(moment).month),
    "day": (1, lambda moment: _moment(moment).day),
    "hour": (1, lambda moment: _moment(moment).hour),
    "minute": (1, lambda moment: _moment(moment).minute),
    "geo.distance": (2, lambda here, there: math.dist(_point(here), _point(there))),
}
CONDITIONS = frozenset(("substringof", "contains", "startswith", "endswith"))
"""The functions that give true or false."""
SAID_BY_THE_ENTITY = frozenset(("result", "properties", "parameters"))
"""Whether what lies at or in these is true or false shows only there; everything else is none of both."""


def parse(text: str) -> tuple[Condition, list[list[str]]]:
    """A condition, and the paths that it names.

    Raises:
        Problem: the text is none, or beyond the bounds.
    """
    if len(text) > CHARACTERS_MAX:
        raise bad_query(f"$filter may be at most {CHARACTERS_MAX} characters long.")
    parser = _Parser(list(tokens(text)))
    expression = parser.whole()
    return lambda entity, budget: any(value is True for value in expression(entity, budget)), parser.paths


def values(entity: Entity, path: Sequence[str], budget: Budget) -> list[Any]:
    """What stands at a path from an entity on; `[None]` where nothing does."""
    found: list[Any] = [entity]
    for name in path:
        reached = []
        for value in itertools.chain.from_iterable(_step(each, name) for each in found):
            budget.spend()
            reached.append(value)
        found = reached
    return [None if isinstance(each, Entity) else each for each in found] or [None]


def path_of(text: str) -> list[str]:
    """The names of a path.

    Raises:
        Problem: it is too long or holds what no name holds.
    """
    names = text.split("/")
    if len(names) > SEGMENTS_MAX or not all(re.fullmatch(r"@?[\w.]{1,64}", name) for name in names):
        raise bad_query(f"A path is made of at most {SEGMENTS_MAX} names with / between them.")
    return names


def _step(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value.get(name)
    elif isinstance(value, Entity):
        if name in ("id", "@iot.id"):
            yield value.id
        elif name in value.links:
            linked = value.links[name]()
            if isinstance(linked, Entity):
                yield linked
            elif linked is not None:
                yield from linked
        else:
            yield value.body.get(name)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """The parts of an expression, each with its sort.

    Raises:
        Problem: it holds what is none, or too many.
    """
    position = count = 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        count += 1
        if match is None or match.lastgroup is None:
            raise bad_query("$filter holds something that is no part of an expression.")
        if count > TOKENS_MAX:
            raise bad_query(f"$filter may have at most {TOKENS_MAX} parts.")
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()


class _Parser:
    """Recursive descent over tokens, by increasing strength: or, and, not, comparison, sum, product."""

    def __init__(self, parts: list[tuple[str, str]]) -> None:
        self._tokens = parts
        self._next = 0
        self._depth = 0
        self._may_hold = False
        """Whether what was read last can be true or false."""
        self.paths: list[list[str]] = []

    def whole(self) -> Expression:
        expression = self._either()
        self._demand_condition()
        if self._next < len(self._tokens):
            raise bad_query(f"$filter goes on with {self._tokens[self._next][1][:64]} where it should end.")
        return expression

    def _either(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise bad_query(f"$filter may be nested at most {DEPTH_MAX} deep.")
        parts = self._joined(self._both, "or")
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda e, b: [any(_holds(part(e, b)) for part in parts)]

    def _both(self) -> Expression:
        parts = self._joined(self._negated, "and")
        return parts[0] if len(parts) == 1 else lambda e, b: [all(_holds(part(e, b)) for part in parts)]

    def _joined(self, part: Callable[[], Expression], word: str) -> list[Expression]:
        parts = [part()]
        while self._tokens[self._next : self._next + 1] == [("word", word)]:
            self._demand_condition()
            self._next += 1
            parts.append(part())
            self._demand_condition()
        return parts

    def _negated(self) -> Expression:
        negations = 0
        while self._took("not"):
            negations += 1
        inner = self._compared()
        if negations:
            self._demand_condition()
        if negations % 2 == 0:
            return inner
        return lambda e, b: [not _holds(inner(e, b))]

    def _demand_condition(self) -> None:
        """What was read last stands where something true or false must."""
        if not self._may_hold:
            last = self._tokens[self._next - 1][1][:64]
            raise bad_query(f"$filter takes conditions, such as name eq 'Market'; what ends with {last} is none.")

    def _compared(self) -> Expression:
        left = self._chain(SUMS, lambda: self._chain(PRODUCTS, self._single))
        name = self._one_of(COMPARISONS)
        if name is None:
            return left
        right = self._chain(SUMS, lambda: self._chain(PRODUCTS, self._single))
        self._may_hold = True
        return lambda e, b: [any(_compare(name, *pair) for pair in _pairs(left(e, b), right(e, b), b))]

    def _chain(self, operations: dict[str, Callable[[Any, Any], Any]], part: Callable[[], Expression]) -> Expression:
        expression = part()
        while (name := self._one_of(operations)) is not None:
            expression = _calculated(operations[name], expression, part())
            self._may_hold = False
        return expression

    def _single(self) -> Expression:
        sort, text = self._take()
        if sort == "mark" and text == "(":
            inner = self._either()
            self._expect(")")
            return inner
        if sort == "word":
            if self._next < len(self._tokens) and self._tokens[self._next] == ("mark", "("):
                return self._call(text)
            if text not in ("null", "true", "false"):
                path = path_of(text)
                self.paths.append(path)
                self._may_hold = not SAID_BY_THE_ENTITY.isdisjoint(path)
                return lambda e, b: values(e, path, b)
        constant = [_constant(sort, text)]
        self._may_hold = isinstance(constant[0], bool)
        return lambda e, b: constant

    def _call(self, name: str) -> Expression:
        self._expect("(")
        if name not in FUNCTIONS:
            raise bad_query(f"$filter knows these functions: {', '.join(sorted(FUNCTIONS))}.")
        count, function = FUNCTIONS[name]
        arguments = [self._either()]
        while len(arguments) < count:
            self._expect(",")
            arguments.append(self._either())
        self._expect(")")
        self._may_hold = name in CONDITIONS
        return _calculated(function, *arguments)

    def _take(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise bad_query("$filter ends too early.")
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, mark: str) -> None:
        if self._take() != ("mark", mark):
            raise bad_query(f"$filter lacks a {mark}")

    def _took(self, word: str) -> bool:
        return self._one_of((word,)) is not None

    def _one_of(self, words: Any) -> str | None:
        if self._next < len(self._tokens):
            sort, text = self._tokens[self._next]
            if sort == "word" and text in words:
                self._next += 1
                return text
        return None


def _calculated(function: Callable[..., Any], *parts: Expression) -> Expression:
    def calculate(entity: Entity, budget: Budget) -> list[Any]:
        found = []
        for given in itertools.product(*(part(entity, budget) for part in parts)):
            budget.spend()
            try:
                found.append(function(*given))
            except (TypeError, ValueError, ArithmeticError):
                found.append(None)
        return found or [None]

    return calculate


def _pairs(left: Sequence[Any], right: Sequence[Any], budget: Budget) -> Iterator[tuple[Any, Any]]:
    for pair in itertools.product(left, right):
        budget.spend()
        yield pair


def _holds(found: Sequence[Any]) -> bool:
    return any(value is True for value in found)


def _compare(name: str, left: Any, right: Any) -> bool:
    try:
        if isinstance(left, dt.datetime) or isinstance(right, dt.datetime):
            left, right = _moment(left), _moment(right)
        if isinstance(left, bool) is not isinstance(right, bool):  # for Python, true is 1
            return name == "ne"
        return bool(COMPARISONS[name](left, right))
    except (TypeError, ValueError):
        return name == "ne"


def _constant(sort: str, text: str) -> Any:
    if sort == "string":
        return text[1:-1].replace("''", "'")
    if sort == "number":
        return float(text) if set(text) & set(".eE") else int(text)
    if sort == "moment":
        try:
            return dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise bad_query("$filter holds a time that there is not.") from error
    if sort == "geography":
        point = POINT.fullmatch(text[len("geography'") : -1])
        if point is None:
            raise bad_query("Of geographies, $filter takes geography'POINT(longitude latitude)'.")
        return {"type": "Point", "coordinates": [float(point[1]), float(point[2])]}
    if text in ("null", "true", "false"):
        return {"null": None, "true": True, "false": False}[text]
    raise bad_query("$filter lacks a value.")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return value


def _moment(value: Any) -> dt.datetime:
    """A moment from what stands in an entity; of an interval, where it begins."""
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(_text(value).partition("/")[0])


def _point(value: Any) -> list[float]:
    if not isinstance(value, dict) or value.get("type") != "Point":
        raise TypeError
    return list(value["coordinates"])
