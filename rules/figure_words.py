"""The figures behind an alarm as people read them: what a name means, and its value in its unit. Pure.

The page of an alarm has the same words (`api/page/figures.js`); a test holds the two together.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

TIME = "%Y-%m-%d %H:%M:%S UTC"
"""How people are told a moment."""
UNITS = {
    "_m_per_min": "m/min",
    "_mm_h": "mm/h",
    "_m_h": "m/h",
    "_pct": "%",
    "_kwh": "kWh",
    "_days": "days",
    "_bytes": "bytes",
    "_m": "m",
    "_v": "V",
    "_w": "W",
    "_s": "s",
}
"""The unit by the end of a name, the longest first."""
BOUNDS = {"_max": "at most", "_min": "at least"}
LABELS = {
    "age_s": "oldest message waits",
    "at_least": "note",
    "bytes": "waiting bytes",
    "changes_of_the_zones_median_bay": "changes of the zone's median bay",
    "filled_pct": "queue filled",
    "from": "measured by",
    "fault": "fault",
    "least": "members at least",
    "mm_h": "intensity",
    "messages": "waiting messages",
    "points": "points apart",
    "raise_pct": "raised from",
    "clear_pct": "over below",
    "says": "that is",
    "read_m": "sensor read",
    "stuck_after_s": "stuck after",
}
"""Names that do not say by themselves what they mean."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")
_STEPS_S = (("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def told(values: Mapping[str, Any]) -> str:
    """Figures by name as one line: `level 1.6 m, raise delay 6 min`."""
    return ", ".join(f"{label(name)} {shown(name, value)}" for name, value in values.items())


def label(name: str) -> str:
    """What a name says, without its unit."""
    if name in LABELS:
        return LABELS[name]
    bare, bound = _unbound(name)
    end, _ = _unit(bare)
    plain = bare.removesuffix(end).removesuffix("_at").replace("_", " ")
    return f"{plain}, {BOUNDS[bound]}" if bound else plain


def shown(name: str, value: Any) -> str:
    """What stands at a name, of any depth, with its unit."""
    if value is None:
        return "unknown"
    if isinstance(value, Mapping):
        return f"({told(value)})"
    if isinstance(value, list):
        return (", " if len(value) > 2 else " and ").join(shown(name, each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return _text(str(value))
    _, unit = _unit(_unbound(name)[0])
    return duration(value) if unit == "s" and isfinite(value) else f"{_number(value)} {unit}".rstrip()


def duration(seconds: float) -> str:
    """`1 h 30 min` for 5400."""
    if abs(seconds) < 60:
        return f"{_number(seconds)} s"
    left, parts = round(seconds), []
    for unit, unit_s in _STEPS_S:
        count, left = divmod(left, unit_s)
        parts += [f"{count} {'day' if (count, unit) == (1, 'days') else unit}"] if count else []
    return " ".join(parts[:2])


def _text(value: str) -> str:
    """A text as it is, a moment as people are told it; a device's own words may look like one."""
    try:
        return f"{datetime.fromisoformat(value).astimezone(UTC):{TIME}}" if _MOMENT.fullmatch(value) else value
    except (ValueError, OverflowError):
        return value


def _unbound(name: str) -> tuple[str, str]:
    """A name without the qualifier at its end, and that."""
    bound = next((each for each in BOUNDS if name.endswith(each) and not name.endswith("_per_min")), "")
    return name.removesuffix(bound), bound


def _unit(bare: str) -> tuple[str, str]:
    """The end of a name that tells its unit, and the unit; a name may be its unit alone."""
    return next(((end, unit) for end, unit in UNITS.items() if f"_{bare}".endswith(end)), ("", ""))


def _number(value: float) -> str:
    return f"{round(value, 4):,}".removesuffix(".0")
