"""The query options `$top $skip $count $orderby $select $expand $filter`, of a request and within `$expand`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from api.moments import moment
from api.standards.sensorthings.budget import bad_query
from api.standards.sensorthings.filtering import Condition, parse, path_of
from telemetry.clock import to_us

TOP_DEFAULT = 100
TOP_MAX = 1_000
SKIP_MAX = 10_000_000
EXPAND_DEPTH_MAX = 4
PARTS_MAX = 20
CHARACTERS_MAX = 4_000
KNOWN = ("$top", "$skip", "$count", "$orderby", "$select", "$expand", "$filter", "$skipFilter")
AFTER = re.compile(r"phenomenonTime (lt|gt) (\d{4}-\S{15,30})")
"""A `$skipFilter`, as only links to a next page have it."""


@dataclass(slots=True)
class Options:
    """What is asked of a collection or an entity; `given` are the options as they were written."""

    top: int = TOP_DEFAULT
    skip: int = 0
    count: bool = False
    order: list[tuple[list[str], bool]] = field(default_factory=list)
    """Paths to sort by, each with whether downwards."""
    select: frozenset[str] | None = None
    expand: dict[str, "Options"] = field(default_factory=dict)
    condition: Condition | None = None
    paths: list[list[str]] = field(default_factory=list)
    """Those that the condition names."""
    after: tuple[str, int] | None = None
    """Where a page goes on: `lt` or `gt`, and a moment in microseconds since 1970."""
    given: dict[str, str] = field(default_factory=dict)


def read(given: Iterable[tuple[str, str]], depth: int = 0) -> Options:
    """Options from names and values.

    Raises:
        Problem: one is unknown, stands twice, or has a value that it cannot have.
    """
    options = Options()
    for name, value in given:
        if name not in KNOWN:
            raise bad_query(f"Of options that begin with $ there are {', '.join(KNOWN[:-1])} and $resultFormat.")
        if name in options.given:
            raise bad_query(f"{name} stands there twice.")
        if len(value) > CHARACTERS_MAX:
            raise bad_query(f"{name} may be at most {CHARACTERS_MAX} characters long.")
        options.given[name] = value
        _take(options, name, value, depth)
    return options


def _take(options: Options, name: str, value: str, depth: int) -> None:
    if name == "$top":
        options.top = min(_whole(name, value), TOP_MAX)
    elif name == "$skip":
        options.skip = _whole(name, value)
    elif name == "$count":
        if value not in ("true", "false"):
            raise bad_query("$count is true or false.")
        options.count = value == "true"
    elif name == "$orderby":
        options.order = [_order(part) for part in _split(value, ",")]
    elif name == "$select":
        options.select = frozenset(_split(value, ","))
    elif name == "$filter":
        options.condition, options.paths = parse(value)
    elif name == "$skipFilter":
        options.after = _after(value)
    else:
        for part in _split(value, ","):
            _expand(options, part, depth)


def _expand(options: Options, part: str, depth: int) -> None:
    """One part of `$expand`: names with / between them, and options of the last in brackets."""
    if depth >= EXPAND_DEPTH_MAX:
        raise bad_query(f"$expand may lead over at most {EXPAND_DEPTH_MAX} links.")
    names, bracket, rest = part.partition("(")
    if bracket and not rest.endswith(")"):
        raise bad_query("$expand has a bracket that does not close.")
    name, _, further = names.strip().partition("/")
    inner = rest[:-1] if bracket else ""
    if further:
        given = [("$expand", further + (f"({inner})" if bracket else ""))]
    else:
        given = [_pair(each) for each in _split(inner, ";")] if inner else []
    found = read(given, depth + 1)
    known = options.expand.get(name)
    if known is not None and not further:
        found.expand |= known.expand
    elif known is not None:
        known.expand |= found.expand
        found = known
    options.expand[name] = found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise bad_query("Options within $expand are written $name=value.")
    return name.strip(), value


def _after(value: str) -> tuple[str, int]:
    match = AFTER.fullmatch(value)
    if match is None:
        raise bad_query("$skipFilter is only what @iot.nextLink says.")
    return match[1], to_us(moment(match[2], "$skipFilter"))


def _order(part: str) -> tuple[list[str], bool]:
    path, _, direction = part.strip().partition(" ")
    direction = direction.strip().lower()
    if direction not in ("", "asc", "desc"):
        raise bad_query("$orderby takes a path and asc or desc.")
    return path_of(path), direction == "desc"


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 8) or int(value) > SKIP_MAX:
        raise bad_query(f"{name} is a whole number from 0 to {SKIP_MAX}.")
    return int(value)


def _split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that stand outside brackets and quotes."""
    parts, depth, quoted, begin = [], 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
        elif character == mark and not quoted and depth == 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    parts.append(text[begin:].strip())
    if not all(parts) or len(parts) > PARTS_MAX:
        raise bad_query(f"A list has from 1 to {PARTS_MAX} parts, none of them empty.")
    return parts
