"""The history of a Datastream by SensorThings: page after page, in order, filtered, and only what one may see."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.settings import ApiSettings
from api.standards.sensorthings import history
from storage.pool import Connection, Pool
from tests.integration.api.conftest import ago, observe, stranger, text

LEVELS = "Datastreams('asset:drain-1:level_m')/Observations"
NEWEST = ago(0)
COUNT = 25


@pytest.fixture(autouse=True)
async def observed(conn: Connection) -> None:
    """A level a minute, rising backwards in time; every fifth also says how full the battery is."""
    rows = [
        (NEWEST - dt.timedelta(minutes=n), {"level_m": n / 10} | ({"battery_pct": 80.0} if n % 5 == 0 else {}))
        for n in range(COUNT)
    ]
    await observe(conn, "drain-1", "drain_level", *rows)
    await observe(conn, "lamp-1", "streetlight", (ago(60), {"level_pct": 40.0, "lamp_fault": True, "motion": 3}))


async def get(client: httpx.AsyncClient, path: str, **given: str) -> Any:
    answer = await client.get(f"/v1.1/{path}", params={f"${name}": value for name, value in given.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def levels(found: Any) -> list[int]:
    """How many minutes ago each was."""
    return [round(each["result"] * 10) for each in found["value"]]


async def every_page(client: httpx.AsyncClient, path: str, **given: str) -> tuple[list[int], int]:
    """The levels of all pages, and how many pages there were."""
    page, seen, pages = await get(client, path, **given), [], 1
    seen += levels(page)
    while link := page.get("@iot.nextLink"):
        page = (await client.get(link)).json()
        seen += levels(page)
        pages += 1
    return seen, pages


async def test_page_after_page_is_the_whole_history_newest_first(viewer: httpx.AsyncClient) -> None:
    page = await get(viewer, LEVELS, top="10", count="true")
    assert (page["@iot.count"], levels(page)) == (COUNT, list(range(10)))
    assert "$skipFilter=phenomenonTime" in page["@iot.nextLink"].replace("%20", " ")
    assert await every_page(viewer, LEVELS, top="10") == (list(range(COUNT)), 3)
    assert await every_page(viewer, LEVELS, top="10", orderby="phenomenonTime asc") == (list(range(COUNT))[::-1], 3)
    assert await every_page(viewer, LEVELS, top="10", orderby="result desc") == (list(range(COUNT))[::-1], 3)
    assert (await viewer.get(page["value"][7]["@iot.selfLink"])).json()["result"] == 0.7


FILTERS = {
    "phenomenonTime ge {3} and phenomenonTime lt {1}": [2, 3],
    "(resultTime gt {3}) and (result le 0.1 or result eq 0.2)": [0, 1, 2],
    "result gt 2.2": [23, 24],
    "2.2 lt result and not (result eq 2.4)": [23],
    "result add 1 gt 3.2": [23, 24],
    "phenomenonTime eq {4}": [4],
    "result eq true": [],
    "Datastream/name eq 'Drain 1: level_m' and result lt 0.2": [0, 1],
}


async def test_it_is_filtered_by_time_and_result(viewer: httpx.AsyncClient) -> None:
    moments = [text(NEWEST - dt.timedelta(minutes=n)) for n in range(5)]
    for condition, found in FILTERS.items():
        asked = condition.format(*moments)
        page = await get(viewer, LEVELS, filter=asked, count="true")
        assert (levels(page), page["@iot.count"]) == (found, len(found)), condition
        assert (await every_page(viewer, LEVELS, filter=asked, top="1"))[0] == found, condition


async def test_only_those_that_say_something_of_the_property_are_its_observations(viewer: httpx.AsyncClient) -> None:
    path = "Datastreams('asset:drain-1:battery_pct')/Observations"
    assert (await get(viewer, path, count="true", top="0"))["@iot.count"] == 5
    faults = await get(viewer, "Datastreams('asset:lamp-1:lamp_fault')/Observations", filter="result eq true")
    assert [each["result"] for each in faults["value"]] == [True]


async def test_expanded_it_is_the_newest_unless_more_are_asked_for(viewer: httpx.AsyncClient) -> None:
    wanted = "Datastreams($expand=Observations),Datastreams/Thing"
    thing = await get(viewer, "Things('asset:drain-1')", expand=wanted)
    assert [levels({"value": each["Observations"]}) for each in thing["Datastreams"][:1]] == [[0]]
    rest = (await viewer.get(thing["Datastreams"][0]["Observations@iot.nextLink"])).json()
    assert levels(rest) == list(range(1, COUNT))
    oldest = "Observations($orderby=phenomenonTime asc;$top=2;$select=result)"
    stream = await get(viewer, "Datastreams('asset:drain-1:level_m')", expand=oldest)
    assert levels({"value": stream["Observations"]}) == [24, 23]


async def test_as_geojson_each_observation_is_where_its_asset_is(viewer: httpx.AsyncClient) -> None:
    found = await get(viewer, LEVELS, resultFormat="GeoJSON", top="2")
    assert [each["geometry"]["coordinates"] for each in found["features"]] == [[7.335, 51.436]] * 2
    assert [each["properties"]["result"] for each in found["features"]] == [0.0, 0.1]
    assert "$resultFormat=GeoJSON" in found["@iot.nextLink"]


async def test_what_would_cost_too_much_or_means_nothing_is_refused(
    viewer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SORTED_MAX", 10)
    monkeypatch.setattr(history, "COUNTED_MAX", 10)
    narrower = ["$orderby=result", "$count=true", "$skip=10001"]
    nothing = ["$orderby=Datastream/name", "$orderby=result,phenomenonTime desc", "$skipFilter=result gt 1"]
    for query in [*narrower, *nothing, "$skipFilter=phenomenonTime gt 2026-99-99T00:00:00Z"]:
        answer = await viewer.get(f"/v1.1/{LEVELS}?{query}")
        assert answer.status_code in (400, 422), query
        assert query not in narrower or "phenomenonTime" in answer.json()["detail"], query
    lately = f"$orderby=result&$filter=phenomenonTime gt {text(ago(300))}"
    assert (await viewer.get(f"/v1.1/{LEVELS}?{lately}")).status_code == 200


async def test_everybody_sees_the_history_of_what_is_public_alone(pool: Pool, client_as: Callable[..., Any]) -> None:
    async with stranger(pool, ApiSettings(public_kinds=("drain_level",))) as everybody:
        assert levels(await get(everybody, LEVELS)) == list(range(COUNT))
        hidden = await everybody.get("/v1.1/Datastreams('asset:lamp-1:level_pct')/Observations")
    async with await client_as(None) as nobody:
        there_too = await nobody.get(f"/v1.1/{LEVELS}")
    assert (hidden.status_code, there_too.status_code) == (404, 404)
