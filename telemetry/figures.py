"""What is known of one figure of the rules beside its type and default: meaning, range, form, and what it must fit.

The rule file is read, checked and described by this alone: a section that gets a figure gets a line.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Form(StrEnum):
    """What a text stands for; the rule file is refused where it does not."""

    TEXT = "text"
    TIME = "time of day"
    """`HH:MM` on the town's wall clock, or `dusk`, `dawn`, `dusk+00:30`, `dawn-01:00`."""
    DAY = "day"
    """A weekday (`mon` … `sun`), a range of them (`mon..fri`), or the name of a calendar."""
    DATE = "date"
    """`2026-12-24`, `12-24` (every year), `easter-2`, or a range of two of a sort: `2026-12-21..2027-01-06`."""
    DURATION = "duration"
    """`90s`, `5m`, `6h30m`, `2d`."""
    MOMENT = "moment"
    """`2026-11-22T12:00:00Z`, or without an offset on the town's wall clock."""
    INSTANT = "instant"
    """A duration after the beginning, a time of day (the next one), or a moment."""
    SERIES = "series"
    """`70+5x3 90x3 _x2 84`, or `follows`: what the device was told."""
    NAME = "name"
    ZONE = "zone"
    ASSET = "asset"
    PROGRAM = "program"
    SINK = "sink"
    ALARM = "alarm type"
    SEVERITY = "severity"
    LIGHTING_CLASS = "lighting class"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a section.

    Attributes:
        words: what it means, one sentence without its end.
        low: the least value allowed, `None` for no bound.
        high: the greatest value allowed.
        below: the figure of the same section that must be greater, empty for none.
        at_most: the figure of the same section that must not be less, empty for none.
        form: what a text, or each text of a list, stands for; keys of a table of figures too.
        key: its name in the rule file where that is no name of Python's.
        own: whether a zone or an asset may have its own.
    """

    words: str
    low: float | None = None
    high: float | None = None
    below: str = ""
    at_most: str = ""
    form: Form = Form.TEXT
    key: str = ""
    own: bool = False


_KNOWN = "figure"


def figure(
    default: T,
    words: str,
    *,
    low: float | None = None,
    high: float | None = None,
    below: str = "",
    at_most: str = "",
    form: Form = Form.TEXT,
    key: str = "",
    own: bool | None = None,
) -> T:
    """A field of a section with what is known of it, see `Figure`; `own=None`: numbers may differ by zone and asset."""
    if own is None:
        own = isinstance(default, int | float) and not isinstance(default, bool)
    known = {_KNOWN: Figure(words, low, high, below, at_most, form, key, own)}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=known)
    return field(default=default, metadata=known)


def required(
    words: str, *, form: Form = Form.TEXT, key: str = "", low: float | None = None, high: float | None = None
) -> Any:
    """A field that has no default."""
    return field(metadata={_KNOWN: Figure(words, low, high, form=form, key=key)})


def known(of: "Field[Any]") -> Figure:
    """What is known of a field of a dataclass."""
    found = of.metadata.get(_KNOWN)
    return found if isinstance(found, Figure) else Figure("")


def is_required(of: "Field[Any]") -> bool:
    """Whether a field must be given."""
    return of.default is MISSING and of.default_factory is MISSING


UNITS = {
    "pct": "%",
    "s": "seconds",
    "h": "hours",
    "days": "days",
    "m": "metres",
    "mm": "millimetres",
    "cm": "centimetres",
    "m_per_min": "metres a minute",
    "m_h": "metres an hour",
    "mm_h": "millimetres an hour",
    "w": "watts",
    "kwh": "kilowatt-hours",
    "v": "volts",
    "lx": "lux",
    "points": "points of %",
    "deg": "degrees",
}
"""Units by the suffix of a name."""


def stem_and_unit(name: str) -> tuple[str, str]:
    """A name without its unit's suffix, and the suffix; an empty one where the name has none.

    A qualifier stands last, as in `step_m_max`, and belongs to neither.
    """
    name = name.removesuffix("_max")
    name = name if name.endswith("_per_min") else name.removesuffix("_min")
    for suffix in sorted(UNITS, key=len, reverse=True):
        if name.endswith(f"_{suffix}") and not name.endswith(f"_per_{suffix}"):
            return name.removesuffix(f"_{suffix}"), suffix
    return name, ""


def spelled(value: float) -> str:
    """A number as people and TOML write it: `0.05`, `1_800`."""
    return f"{round(value):_}" if value == round(value) else f"{value:g}"
