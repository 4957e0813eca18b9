"""Hypothesis strategies derived from the kinds: observations as a device might send them."""

from typing import Any

from hypothesis import strategies as st

from telemetry.kind import Kind, Property
from telemetry.limits import SEQ_MAX

MS_MAX = 1_763_856_000_000
"""Timestamps lie between 1970 and this moment."""


def values(each: Property) -> st.SearchStrategy[Any]:
    """Values of one property within its range."""
    if each.type is bool:
        return st.booleans()
    if each.type is int:
        return st.integers(int(each.measure.low), int(each.measure.high))
    return st.floats(each.measure.low, min(each.measure.high, 1e12), allow_nan=False, width=64)


def observations(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Valid observations of a kind as JSON objects: the first marked field always, the others perhaps."""
    by_name = {each.name: values(each) for each in kind.properties}
    marked = kind.marked[0]
    optional = {name: strategy | st.none() for name, strategy in by_name.items() if name != marked}
    clock = {"ts": st.integers(0, MS_MAX), "seq": st.integers(0, SEQ_MAX)}
    return st.fixed_dictionaries({marked: by_name[marked]}, optional=optional | clock)
