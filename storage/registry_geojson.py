"""The registry as GeoJSON (RFC 7946): a FeatureCollection of points whose properties are the columns of the CSV.

A property that is not there says nothing, `null` is an empty cell. The geometry is where the place is, longitude first;
one that is `null` says nothing.
"""

import json
from typing import Any

from storage.registry_csv import PLACE_COLUMNS, ZONE, Mistake, Parsed, attribute_columns, read_texts, spelled
from telemetry.kinds import KINDS
from telemetry.registry import Registry

SAME_PLACE_DEG = 1e-6
"""Properties `lat` and `lon` this near to the geometry say the same place, as programs for maps round them."""


def parse_geojson(text: str) -> Parsed:
    """Read a registry file; every mistake with the number of its feature, counted from 1."""
    parsed = Parsed(unit="feature")
    try:
        collection = json.loads(text)
    except json.JSONDecodeError as error:
        parsed.mistakes.append(Mistake(error.lineno, f"the JSON is broken: {error.msg}"))
        return parsed
    except (ValueError, RecursionError):
        parsed.mistakes.append(Mistake(None, "the JSON is no registry: it nests too deep or holds too long a number"))
        return parsed
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        parsed.mistakes.append(Mistake(None, "the JSON is no GeoJSON FeatureCollection"))
        return parsed
    unknown: set[str] = set()
    for number, feature in enumerate(features, start=1):
        _read_feature(number, feature, parsed, unknown)
    parsed.finish()
    return parsed


def _read_feature(number: int, feature: Any, parsed: Parsed, unknown: set[str]) -> None:
    properties = feature.get("properties") if isinstance(feature, dict) and feature.get("type") == "Feature" else None
    if not isinstance(properties, dict):
        parsed.complain(number, "it is no Feature with properties")
        return
    known = PLACE_COLUMNS + attribute_columns()
    texts: dict[str, str] = {}
    for name, value in properties.items():
        if name in known:
            try:
                texts[name] = _text(name, value)
            except ValueError as error:
                parsed.complain(number, str(error))
        elif name not in unknown:
            unknown.add(name)
            parsed.complain(number, f"unknown property {name!r}: the properties are {', '.join(known)}")
    try:
        texts |= _place(feature.get("geometry"), texts)
    except ValueError as error:
        parsed.complain(number, str(error))
    for name in ("asset", "kind"):
        if name not in properties:
            parsed.complain(number, f"the property {name!r} is missing")
    if "asset" in texts and "kind" in texts:
        read_texts(number, texts, parsed)


def _text(name: str, value: Any) -> str:
    """A property as the CSV's cell would be."""
    if isinstance(value, list | dict):
        raise ValueError(f"{name} is neither a text, a number, true, false nor null")
    text = spelled(value).strip()
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"{name} holds half a character")
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
        features.append(_feature(asset.lat, asset.lon, place | own))
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


def _feature(lat: float | None, lon: float | None, properties: dict[str, Any]) -> str:
    geometry = None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": properties}, ensure_ascii=False)
