"""The registry as GeoJSON (RFC 7946): a FeatureCollection of points whose properties are the columns of the CSV.

A property that is not there says nothing, `null` is an empty cell. The geometry is where the place is, longitude first;
one that is `null` says nothing. Features are read one at a time.
"""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from storage.json_stream import BadJson, JsonStream
from storage.registry_csv import MODEL, PLACE_COLUMNS, ZONE, Mistake, Place, Row, columns, read_texts, spelled
from storage.spreadsheet import is_utf8
from telemetry.kinds import KINDS
from telemetry.registry import Registry

SAME_PLACE_DEG = 1e-6
"""Properties `lat` and `lon` this near to the geometry say the same place, as programs for maps round them."""

_NO_COLLECTION = "the JSON is no GeoJSON FeatureCollection"


def read_geojson(source: TextIO) -> Iterator[Row | Mistake]:
    """Read a registry file, feature by feature; of one with mistakes, all of them."""
    stream = JsonStream(source)
    try:
        yield from _read(stream)
    except BadJson as error:
        yield Mistake(Place(stream.line, stream.line), str(error))


def _read(stream: JsonStream) -> Iterator[Row | Mistake]:
    if stream.peek() != "{":
        yield Mistake(None, _NO_COLLECTION)
        return
    stream.take("{")
    said: set[tuple[str, str]] = set()
    while stream.peek() != "}":
        name = stream.value()
        if not isinstance(name, str):
            raise BadJson("the JSON is broken: a member has no name")
        stream.take(":")
        if name == "features" and stream.peek() == "[":
            said.add((name, ""))
            yield from _features(stream)
        else:
            said.add((name, str(stream.value())))
        if stream.peek() != "}":
            stream.take(",")
    stream.take("}")
    if stream.peek():
        raise BadJson("the JSON is broken: something follows its end")
    if not {("features", ""), ("type", "FeatureCollection")} <= said:
        yield Mistake(None, _NO_COLLECTION)


def _features(stream: JsonStream) -> Iterator[Row | Mistake]:
    stream.take("[")
    unknown: set[str] = set()
    number = 0
    while stream.peek() != "]":
        number += 1
        place = Place(number, stream.line, "feature")
        yield from _read_feature(place, stream.value(), unknown)
        if stream.peek() != "]":
            stream.take(",")
    stream.take("]")


def _read_feature(place: Place, feature: Any, unknown: set[str]) -> Iterator[Row | Mistake]:
    properties = feature.get("properties") if isinstance(feature, dict) and feature.get("type") == "Feature" else None
    if not isinstance(properties, dict):
        yield Mistake(place, "it is no Feature with properties")
        return
    known = columns()
    wrong: list[str] = []
    texts: dict[str, str] = {}
    for name, value in properties.items():
        if name in known:
            try:
                texts[name] = _text(name, value)
            except ValueError as error:
                wrong.append(str(error))
        elif name not in unknown:
            unknown.add(name)
            wrong.append(f"unknown property {name!r}: the properties are {', '.join(known)}")
    try:
        texts |= _place(feature.get("geometry"), texts)
    except ValueError as error:
        wrong.append(str(error))
    wrong += [f"the property {name!r} is missing" for name in ("asset", "kind") if name not in properties]
    yield from (Mistake(place, words) for words in wrong)
    if "asset" in texts and "kind" in texts:
        yield from read_texts(place, texts)


def _text(name: str, value: Any) -> str:
    """A property as the CSV's cell would be."""
    if isinstance(value, list | dict):
        raise ValueError(f"{name} is neither a text, a number, true, false nor null")
    text = spelled(value).strip()
    if not is_utf8(text):
        raise ValueError(f"{name} holds bytes that are no UTF-8, or half a character")
    return text


def _place(geometry: Any, texts: dict[str, str]) -> dict[str, str]:
    """`lat` and `lon` of a point; `ValueError` if it is none, or the properties say another place."""
    if geometry is None:
        return {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind != "Point":
        raise ValueError(f"the geometry is of type {kind!r}, a place is a 'Point'")
    position = geometry.get("coordinates")
    if not isinstance(position, list) or len(position) not in (2, 3) or not all(map(_is_number, position)):
        raise ValueError("the coordinates of a Point are longitude, latitude and at most a height")
    place = {"lat": position[1], "lon": position[0]}
    for name, degrees in place.items():
        said = texts.get(name)
        if said and not _is_near(said, degrees):
            raise ValueError(f"the property {name} says {said}, the geometry {spelled(degrees)}")
    return {name: spelled(degrees) for name, degrees in place.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_near(said: str, degrees: float) -> bool:
    try:
        return abs(float(said) - degrees) <= SAME_PLACE_DEG
    except (ValueError, OverflowError):
        return False


def written_geojson(registry: Registry) -> str:
    """All zones and all assets in service as a file that `import` takes and that then changes nothing, a line each."""
    features = []
    for zone in registry.zones.values():
        features.append(_feature(zone.lat, zone.lon, {"asset": zone.zone, "kind": ZONE, "name": zone.name}))
    for asset in registry.assets.values():
        if asset.retired:
            continue
        place = {name: getattr(asset, name) for name in PLACE_COLUMNS if name not in ("lat", "lon")}
        own = {name: getattr(asset.attributes, name) for name in KINDS[asset.kind].attribute_names}
        features.append(_feature(asset.lat, asset.lon, place | {MODEL: registry.model(asset.device)} | own))
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


def _feature(lat: float | None, lon: float | None, properties: dict[str, Any]) -> str:
    geometry = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": properties}, ensure_ascii=False)
