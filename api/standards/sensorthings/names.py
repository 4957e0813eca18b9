"""The names that the entities of each set have by the standard, so that a query with any other is refused."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from api.problems import Problem
from api.standards.sensorthings.budget import bad_query
from api.standards.sensorthings.options import Options

IDS = ("id", "@iot.id")
SELF_LINK = "@iot.selfLink"
OPEN = frozenset(
    ("properties", "parameters", "location", "feature", "observedArea", "unitOfMeasurement", "result", "resultQuality")
)
"""What may hold more than one value; what is in it, an entity says itself."""
PROPERTIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Things": ("name", "description", "properties"),
        "Locations": ("name", "description", "encodingType", "location", "properties"),
        "HistoricalLocations": ("time",),
        "Datastreams": (
            *("name", "description", "observationType", "unitOfMeasurement"),
            *("observedArea", "phenomenonTime", "resultTime", "properties"),
        ),
        "Sensors": ("name", "description", "encodingType", "metadata", "properties"),
        "ObservedProperties": ("name", "definition", "description", "properties"),
        "Observations": ("phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"),
        "FeaturesOfInterest": ("name", "description", "encodingType", "feature", "properties"),
    }
)
LINKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Things": {each: each for each in ("Datastreams", "Locations", "HistoricalLocations")},
        "Locations": {each: each for each in ("Things", "HistoricalLocations")},
        "HistoricalLocations": {"Thing": "Things", "Locations": "Locations"},
        "Datastreams": {
            "Thing": "Things",
            "Sensor": "Sensors",
            "ObservedProperty": "ObservedProperties",
            "Observations": "Observations",
        },
        "Sensors": {"Datastreams": "Datastreams"},
        "ObservedProperties": {"Datastreams": "Datastreams"},
        "Observations": {"Datastream": "Datastreams", "FeatureOfInterest": "FeaturesOfInterest"},
        "FeaturesOfInterest": {"Observations": "Observations"},
    }
)
"""By set and link: the set that it leads to."""


def at_end(path: Iterable[str]) -> str:
    """The set that a path of sets and links leads to; each of its names is known."""
    reached = ""
    for name in path:
        reached = LINKS.get(reached, {}).get(name, name)
    return reached


def check(options: Options, of: str) -> None:
    """Whether entities of a set have whatever options name.

    Raises:
        Problem: they have not.
    """
    for path in options.paths:
        _follow("$filter", path, of)
    for path, _ in options.order:
        _follow("$orderby", path, of)
    for name in sorted(options.select or ()):
        whole, within, _ = name.partition("/")
        if within and whole in (*PROPERTIES[of], *LINKS[of]):
            instead = f"$expand={whole}($select=…)" if whole in LINKS[of] else f"$select={whole}"
            raise bad_query(f"$select takes whole properties and links, and no path into {whole}: say {instead}.")
        if name not in (*IDS, SELF_LINK, *PROPERTIES[of], *LINKS[of]):
            raise _unknown("$select", name, of)
    for name, inner in options.expand.items():
        if name not in LINKS[of]:
            raise bad_query(f"$expand: {of} lead to {', '.join(LINKS[of])}, and to no {name[:64]}.")
        check(inner, LINKS[of][name])


def _follow(option: str, path: Sequence[str], of: str) -> None:
    for at, name in enumerate(path):
        if name in LINKS[of]:
            of = LINKS[of][name]
            continue
        if name not in (*IDS, *PROPERTIES[of]):
            raise _unknown(option, name, of, text=option == "$filter" and len(path) == 1)
        if name not in OPEN and at + 1 < len(path):
            raise bad_query(f"{option}: {name} of {of} has no {path[at + 1]}: it is one value.")
        return


def _unknown(option: str, name: str, of: str, *, text: bool = False) -> Problem:
    known = ", ".join(("id", *PROPERTIES[of], *LINKS[of]))
    hint = f" A text stands in quotes: '{name}'." if text else ""
    return bad_query(f"{option}: {of} have no {name[:64]}, but {known}.{hint}")
