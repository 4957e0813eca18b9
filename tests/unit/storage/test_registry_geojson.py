"""Reading a registry as GeoJSON: features are the rows of the CSV, points are places."""

import json
from typing import Any

import pytest

from storage.registry_csv import parse
from storage.registry_geojson import parse_geojson, written_geojson
from telemetry.kinds.parking_bay import ParkingBayAttributes
from telemetry.registry import Asset, Registry, Zone

POINT = {"type": "Point", "coordinates": [7.31, 51.41]}


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def mistakes(text: str) -> list[str]:
    return [str(mistake) for mistake in parse_geojson(text).mistakes]


def test_features_are_the_rows_of_the_csv() -> None:
    of_features = parse_geojson(
        collection(
            feature({"type": "Point", "coordinates": [7.3, 51, 82.5]}, asset="altstadt", kind="zone", name="Altstadt"),
            feature(
                POINT, asset="lamp-1", kind="streetlight", device="d-1", min_level_pct=30.0, crossing=True, zone=None
            ),
        )
    )
    of_lines = (
        parse(
            "asset,kind,name,lat,lon\naltstadt,zone,Altstadt,51,7.3\n",
        ).rows
        + parse(
            "asset,kind,device,min_level_pct,crossing,zone,lat,lon\n\nlamp-1,streetlight,d-1,30,true,,51.41,7.31\n"
        ).rows[:1]
    )
    assert of_features.mistakes == []
    assert [(row.asset, row.kind, row.device, row.given) for row in of_features.rows] == [
        (row.asset, row.kind, row.device, row.given) for row in of_lines
    ]


def test_a_property_that_is_not_there_says_nothing_and_null_is_an_empty_cell() -> None:
    text = collection(feature(asset="lamp-1", kind="streetlight", zone=None, crown_m=None, crossing=None))
    (row,) = parse_geojson(text).rows
    assert row.given == {"zone": None, "crossing": None}


def test_properties_may_repeat_the_place_as_programs_for_maps_do() -> None:
    (row,) = parse_geojson(collection(feature(POINT, asset="l", kind="streetlight", lat=51.4100001, lon="7.31"))).rows
    assert (row.given["lat"], row.given["lon"]) == (51.41, 7.31)


def test_all_mistakes_are_told_at_once_by_feature() -> None:
    line = {"type": "LineString", "coordinates": [[7, 51], [8, 51]]}
    assert mistakes(
        collection(
            feature(POINT, asset="lamp-1", kind="streetlight", device="d-1"),
            feature(line, asset="lamp-2", kind="streetlight", crossing="perhaps"),
            feature({"type": "Point", "coordinates": [51.4, "7.3"]}, asset="lamp-3", kind="streetlight"),
            feature({"type": "Point", "coordinates": [389_123.1, 5_700_000]}, asset="lamp-4", kind="streetlight"),
            feature(POINT, asset="lamp-5", kind="streetlight", lat=51.5, lon=7.31),
            feature(asset="lamp-1", kind="streetlight", device="d-2"),
            feature(asset="lamp-6", kind="streetlight", device="d-1"),
            feature(name="nobody"),
            feature(asset=["lamp-7"], kind="streetlight"),
            {"type": "Point", "coordinates": [7, 51]},
            feature(asset="lamp-8", kind="streetlight", name="\ud800"),
        )
    ) == [
        "feature 2: the geometry is of type 'LineString', a place is a 'Point'",
        "feature 2: crossing 'perhaps': expected `bool | null`, got `str`",
        "feature 3: the coordinates of a Point are longitude, latitude and at most a height",
        "feature 4: lat '5700000' is no number of degrees from -90 to 90",
        "feature 4: lon '389123.1' is no number of degrees from -180 to 180",
        "feature 5: the property lat says 51.5, the geometry 51.41",
        "feature 6: 'lamp-1' stands in feature 1 already",
        "feature 7: the device 'd-1' serves 'lamp-1' already",
        "feature 8: the property 'asset' is missing",
        "feature 8: the property 'kind' is missing",
        "feature 9: asset is neither a text, a number, true, false nor null",
        "feature 10: it is no Feature with properties",
        "feature 11: name holds half a character",
    ]


def test_an_unknown_property_is_told_once() -> None:
    lamps = [feature(asset=f"lamp-{n}", kind="streetlight", colour="red") for n in range(3)]
    (words,) = mistakes(collection(*lamps))
    assert words.startswith("feature 1: unknown property 'colour': the properties are asset, kind, name")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type":\n "FeatureCollection",', "line 2: the JSON is broken"),
        ('{"type": "Feature"}', "the JSON is no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "the JSON is no GeoJSON FeatureCollection"),
        ("[]", "the JSON is no GeoJSON FeatureCollection"),
        ('{"a":' + "[" * 100_000, "the JSON is no registry"),
        ('{"a":' + "1" * 5_000 + "}", "the JSON is no registry"),
    ],
    ids=["broken", "one feature", "no features", "a list", "deep", "a long number"],
)
def test_a_file_that_is_something_else_is_one_sentence(text: str, words: str) -> None:
    (said,) = mistakes(text)
    assert said.startswith(words)


def test_what_is_written_is_read_again() -> None:
    zone = Zone("altstadt", "Altstadt, groß", 51.0, 7.3)
    bay = Asset(1, "bay-1", "parking_bay", "", "altstadt", None, None, ParkingBayAttributes(reserved_for="charging"))
    gone = Asset(2, "bay-2", "parking_bay", "", None, None, None, ParkingBayAttributes(), retired=True)
    parsed = parse_geojson(written_geojson(Registry.build(1, [zone], [bay, gone], [])))
    assert parsed.mistakes == []
    assert [(row.asset, row.kind, row.device, row.given) for row in parsed.rows] == [
        ("altstadt", "zone", None, {"name": "Altstadt, groß", "lat": 51.0, "lon": 7.3}),
        (
            "bay-1",
            "parking_bay",
            None,
            {"name": "", "zone": "altstadt", "reserved_for": "charging", "report_every_s": None},
        ),
    ]


def test_an_empty_registry_is_an_empty_collection() -> None:
    assert json.loads(written_geojson(Registry())) == {"type": "FeatureCollection", "features": []}
