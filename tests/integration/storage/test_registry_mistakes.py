"""A registry file with many different mistakes: all of them are told by line, and nothing is imported."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage import registry, registry_import, survey
from storage.pool import Connection
from storage.registry import RegistryRefused, Wanted, import_csv, import_geojson
from storage.spreadsheet import open_text

NOW = 1_795_000_000_000_000
BEFORE = "asset,kind,device\nlamp-0,streetlight,d-0\nbay-0,parking_bay,\n"
MODELS = {"bosch/tps110"}

CSV = b"""asset,kind,name,zone,lat,lon,device,model,crown_m,crossing,reserved_for,report_every_s
lamp-1,streetlight,Good,altstadt,51.4,7.3,d-1,,,true,,600
lamp-2,lantern,,,,,,,,,,
-lamp,streetlight,,,,,,,,,,
,streetlight,,,,,,,,,,
stream,zone,,,,,,,,,,
hafen,zone,,altstadt,,,,,,,,
lamp-3,streetlight,,old town,,,,,,,,
lamp-4,streetlight,,,51.4,,,,,,,
lamp-5,streetlight,,,91,7.3,,,,,,
lamp-6,streetlight,,,51.4,west,,,,,,
lamp-7,streetlight,,,,,d/7,,,,,
shaft-1,drain_level,,,,,,,high,,,
shaft-2,drain_level,,,,,,,-0.1,,,
shaft-3,drain_level,,,,,,,,true,,
lamp-8,streetlight,,,,,,,,perhaps,,
bay-1,parking_bay,,,,,,,,,family,
bay-2,parking_bay,,,,,,,,,,0
lamp-9,streetlight,,,
lamp-10,streetlight,L\xe4mpchen,,,,,,,,,
lamp-11,streetlight,La\0mp,,,,,,,,,
lamp-12,streetlight,"Lamp "12"",,,,,,,,,
lamp-1,streetlight,Twin,,,,,,,,,
lamp-13,streetlight,,,,,d-1,,,,,
lamp-14,streetlight,,,,,d-0,,,,,
bay-0,streetlight,,,,,,,,,,
bay-3,parking_bay,,,,,d-3,bosch/tps111,,,,
bay-4,parking_bay,,,,,,bosch/tps110,,,,
"""

OF_CSV = """\
line 3: 'lantern' is no kind: the kinds are drain_level, parking_bay, streetlight, zone
line 4: '-lamp' is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first
line 5: '' is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first
line 6: 'stream' is no name for a zone: it is a word of the public API
line 7: a zone has neither a device nor a zone
line 8: 'old town' is no name for a zone: 1 to 64 letters, digits, _ . - and no _ . - first
line 9: lat and lon go together
line 10: lat '91' is no number of degrees from -90 to 90
line 11: lon 'west' is no number of degrees from -180 to 180
line 12: 'd/7' is no name for a device: 1 to 64 letters, digits, _ . : -
line 13: crown_m 'high' is no number from 0 to 100
line 14: crown_m '-0.1' is no number from 0 to 100
line 15: crossing is no attribute of a drain_level
line 16: crossing 'perhaps' is neither true nor false
line 17: reserved_for 'family' is none of charging, disabled
line 18: report_every_s '0' is no whole number from 1 to 604800
line 19: 5 cells, but the header has 12
line 20: it holds bytes that are no UTF-8: save the file as UTF-8
line 21: a cell holds the character NUL
line 22: the CSV is broken: ',' expected after '"'
line 23: 'lamp-1' stands in line 2 already
line 24: the device 'd-1' serves 'lamp-1' already
line 25: the device 'd-0' serves 'lamp-0': give that asset another device or retire it
line 26: 'bay-0' is a parking_bay and stays one: give the streetlight another name
line 27: 'bosch/tps111' is no model that there is a codec for: did you mean 'bosch/tps110'?
line 28: the model 'bosch/tps110' is of no device: none serves 'bay-4'
"""


async def mistakes(conn: Connection, file: Path) -> list[str]:
    bring = import_geojson if file.suffix == ".geojson" else import_csv
    with open_text(file) as source, pytest.raises(RegistryRefused) as refused:
        await bring(conn, source, NOW, Wanted(models=MODELS))
    loaded = await registry.load(conn)
    assert ([asset.asset for asset in loaded.assets.values()], loaded.zones) == (["lamp-0", "bay-0"], {})
    return [str(each) for each in refused.value.mistakes]


async def test_every_mistake_of_a_csv_is_told_by_its_line_and_nothing_is_imported(
    native: Connection, tmp_path: Path
) -> None:
    await import_csv(native, BEFORE, NOW)
    (tmp_path / "city.csv").write_bytes(CSV)
    assert await mistakes(native, tmp_path / "city.csv") == OF_CSV.splitlines()


def feature(asset: Any, kind: Any = "streetlight", geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"asset": asset, "kind": kind, **properties}}


FEATURES = [
    (feature("lamp-1", device="d-1"), ""),
    (feature("lamp-2", "lantern"), "'lantern' is no kind: the kinds are drain_level, parking_bay, streetlight, zone"),
    (feature("-lamp"), "'-lamp' is no name for an asset: 1 to 64 letters, digits, _ . - and no _ . - first"),
    ({"type": "Feature", "properties": {"kind": "streetlight"}}, "the property 'asset' is missing"),
    (feature(["lamp"]), "asset is neither a text, a number, true, false nor null"),
    ({"type": "Feature", "properties": None}, "it is no Feature with properties"),
    (feature("nearest", "zone"), "'nearest' is no name for a zone: it is a word of the public API"),
    (feature("hafen", "zone", device="d-9"), "a zone has neither a device nor a zone"),
    (
        feature("lamp-3", geometry={"type": "LineString", "coordinates": [[7, 51], [8, 51]]}),
        "the geometry is of type 'LineString', a place is a 'Point'",
    ),
    (
        feature("lamp-4", geometry={"type": "Point", "coordinates": [7]}),
        "the coordinates of a Point are longitude, latitude and at most a height",
    ),
    (
        feature("lamp-5", geometry={"type": "Point", "coordinates": [7.3, 5_700_000]}),
        "lat '5700000' is no number of degrees from -90 to 90",
    ),
    (
        feature("lamp-6", geometry={"type": "Point", "coordinates": [7.3, 51.4]}, lat=51.5, lon=7.3),
        "the property lat says 51.5, the geometry 51.4",
    ),
    (feature("lamp-7", device="d/7"), "'d/7' is no name for a device: 1 to 64 letters, digits, _ . : -"),
    (feature("shaft-1", "drain_level", ground_m=200), "ground_m '200' is no number from 0 to 100"),
    (feature("shaft-2", "drain_level", ring_sign=True), "ring_sign is no attribute of a drain_level"),
    (feature("lamp-8", crossing=2), "crossing '2' is neither true nor false"),
    (feature("bay-1", "parking_bay", reserved_for="all"), "reserved_for 'all' is none of charging, disabled"),
    (feature("lamp-9", name="\ud800"), "name holds bytes that are no UTF-8, or half a character"),
    (feature("lamp-10", name="a\0b"), "a cell holds the character NUL"),
    (feature("lamp-1", name="Twin"), "'lamp-1' stands in feature 1 already"),
    (feature("lamp-11", device="d-1"), "the device 'd-1' serves 'lamp-1' already"),
    (
        feature("lamp-12", device="d-0"),
        "the device 'd-0' serves 'lamp-0': give that asset another device or retire it",
    ),
    (feature("bay-0"), "'bay-0' is a parking_bay and stays one: give the streetlight another name"),
    (
        feature("bay-2", "parking_bay", model="bosch/tps110"),
        "the model 'bosch/tps110' is of no device: none serves 'bay-2'",
    ),
]


async def test_every_mistake_of_a_geojson_is_told_by_its_line_and_nothing_is_imported(
    native: Connection, tmp_path: Path
) -> None:
    await import_csv(native, BEFORE, NOW)
    lines = ",\n".join(json.dumps(each) for each, _ in FEATURES)
    (tmp_path / "city.geojson").write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}')
    wanted = [f"line {n + 1}, feature {n}: {words}" for n, (_, words) in enumerate(FEATURES, 1) if words]
    assert len(wanted) > 20
    assert await mistakes(native, tmp_path / "city.geojson") == wanted


async def test_a_drain_whose_crown_lies_above_its_ground_is_refused_with_what_is_registered(native: Connection) -> None:
    header = "asset,kind,crown_m,ground_m,sensor_height_m\n"
    await import_csv(native, f"{header}s-1,drain_level,1,2,\ns-2,drain_level,2,2,\ns-3,drain_level,3,,1\n", NOW)
    with pytest.raises(RegistryRefused) as refused:
        await import_csv(native, "asset,kind,crown_m\ns-1,drain_level,2.5\ns-3,drain_level,2.5\n", NOW)
    words = "line 2: crown_m 2.5 of 's-1' lies above its ground_m 2.0: correct one of them"
    assert [str(each) for each in refused.value.mistakes] == [words]
    await native.execute("""UPDATE asset SET attributes = attributes || '{"ground_m": 0.5}' WHERE asset = 's-1'""")
    assert await survey.above(native, "drain_level", "crown_m", "ground_m") == ["s-1"]
    text = registry.written(await registry.load(native))
    assert (await import_csv(native, text, NOW)).unchanged == 3


async def test_of_endless_mistakes_the_first_are_told(native: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_import, "MISTAKES_MAX", 3)
    rows = "".join(f"lamp-{n},lantern\n" for n in range(8))
    with pytest.raises(RegistryRefused) as refused:
        await import_csv(native, f"asset,kind\n{rows}", NOW)
    assert ([str(each)[:6] for each in refused.value.mistakes], refused.value.more) == (
        ["line 2", "line 3", "line 4"],
        5,
    )


async def test_a_zone_that_only_an_asset_names_is_imported_with_a_note(native: Connection) -> None:
    notes: list[str] = []
    wanted = Wanted(warn=notes.append)
    text = "asset,kind,name,zone\nmarkt,zone,Markt,\nlamp-1,streetlight,,markt\nlamp-2,streetlight,,hafen\n"
    await import_csv(native, text, NOW, wanted)
    await import_csv(
        native, text + "lamp-3,streetlight,,hafne\nlamp-4,streetlight,,x\n", NOW, Wanted(True, warn=wanted.warn)
    )
    await import_csv(native, text, NOW, wanted)
    assert notes == [
        "1 new zone without a name or place: hafen",
        "2 new zones without a name or place: hafne (did you mean hafen?), x",
    ]


async def test_a_name_that_leads_nowhere_is_imported_with_a_note(native: Connection) -> None:
    notes: list[str] = []
    text = "asset,kind,upstream,rain_from\ns-1,drain_level,s-2,s-9\ns-2,drain_level,s-2,lamp-0\ns-3,drain_level,,s-1\n"
    await import_csv(native, BEFORE, NOW)
    await import_csv(native, text, NOW, Wanted(warn=notes.append))
    assert notes == [
        "line 2: rain_from of 's-1' is 's-9', which is no asset of its kind",
        "line 3: rain_from of 's-2' is 'lamp-0', which is no asset of its kind",
        "line 3: upstream of 's-2' is 's-2', which is the asset itself",
    ]
