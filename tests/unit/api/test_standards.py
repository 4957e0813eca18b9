"""The zones in the words of others, read with their own parsers and schemas."""

import json
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from api.board import PATH, Board
from api.standards import RENDERINGS, datex, datex_xml, ngsi_ld, parkapi, shapes
from api.standards.shown import Shown
from api.standards.vocabulary import AUDIENCES, ZONE
from storage.parking import Spot
from telemetry.kinds.parking_bay import ParkingBayAttributes
from tests.parts.recordings import shared
from tests.parts.zones import bays, message, zone
from tests.unit.api.conftest import Clock


@pytest.fixture(scope="module", autouse=True)
def zones(shown: Board) -> None:
    reserved = {"disabled": bays(free=1, occupied=1), "charging": bays(occupied=2)}
    shown.receive(*message(zone("market", restricted=reserved, closed=2, trend="filling", status="almost_full")))
    nobodys = {"disabled": bays(), "charging": bays()}
    shown.receive(
        *message(zone("square", 0, 0, name="Straße <&> \x0b", restricted=nobodys, status="closed")),
    )
    shown.receive(*message(zone("lost", lat=None, lon=None)))


def body(board: Board, path: str) -> Any:
    ready = board.document(path)
    assert ready is not None
    return json.loads(ready.body)


@pytest.fixture(scope="module")
def park_api() -> ModuleType:
    return import_module("tests.parts.park_api")


def test_parkapis_own_converter_takes_the_list_of_sites(park_api: ModuleType, shown: Board) -> None:
    standing, present = park_api.sites(body(shown, parkapi.SITES_PATH))
    assert [each.uid for each in standing] == [each.uid for each in present] == ["square", "market"]
    assert (standing[1].capacity, standing[1].capacity_disabled) == (12, 2)
    assert (standing[0].capacity_disabled, standing[0].restricted_to or []) == (None, []), "there are none"
    assert (present[1].realtime_free_capacity, present[1].realtime_free_capacity_disabled) == (3, 1)


def test_parkapis_models_take_every_spot(park_api: ModuleType) -> None:
    found = [
        Spot("b1", "Bay 1", "market", 51.4, 7.3, "disabled", online=True, occupied=True, closed=False, changed_us=0),
        Spot("b2", "", None, 51.4, 7.3, None, online=True, occupied=False, closed=False, changed_us=0),
        Spot("b3", "", "market", 51.4, 7.3, None, online=False, occupied=False, closed=False, changed_us=0),
        Spot("b4", "", "market", 51.4, 7.3, None, online=True, occupied=False, closed=True, changed_us=0),
    ]
    answer = parkapi.spots(found, "2026-11-22T20:15:10Z", stale=False)
    shapes.ParkingSpots.model_validate(answer)
    said = {}
    for item in answer["items"]:
        standing, present = park_api.spot(item)
        assert standing.uid == item["uid"]
        assert present.realtime_status is not None
        said[item["uid"]] = present.realtime_status.value
    assert said == {"b1": "TAKEN", "b2": "AVAILABLE", "b3": "UNKNOWN", "b4": "UNKNOWN"}
    assert {item["realtime_data_updated_at"] for item in answer["items"]} == {"2026-11-22T20:15:10Z"}
    assert {item["static_data_updated_at"] for item in answer["items"]} == {"1970-01-01T00:00:00Z"}


def test_pages_of_spots_go_on_at_an_id_whoever_came_or_went_meanwhile() -> None:
    whole: dict[str, Any] = {"items": [{"id": number} for number in (3, 5, 8)], "total_count": 3, "stale": False}
    first = parkapi.page(parkapi.SPOTS_PATH, whole, 0, 2)
    assert ([each["id"] for each in first["items"]], first["next_id"]) == ([3, 5], 6)
    assert first["next_path"] == f"{parkapi.SPOTS_PATH}?start=6&limit=2"
    without_the_first = whole | {"items": whole["items"][1:]}
    assert parkapi.page(parkapi.SPOTS_PATH, without_the_first, first["next_id"], 2) == whole | {"items": [{"id": 8}]}


def test_what_stands_still_of_a_site_does_so_through_readings_and_closures(board: Board) -> None:
    reserved = {"disabled": bays(free=1, occupied=1)}
    registered = {"registry_changed_at": "2026-11-01T08:00:00Z"}
    open_ = zone("market", free=3, occupied=7, restricted=reserved, **registered)
    shut = {"disabled": msgspec.structs.replace(bays(), closed=2)}
    closed = zone("market", 0, 0, restricted=shut, closed=12, status="closed", **registered)
    seen = []
    for word in (open_, msgspec.structs.replace(open_, updated_at="2026-11-22T20:15:05Z"), closed):
        board.receive(*message(word))
        site = next(each for each in body(board, parkapi.SITES_PATH)["items"] if each["uid"] == "market")
        seen.append([site[name] for name in ("static_data_updated_at", "capacity", "capacity_disabled")])
    assert seen == [["2026-11-01T08:00:00Z", 10, 2]] * 3


