"""SensorThings over the zones: paths, query options, who sees what, and what hostile queries get."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from psycopg_pool import AsyncConnectionPool

from api.board import Board
from api.database import Database
from api.settings import ApiSettings
from api.standards.sensorthings import names as names_of
from api.standards.sensorthings import options, raw_table, resources
from api.standards.sensorthings.budget import Budget
from api.standards.sensorthings.entities import SETS, World
from api.standards.sensorthings.sources import of_assets, of_zone
from api.standards.sensorthings.writing import Writer
from storage.errors import Busy
from storage.pool import Pool
from storage.readings import AssetState
from telemetry.clock import to_datetime
from tests.parts.zones import bays, message, zone
from tests.unit.api.conftest import MOMENT_US, MakeApp, open_client


@pytest.fixture(scope="module", autouse=True)
def zones(shown: Board) -> None:
    shown.receive(*message(zone("market", free=3, restricted={"disabled": bays(free=1)})))
    shown.receive(*message(zone("ohara", name="O'hara", free=0, lat=51.5)))
    shown.receive(*message(zone("lost", free=8, lat=None, lon=None, stale=True)))


async def get(client: httpx.AsyncClient, path: str, **given: str) -> Any:
    answer = await client.get(f"/v1.1/{path}", params={f"${name}": value for name, value in given.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(found: Any) -> list[str]:
    return [each["name"] for each in found["value"]]


async def test_the_root_names_every_set_and_each_answers(client: httpx.AsyncClient) -> None:
    root = (await client.get("/v1.1")).json()
    assert root == (await client.get("/v1.1/")).json()
    for each in root["value"]:
        answer = await client.get(each["url"])
        assert answer.json().keys() == {"value"}, each
    assert len((await get(client, "Datastreams"))["value"]) == 19


async def test_links_lead_there_and_back(client: httpx.AsyncClient) -> None:
    thing = await get(client, "Things('zone:market')")
    assert (thing["@iot.id"], thing["properties"]["capacity"]) == ("zone:market", 10)
    streams = (await client.get(thing["Datastreams@iot.navigationLink"])).json()["value"]
    free = next(each for each in streams if each["properties"]["field"] == "free")
    assert (await client.get(free["Thing@iot.navigationLink"])).json() == thing
    seen = (await client.get(free["Observations@iot.navigationLink"])).json()["value"][0]
    assert (seen["result"], seen["phenomenonTime"]) == (3, "2026-11-22T20:15:00Z")
    assert (await client.get(seen["@iot.selfLink"])).json() == seen
    assert (await client.get(f"{seen['@iot.selfLink']}/result/$value")).json() == 3
    assert (await get(client, "Datastreams('zone:market:free')/Sensor/name")) == {"name": "parking_zone"}
    assert (await get(client, "Things('zone:lost')/Locations")) == {"value": []}
    assert len((await get(client, "Sensors('parking_zone')/Datastreams/$ref"))["value"]) == 19


async def test_pages_follow_each_other_until_the_end(client: httpx.AsyncClient) -> None:
    page = await get(client, "Things", top="1", count="true", orderby="name desc")
    found = names(page)
    assert page["@iot.count"] == 3
    while "@iot.nextLink" in page:
        page = (await client.get(page["@iot.nextLink"])).json()
        found += names(page)
    assert found == ["O'hara", "Market", "Lost"]


async def test_expanded_is_what_was_asked_for_and_no_more(client: httpx.AsyncClient) -> None:
    inner = "Datastreams($filter=ObservedProperty/name eq 'free';$select=name;$expand=Observations($select=result))"
    found = await get(client, "Things", expand=f"{inner},Locations", select="name", filter="name eq 'Market'")
    (market,) = found["value"]
    assert market.keys() == {"name", "Datastreams", "Locations"}
    assert market["Datastreams"] == [{"name": "Market: free", "Observations": [{"result": 3}]}]
    assert market["Locations"][0]["location"]["coordinates"] == [7.3352, 51.4363]
    deep = await get(client, "Datastreams('zone:market:free')", expand="Thing/Locations,Observations/FeatureOfInterest")
    assert deep["Thing"]["Locations"][0]["name"] == "Market"
    assert deep["Observations"][0]["FeatureOfInterest"]["name"] == "Market"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name eq 'O''hara'", ["O'hara"]),
        ("properties/capacity ge 8 and not (properties/stale eq true)", ["Market"]),
        ("Datastreams/Observations/result eq 8", ["Lost"]),
        ("substringof('ark', name) or startswith(tolower(name), 'lo')", ["Lost", "Market"]),
        ("properties/capacity div 2 add 1 eq 6", ["Market"]),
        ("geo.distance(Locations/location, geography'POINT(7.3352 51.43)') lt 0.01", ["Market"]),
        ("id eq 'zone:lost'", ["Lost"]),
        ("Datastreams/phenomenonTime gt 2026-11-22T21:14:00+01:00 and name ne 'Lost'", ["Market", "O'hara"]),
        ("name gt 3", []),
        ("properties/there eq null and name eq 'Lost'", ["Lost"]),
        ("properties/stale", ["Lost"]),
        ("'a' mul 9999999999 eq 1", []),
    ],
)
async def test_filter(client: httpx.AsyncClient, condition: str, expected: list[str]) -> None:
    assert names(await get(client, "Things", filter=condition)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "$filter=",
        "$filter=name eq",
        "$filter=name eq 'open",
        "$filter=" + "(" * 200 + "1" + ")" * 200,
        "$filter=" + "not " * 400 + "true",
        "$filter=" + "a eq 1 or " * 180 + "true",
        "$filter=system('x') eq 1",
        "$filter=a/b/c/d/e/f/g/h eq 1",
        "$filter=time eq 2026-99-99T00:00:00Z",
        "$top=-1",
        "$top=1e9",
        "$top=٣",
        "$skip=99999999999999999999",
        "$count=yes",
        "$orderby=name sideways",
        "$orderby=../.. /etc/passwd",
        "$select=,",
        "$expand=Secrets",
        "$expand=Datastreams(",
        "$expand=Datastreams(top=1)",
        "$expand=Datastreams/Thing/Datastreams/Thing/Datastreams/Thing",
        "$top=1&$top=2",
        "$apply=groupby",
        "$resultFormat=dataArray",
    ],
)
async def test_what_is_no_query_is_a_problem(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1.1/Things?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("Things?$filter=foo", "such as name eq 'Market'; what ends with foo is none"),
        ("Things?$filter=foo and nope", "what ends with foo is none"),
        ("Things?$filter=nope eq 'a'", "$filter: Things have no nope, but id, name"),
        ("Things?$filter=name eq Altstadt", "A text stands in quotes: 'Altstadt'."),
        ("Things?$filter=name eq Alte Stadt", "goes on with Stadt"),
        ("Things?$filter=name", "takes conditions, such as"),
        ("Things?$filter=name eq 'a' or length(name)", "takes conditions, such as"),
        ("Things?$filter=not 5", "takes conditions, such as"),
        ("Things?$filter=Datastreams/Sensors/name eq 'a'", "$filter: Datastreams have no Sensors"),
        ("Things?$filter=name/de eq 'a'", "name of Things has no de"),
        ("Things?$orderby=nope", "$orderby: Things have no nope"),
        ("Things?$select=name,nope", "$select: Things have no nope"),
        ("Things?$select=name,properties/zone", "no path into properties: say $select=properties."),
        ("Things?$select=Datastreams/name", "no path into Datastreams: say $expand=Datastreams($select=…)."),
        ("HistoricalLocations?$select=nope", "$select: HistoricalLocations have no nope"),
        ("Things('zone:lost')/Locations?$expand=Sensors", "Locations lead to Things"),
        ("Things('zone:market')?$expand=Datastreams($select=nope)", "$select: Datastreams have no nope"),
        ("Things?$expand=Datastreams/Thing($orderby=nope)", "$orderby: Things have no nope"),
        ("Datastreams('zone:market:free')/Observations/$ref?$filter=free eq 1", "Observations have no free"),
        ("Locations?$resultFormat=GeoJSON&$filter=nope eq 1", "Locations have no nope"),
    ],
)
async def test_a_name_that_is_none_is_named_also_where_nothing_is_found(
    client: httpx.AsyncClient, query: str, told: str
) -> None:
    answer = await client.get(f"/v1.1/{query}")
    assert answer.status_code == 400, answer.text
    assert told in answer.json()["detail"]


def test_every_property_and_link_of_every_entity_is_known_by_name() -> None:
    world = World([of_zone(zone("market")), *of_assets(assets(), None, stale=False)])
    for name in SETS:
        for entity in world.all(name):
            assert entity.body.keys() <= set(names_of.PROPERTIES[name])
            assert entity.links.keys() == names_of.LINKS[name].keys()
    assert names_of.PROPERTIES.keys() == names_of.LINKS.keys() == set(SETS)


@pytest.mark.parametrize(
    "path",
    [
        "Secrets",
        "Things('nobody')",
        "Things(1)",
        "Things('zone:market')/Datastreams('zone:lost:free')",
        "Things('zone:market')/id/$value",
        "Things/name",
        "Things('zone:market')//",
        "Things('zone:market' or 1 eq 1)",
        "Datastreams('asset:bay-1:occupied')",
        "Observations('zone:market:free:1')",
        "/".join(["Things('zone:market')", *["Locations"] * 20]),
        "x" * 3_000,
    ],
)
async def test_what_is_not_there_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1.1/{path}")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_geojson_has_a_feature_for_each_entity(client: httpx.AsyncClient) -> None:
    found = await get(client, "Things", resultFormat="GeoJSON", expand="Datastreams/Observations", top="1")
    (feature,) = found["features"]
    assert (found["type"], feature["type"], feature["geometry"]) == ("FeatureCollection", "Feature", None)
    assert feature["properties"]["Datastreams/0/Observations/0/result"] == 8
    assert "resultFormat" in found["@iot.nextLink"]
    placed = await get(client, "Locations", resultFormat="GeoJSON")
    assert [each["geometry"]["type"] for each in placed["features"]] == ["Point", "Point"]


async def test_nobody_writes_links_into_what_others_read(
    client: httpx.AsyncClient, board: Board, make_app: MakeApp
) -> None:
    forged = {"host": "evil.example", "x-forwarded-proto": "https"}
    own = await client.get("/v1.1/Things", headers=forged)
    assert own.json()["value"][0]["@iot.selfLink"].startswith("https://evil.example/v1.1/")
    assert own.headers["cache-control"] == "private, max-age=60, stale-if-error=300"
    assert {"host", "x-forwarded-proto"} <= set(own.headers["vary"].split(", "))
    for host in ("evil.example/x?", "a@b", 'a"b', "", "[::1"):
        assert (await client.get("/v1.1", headers={"host": host})).status_code == 400, host
    board.receive(*message(zone("market")))
    async with open_client(make_app(ApiSettings(platform_url="https://city.example/lamps/"))) as anybody:
        shared = await anybody.get("/v1.1/Things", headers=forged)
        assert shared.json()["value"][0]["@iot.selfLink"] == "https://city.example/lamps/v1.1/Things('zone:market')"
        assert shared.headers["cache-control"].startswith("public, ")


async def test_answers_are_kept_and_open_and_read_only(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1.1/Things")
    assert answer.headers["vary"].split(", ")[0] == "authorization"
    assert answer.headers["access-control-allow-origin"] == "*"
    again = await client.get("/v1.1/Things", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert (await client.request(method, "/v1.1/Things")).status_code == 405


def assets() -> list[AssetState]:
    at = to_datetime(MOMENT_US)

    def state(number: int, kind: str, **latest: Any) -> AssetState:
        return AssetState(number, f"{kind}-{number}", kind, "", "market", 51.4, 7.3, "D1", {}, True, at, 1.0, latest)

    return [
        state(1, "streetlight", level_pct=40.0, motion=3),
        state(2, "parking_bay", occupied=True),
        state(3, "drain_level", level_m=0.4),
    ]


def streams(public_kinds: frozenset[str] | None) -> list[str]:
    world = World(of_assets(assets(), public_kinds, stale=False))
    return [each.id for each in world.all("Datastreams")]


def test_everybody_sees_no_bay_and_no_movements_whatever_settings_say() -> None:
    assert streams(frozenset()) == []
    everything = frozenset({"streetlight", "parking_bay", "drain_level"})
    assert streams(everything) == ["asset:streetlight-1:level_pct", "asset:drain_level-3:level_m"]
    assert len(streams(None)) == 4


def test_a_hostile_query_over_a_big_city_ends_soon() -> None:
    world = World(of_zone(zone(f"z{number}")) for number in range(2_000))
    begun_s = time.process_time()
    for query in (
        {"$filter": "Sensor/Datastreams/Sensor/Datastreams/name eq 1"},
        {"$expand": "Sensor/Datastreams/Sensor/Datastreams", "$top": "1000"},
    ):
        with pytest.raises(Exception, match="too much"):
            resources.read(world, "Datastreams", options.read(query.items()), Writer("", Budget()), geojson=False)
    assert time.process_time() - begun_s < 3
    body, _ = resources.read(world, "Things", options.read([("$count", "true")]), Writer("", Budget()), geojson=False)
    assert json.loads(body)["@iot.count"] == 2_000


async def test_who_waits_too_long_for_a_history_is_told_that_the_database_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(raw_table, "READERS_MAX", 0)  # no turn is ever free
    monkeypatch.setattr(raw_table, "WAIT_S", 0.02)
    pool: Pool = AsyncConnectionPool("", open=False)
    world = World(of_assets(assets(), None, stale=False), raw_table.RawTables(Database(pool)).past_of())
    with pytest.raises(Busy, match="histories of others"):
        await asyncio.to_thread(world.find, "Observations", "asset:drain_level-3:level_m:20200101000000")
