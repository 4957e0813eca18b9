"""The rule file: TOML in, thresholds out, or every mistake at once with its line. Pure.

What a section may hold stands in `telemetry.thresholds` alone; what must fit together stands in `rules.rulefile.sense`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, get_type_hints

import msgspec

from rules.rulefile import sense
from rules.rulefile.document import BadDocument, Document, Mistake, did_you_mean
from rules.rulefile.lines import Place
from rules.rulefile.sense import Sense
from telemetry.figures import Figure, known
from telemetry.registry import Registry
from telemetry.thresholds import Overrides, Thresholds

LABEL = "rules"
"""What versions are called of a file that gives itself no `version`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule file that may be used: its text, and what it came to.

    `notes` are sentences on what the registry changes of it; nothing is wrong.
    """

    text: str
    thresholds: Thresholds
    notes: tuple[Mistake, ...] = ()


def read_rules(text: str, registry: Registry | None = None) -> Rules:
    """The rules that a file states; what it leaves out is as usual.

    Args:
        text: TOML.
        registry: where zones and assets are looked up and floors checked; `None` or an empty one: neither is.

    Raises:
        BadDocument: it states what it must not; every mistake with its line.
    """
    document = Document.parse(text)
    thresholds = thresholds_of(document, document.data, (), Thresholds(version=LABEL))
    known_registry = registry if registry and registry.assets else None
    notes = sense.check(Sense(document, thresholds, known_registry))
    if document.mistakes:
        raise BadDocument(document.mistakes)
    return Rules(text, versioned(thresholds), tuple(notes))


def thresholds_of(document: Document, table: Any, place: Place, base: Thresholds) -> Thresholds:
    """The thresholds of a table over those of a base; mistakes are noted in the document."""
    made = document.table(Thresholds, table, place, base, besides=("zones", "assets"))
    if made is None:
        return base
    own: dict[str, dict[str, Overrides]] = {}
    for group in ("zones", "assets"):
        given = table.get(group, {})
        own[group] = dict(getattr(base, group)) | _owners(document, given, (*place, group))
    return replace(made, zones=own["zones"], assets=own["assets"])


def versioned(thresholds: Thresholds) -> Thresholds:
    """The thresholds under a version that names their content by a digest."""
    label = thresholds.version.partition("+")[0]
    return replace(thresholds, version=f"{label}+{digest(thresholds)[:8]}")


def digest(thresholds: Thresholds) -> str:
    """A name of all that is decided by, in hexadecimal digits; comments and the version's own name do not matter."""
    return hashlib.sha256(msgspec.json.encode(replace(thresholds, version=""), order="deterministic")).hexdigest()


def own_figures(section: str) -> dict[str, tuple[Any, Figure]]:
    """The figures of a section that a zone or an asset may have of its own: type and what is known, by key."""
    hints = get_type_hints(Thresholds)
    kind = hints.get(section)
    if not is_dataclass(kind):
        return {}
    types = get_type_hints(kind)
    return {each.name: (types[each.name], known(each)) for each in fields(kind) if known(each).own}


def sections_with_own_figures() -> list[str]:
    """The sections of which a zone or an asset may have figures of its own."""
    return [each.name for each in fields(Thresholds) if own_figures(each.name)]


def _owners(document: Document, table: Any, place: Place) -> dict[str, Overrides]:
    """Figures of their own by zone or asset, section and name."""
    return _each(document, table, place, lambda given, at: _overrides(document, given, at))


def _overrides(document: Document, table: Any, place: Place) -> Overrides:
    return _each(document, table, place, lambda given, at: _figures(document, given, at))


def _figures(document: Document, table: Any, place: Place) -> dict[str, float | str]:
    section = str(place[-1])
    allowed = own_figures(section)
    if not allowed:
        near = did_you_mean(section, sections_with_own_figures())
        document.wrong(place, f"{_name(place)}: zones and assets have no figures of their own called {section}{near}.")
        return {}
    found: dict[str, float | str] = {}
    for key, value in table.items() if isinstance(table, dict) else ():
        if key not in allowed:
            if hasattr(getattr(Thresholds(), section), key):
                document.wrong((*place, key), f"{section}.{key} is the same everywhere; no zone or asset has its own.")
            else:
                document.unknown(key, list(allowed), place)
            continue
        type_, about = allowed[key]
        made = document.value(type_, value, (*place, key), about)
        if isinstance(made, int | float | str):
            found[key] = made
    return found


def _each(document: Document, table: Any, place: Place, read: Callable[[Any, Place], Any]) -> dict[str, Any]:
    """Every entry of a table of tables."""
    if not isinstance(table, dict):
        document.wrong(place, f"{_name(place)} must be a table.")
        return {}
    found = {}
    for name, given in table.items():
        if isinstance(given, dict):
            found[name] = read(given, (*place, name))
        else:
            document.wrong((*place, name), f"{_name((*place, name))} must be a table of figures.")
    return found


def _name(place: Place) -> str:
    return ".".join(map(str, place))