def test_every_reservation_of_the_registry_has_its_word_in_every_standard(park_api: ModuleType) -> None:
    (reserved_for,) = (each for each in msgspec.structs.fields(ParkingBayAttributes) if each.name == "reserved_for")
    assert {each for each in get_args(get_args(reserved_for.type)[0]) if each} == AUDIENCES.keys()
    assert ZONE.parkapi in park_api.SITE_TYPES & park_api.SPOT_TYPES
    for whom in AUDIENCES.values():
        word = zone(restricted={whom.ours: bays(free=1)})
        shown = Shown([word], word.updated_at, "")
        assert whom.parkapi in park_api.AUDIENCES
        assert whom.parkapi in parkapi.sites(shown).decode()
        for written in (datex.light(shown), datex_xml.publication(shown)):
            assert whom.datex in written.decode()
        assert {whom.ngsi_ld, whom.ngsi_ld_group} <= set(ngsi_ld.entities(shown).decode().split('"'))


def test_parkapi_reads_the_datex_xml_with_table_and_status(park_api: ModuleType, shown: Board) -> None:
    ready = shown.document(datex_xml.PATH)
    assert ready is not None
    standing, present = park_api.datex_xml(ready.body)
    assert next((each.uid, each.name, each.capacity) for each in standing) == ("market", "Market", 12)
    assert standing[1].name.startswith("Straße <&>")
    assert [(each.uid, each.realtime_free_capacity) for each in present] == [("market", 3), ("square", 0)]


def test_datex_without_a_zone_is_still_a_publication(clock: Clock) -> None:
    board = Board(clock)
    ready = board.document(datex_xml.PATH)
    assert ready is not None
    assert len(etree.fromstring(ready.body)) == 2
    assert body(board, datex.PATH)["parkingPublicationLight"]["parkingSite"] == []


def test_the_light_publication_has_the_shape_that_parkapi_publishes(shown: Board) -> None:
    answer = body(shown, datex.PATH)
    shapes.Datex.model_validate(answer)
    market, square = answer["parkingPublicationLight"]["parkingSite"]
    assert (market["availableSpaces"], market["occupancyTrend"]) == (3, "increasing")
    assert {each["typeOfAssignment"] for each in market["assignedFor"]} == {"onlyFor"}
    assert (square["isOpenNow"], square["temporaryClosed"]) == (False, True)


def test_ngsi_ld_entities_keep_to_the_smart_data_models(shown: Board) -> None:
    found = body(shown, ngsi_ld.PATH)
    assert [each["type"] for each in found] == ["OnStreetParking", "ParkingGroup", "ParkingGroup", "OnStreetParking"]
    assert found[0]["refParkingGroup"] == [found[1]["id"], found[2]["id"]]
    for entity in found:
        schema = json.loads(shared(f"schemas/smart_data_models/{entity['type']}.schema.json").read_text())
        schema["allOf"] = [part for part in schema["allOf"] if "$ref" not in part]  # what is common lies elsewhere
        assert not list(Draft202012Validator(schema).iter_errors(entity))


def test_geojson_keeps_to_rfc_7946(shown: Board) -> None:
    collection = body(shown, f"{PATH}.geojson")
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    for feature in collection["features"]:
        assert feature["type"] == "Feature"
        assert {"geometry", "properties"} <= feature.keys()
        assert not {"coordinates", "geometries", "features"} & feature.keys()
        if feature["geometry"] is not None:
            longitude, latitude = feature["geometry"]["coordinates"]
            assert -180 <= longitude <= 180
            assert -90 <= latitude <= 90


async def test_all_of_them_are_cached_open_and_shaped_as_described(client: httpx.AsyncClient) -> None:
    for path, rendering in RENDERINGS.items():
        answer = await client.get(path)
        assert answer.headers["content-type"] == rendering.media_type
        assert answer.headers["cache-control"] == "public, max-age=60, stale-if-error=300"
        assert answer.headers["access-control-allow-origin"] == "*"
        again = await client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    shapes.ParkingSites.model_validate((await client.get(parkapi.SITES_PATH)).json())
    for entity in (await client.get(ngsi_ld.PATH)).json():
        shapes.NgsiLdEntity.model_validate(entity)


async def test_pages_of_sites_follow_each_other_and_a_page_that_cannot_be_is_a_problem(
    client: httpx.AsyncClient,
) -> None:
    whole = (await client.get(parkapi.SITES_PATH)).json()
    assert [each["id"] for each in whole["items"]] == sorted(map(parkapi.number, ("market", "square")))
    first = (await client.get(f"{parkapi.SITES_PATH}?limit=1")).json()
    shapes.ParkingSites.model_validate(first)
    second = (await client.get(first["next_path"])).json()
    assert first["items"] + second["items"] == whole["items"]
    assert "next_path" not in second
    for nonsense in ("limit=abc", "limit=-1", "limit=0", "limit=1001", "start=x", "start=-1"):
        answer = await client.get(f"{parkapi.SITES_PATH}?{nonsense}")
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, nonsense.split("=")[0])


async def test_spots_that_were_never_read_are_a_problem_while_the_database_is_away(client: httpx.AsyncClient) -> None:
    answer = await client.get(parkapi.SPOTS_PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
