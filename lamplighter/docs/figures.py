"""`docs/figures.md`, every figure of a rule file, written from the sections."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from telemetry.figures import UNITS, Figure, Form, is_required, known, spelled, stem_and_unit
from telemetry.thresholds import Thresholds

_HEAD = """\
# The figures of a rule file

What a [rule file](rule_file.md) may hold, with what holds where it says nothing. Figures marked ● may be another for a
zone or an asset. This page is written from the code by `make docs`, and a test compares them.
"""
_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + "".join(_sections(Thresholds, ""))


def _sections(kind: type, path: str) -> Iterator[str]:
    """A section and what lies in it, from the outermost."""
    hints, is_section = get_type_hints(kind), "." not in path and "[[" not in path
    rows = [each for each in fields(kind) if known(each).words]
    if path:
        yield f"\n## `{path}`\n\n{' '.join((kind.__doc__ or '').split())}\n"
    if rows and (path or rows[0].name == "version"):
        yield "\n| key | usually | may be | |\n|---|---|---|---|\n"
        yield from (_row(each, hints[each.name], is_section) for each in rows)
    for each in fields(kind):
        inner, brackets = _inner(hints[each.name])
        if inner is not None:
            name = known(each).key or each.name
            where = f"{path.strip('[]')}.{name}" if path else name
            named = ".NAME" if brackets == "NAME" else ""
            yield from _sections(inner, f"[[{where}]]" if brackets == "[[" else f"[{where}{named}]")


def _row(each: "Field[Any]", hint: Any, is_section: bool) -> str:
    about = known(each)
    key = about.key or each.name
    default = "must be given" if is_required(each) else _default(each)
    mark = " ●" if about.own and is_section else ""
    return f"| `{key}`{mark} | {default} | {_may_be(hint, key, about)} | {about.words} |\n"


def _default(each: "Field[Any]") -> str:
    value = each.default if each.default is not MISSING else each.default_factory()  # type: ignore[operator]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "none" if not value else ", ".join(_name(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(value) or "none"
    return spelled(value) if isinstance(value, int | float) else value or "none"


def _name(value: object) -> str:
    return str(getattr(value, "name", value))


def _may_be(hint: Any, key: str, about: Figure) -> str:
    origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)[0]
        return "tables, see below" if is_dataclass(inner) else f"list: {_may_be(inner, key, about)}"
    if origin is not None:
        return (
            "tables by name, see below"
            if is_dataclass(get_args(hint)[1])
            else f"numbers by {about.form}, {_range(about)}"
        )
    words = _KINDS[hint] if hint is not str or about.form is Form.TEXT else str(about.form)
    unit = UNITS.get(stem_and_unit(key)[1], "")
    return " ".join(part for part in (words, f"of {unit}" if unit else "", _range(about)) if part)


def _range(about: Figure) -> str:
    if about.low is not None and about.high is not None:
        return f"{spelled(about.low)}–{spelled(about.high)}"
    return f"from {spelled(about.low)}" if about.low is not None else ""


def _inner(hint: Any) -> tuple[type | None, str]:
    """The section that a field holds, and how its tables are headed."""
    if is_dataclass(hint):
        return hint, "["  # type: ignore[return-value]
    arguments = get_args(hint)
    if get_origin(hint) is tuple and is_dataclass(arguments[0]):
        return arguments[0], "[["  # type: ignore[return-value]
    if len(arguments) == 2 and is_dataclass(arguments[1]):
        return arguments[1], "NAME"  # type: ignore[return-value]
    return None, ""
