"""Spans: how long a piece of work takes, told to whoever follows; where nobody does they cost a function call.

The roof says who follows (`lamplighter/tracing.py`).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

Begin = Callable[[str, Mapping[str, int | str]], AbstractContextManager[object]]
"""Begins a span, which lasts as long as the context that it returns."""

_NOBODY = nullcontext()
_begin: Begin | None = None


def span(name: str, **attributes: int | str) -> AbstractContextManager[object]:
    """The time in which a piece of work is done, as a context round it."""
    return _NOBODY if _begin is None else _begin(name, attributes)


def followed() -> bool:
    """Whether anybody follows."""
    return _begin is not None


def follow(begin: Begin | None) -> None:
    """Have all further spans told to `begin`, or to nobody."""
    global _begin
    _begin = begin
