"""The paths of SensorThings: `Things`, `Things('id')/Datastreams`, `…/name`, `…/name/$value`, `…/$ref`."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from api.documents import GEOJSON
from api.problems import Problem, not_found
from api.standards.sensorthings import names
from api.standards.sensorthings.budget import bad_query
from api.standards.sensorthings.entities import SETS, Entity, World
from api.standards.sensorthings.history import History
from api.standards.sensorthings.options import Options
from api.standards.sensorthings.writing import Writer

SEGMENTS_MAX = 10
SEGMENT = re.compile(r"(?P<name>[A-Za-z@$][\w.]*)(?:\((?P<key>'(?:[^']|'')*'|\d{1,19})\))?")
JSON = "application/json"
CONFORMANCE = [
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data",
]


def root(url: str) -> dict[str, Any]:
    """What stands at the root: the sets, and what of the standard we keep to."""
    return {
        "value": [{"name": name, "url": f"{url}/{name}"} for name in SETS],
        "serverSettings": {"conformance": CONFORMANCE},
    }


def read(world: World, path: str, options: Options, writer: Writer, *, geojson: bool) -> tuple[bytes, str]:
    """The body and media type of what lies at a path below the root.

    Raises:
        Problem: nothing does, or the options do not fit it.
    """
    segments = path.split("/")
    if len(segments) > SEGMENTS_MAX:
        raise bad_query(f"A path has at most {SEGMENTS_MAX} parts.")
    references = segments[-1] == "$ref"
    there = segments[:-1] if references else segments
    found = _found(world, there)
    if not isinstance(found, _Value):
        names.check(options, names.at_end(_segment(each)[0] for each in there))
    url = f"{writer.root}/{path}"
    if references and not isinstance(found, (Entity, _Value)):
        page, _, more = writer.page(found, options)
        refs: dict[str, Any] = {"value": [{"@iot.selfLink": writer.url(each)} for each in page]}
        return _json({"@iot.nextLink": writer.next_link(found, page, options, url)} | refs if more else refs)
    if isinstance(found, _Value):
        return _plain(found)
    if geojson:
        return _features(found, options, writer, url)
    if isinstance(found, Entity):
        return _json({"@iot.selfLink": writer.url(found)} if references else writer.entity(found, options))
    return _json(writer.collection(found, options, url))


class _Value:
    """A property of an entity; `raw`: as it is, by `$value`."""

    def __init__(self, name: str, value: Any, *, raw: bool) -> None:
        self.name = name
        self.value = value
        self.raw = raw


def _found(world: World, segments: list[str]) -> Entity | Iterable[Entity] | _Value:
    name, key = _segment(segments[0])
    if name not in SETS:
        raise _nothing()
    found: Any = world.all(name) if key is None else world.find(name, key)
    for at, segment in enumerate(segments[1:], 1):
        if found is None or not isinstance(found, Entity):
            raise _nothing()
        name, key = _segment(segment)
        if name in found.links:
            found = found.links[name]()
            if key is not None and isinstance(found, History):
                found = world.find("Observations", key) if found.may_hold(key) else None
            elif key is not None:
                found = next((each for each in _many(found) if each.id == key), None)
        elif name in found.body and key is None and segments[at + 1 :] in ([], ["$value"]):
            return _Value(name, found.body[name], raw=len(segments) > at + 1)
        else:
            raise _nothing()
    if found is None:
        raise _nothing()
    reached: Entity | Iterable[Entity] = found
    return reached


def _many(found: Any) -> Iterable[Entity]:
    return () if found is None or isinstance(found, Entity) else found


def _segment(text: str) -> tuple[str, str | None]:
    match = SEGMENT.fullmatch(text)
    if match is None:
        raise _nothing()
    key = match["key"]
    if key is not None and key.startswith("'"):
        key = key[1:-1].replace("''", "'")
    return match["name"], key


def _features(found: Any, options: Options, writer: Writer, url: str) -> tuple[bytes, str]:
    page, count, more = ([found], None, False) if isinstance(found, Entity) else writer.page(found, options)
    collection: dict[str, Any] = {"type": "FeatureCollection"}
    if count is not None:
        collection["@iot.count"] = count
    if more:
        collection["@iot.nextLink"] = writer.next_link(found, page, options, url, **{"$resultFormat": "GeoJSON"})
    collection["features"] = [writer.feature(each, options) for each in page]
    return msgspec.json.encode(collection), GEOJSON


def _plain(found: _Value) -> tuple[bytes, str]:
    if not found.raw:
        return _json({found.name: found.value})
    if isinstance(found.value, str):
        return found.value.encode(), "text/plain; charset=utf-8"
    return msgspec.json.encode(found.value), JSON


def _json(content: Any) -> tuple[bytes, str]:
    return msgspec.json.encode(content), JSON


def _nothing() -> Problem:
    return not_found("such entity, link or property in this service; /v1.1 lists its sets")
