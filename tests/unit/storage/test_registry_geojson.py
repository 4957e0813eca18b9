"""Reading a registry as GeoJSON: features are the rows of the CSV, points are places."""

import io
import json
import tracemalloc
from typing import Any

import pytest

from storage import json_stream
from storage.registry_csv import Mistake, Row, read_csv
from storage.registry_geojson import read_geojson, written_geojson
from telemetry.kinds.parking_bay import ParkingBayAttributes
from telemetry.registry import Asset, Registry, Zone

POINT = {"type": "Point", "coordinates": [7.31, 51.41]}


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def mistakes(text: str) -> list[str]:
    return [str(each) for each in read_geojson(io.StringIO(text)) if isinstance(each, Mistake)]


def rows(text: str) -> list[Row]:
    found = list(read_geojson(io.StringIO(text)))
    assert not [each for each in found if isinstance(each, Mistake)]
    return [each for each in found if isinstance(each, Row)]


def test_features_are_the_rows_of_the_csv() -> None:
    of_features = rows(
        collection(
            feature({"type": "Point", "coordinates": [7.3, 51, 82.5]}, asset="altstadt", kind="zone", name="Altstadt"),
            feature(
                POINT, asset="lamp-1", kind="streetlight", device="d-1", min_level_pct=30.0, crossing=True, zone=None
            ),
        )
    )
    of_lines = [
        *read_csv(io.StringIO("asset,kind,name,lat,lon\naltstadt,zone,Altstadt,51,7.3\n")),
        *read_csv(
            io.StringIO(
                "asset,kind,device,min_level_pct,crossing,zone,lat,lon\n\nlamp-1,streetlight,d-1,30,true,,51.41,7.31\n"
            )
        ),
    ]
    assert [(row.asset, row.kind, row.device, row.given) for row in of_features] == [
        (row.asset, row.kind, row.device, row.given) for row in of_lines if isinstance(row, Row)
    ]


def test_a_property_that_is_not_there_says_nothing_and_null_is_an_empty_cell() -> None:
    text = collection(feature(asset="lamp-1", kind="streetlight", zone=None, crown_m=None, crossing=None))
    (row,) = rows(text)
    assert row.given == {"zone": None, "crossing": None}


def test_properties_may_repeat_the_place_as_programs_for_maps_do() -> None:
    (row,) = rows(collection(feature(POINT, asset="l", kind="streetlight", lat=51.4100001, lon="7.31")))
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
            feature(name="nobody"),
            feature(asset=["lamp-7"], kind="streetlight"),
            {"type": "Point", "coordinates": [7, 51]},
            feature(asset="lamp-8", kind="streetlight", name="\ud800"),
        )
    ) == [
        "line 1, feature 2: the geometry is of type 'LineString', a place is a 'Point'",
        "line 1, feature 2: crossing 'perhaps' is neither true nor false",
        "line 1, feature 3: the coordinates of a Point are longitude, latitude and at most a height",
        "line 1, feature 4: lat '5700000' is no number of degrees from -90 to 90",
        "line 1, feature 4: lon '389123.1' is no number of degrees from -180 to 180",
        "line 1, feature 5: the property lat says 51.5, the geometry 51.41",
        "line 1, feature 6: the property 'asset' is missing",
        "line 1, feature 6: the property 'kind' is missing",
        "line 1, feature 7: asset is neither a text, a number, true, false nor null",
        "line 1, feature 8: it is no Feature with properties",
        "line 1, feature 9: name holds bytes that are no UTF-8, or half a character",
    ]


def test_an_unknown_property_is_told_once() -> None:
    lamps = [feature(asset=f"lamp-{n}", kind="streetlight", colour="red") for n in range(3)]
    (words,) = mistakes(collection(*lamps))
    assert words.startswith("line 1, feature 1: unknown property 'colour': the properties are asset, kind, name")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type":\n "FeatureCollection",', "line 2: the JSON is broken"),
        ('{"type": "Feature"}', "the JSON is no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "the JSON is no GeoJSON FeatureCollection"),
        ("[]", "the JSON is no GeoJSON FeatureCollection"),
        ('{"a":' + "[" * 100_000, "line 1: the JSON nests too deep or holds too long a number"),
        ('{"a":' + "1" * 5_000 + "}", "line 1: the JSON nests too deep or holds too long a number"),
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
    written = written_geojson(Registry.build(1, [zone], [bay, gone], []))
    assert [(row.asset, row.kind, row.device, row.given) for row in rows(written)] == [
        ("altstadt", "zone", None, {"name": "Altstadt, groß", "lat": 51.0, "lon": 7.3}),
        (
            "bay-1",
            "parking_bay",
            None,
            {"name": None, "zone": "altstadt", "reserved_for": "charging", "report_every_s": None},
        ),
    ]


def test_an_empty_registry_is_an_empty_collection() -> None:
    assert json.loads(written_geojson(Registry())) == {"type": "FeatureCollection", "features": []}


def test_a_mistake_is_told_by_the_line_where_its_feature_begins() -> None:
    good = json.dumps(feature(asset="l", kind="streetlight"))
    text = f'{{"type": "FeatureCollection",\n"features": [\n{good},\n7,\n{good}\n]}}'
    assert mistakes(text) == ["line 4, feature 2: it is no Feature with properties"]


@pytest.mark.parametrize("size", [1, 7, 100, 64 * 1024])
def test_features_are_read_whole_wherever_the_text_is_cut(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", size)
    lamps = [feature(POINT, asset=f"l-{n}", kind="streetlight", name='"}é\\', crossing=None) for n in range(20)]
    text = json.dumps(
        {"name": "x", "n": 123, "type": "FeatureCollection", "features": lamps, "bbox": [1.5, -2e3]}, indent=1
    )
    assert [row.asset for row in rows(text)] == [f"l-{n}" for n in range(20)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"features": [{"a": 1}, {"b" 2}]}', "the JSON is broken: Expecting ':' delimiter"),
        ('{"features": [{"a": 1} {"b": 2}]}', "the JSON is broken: ',' is missing before '{'"),
        ('{"type": "FeatureCollection", "features": []} {}', "the JSON is broken: something follows its end"),
        ('{"type": "' + "x" * 3_000_000 + '"}', "a value has more than 1,048,576 characters"),
        ("{1: 2}", "the JSON is broken: a member has no name"),
    ],
    ids=["colon", "comma", "end", "long", "name"],
)
def test_where_the_json_breaks_reading_ends_with_one_sentence(text: str, words: str) -> None:
    assert mistakes(text)[-1] == f"line 1: {words}"


def test_memory_does_not_grow_with_the_town() -> None:
    lamps = ",\n".join(
        json.dumps(feature(POINT, asset=f"l-{n}", kind="streetlight", name="x" * 200)) for n in range(5_000)
    )
    text = io.StringIO(f'{{"type": "FeatureCollection", "features": [{lamps}]}}')
    tracemalloc.start()
    assert sum(isinstance(each, Row) for each in read_geojson(text)) == 5_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000 < text.tell()
