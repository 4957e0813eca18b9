"""The public part beyond the ready documents: nearness, the live stream's limits, the description of it all."""

import httpx
import pytest

from api import shapes
from api.board import PATH, Board
from api.settings import ApiSettings
from tests.parts.zones import bays, message, zone
from tests.unit.api.conftest import MakeApp, open_client


@pytest.fixture(scope="module", autouse=True)
def zones(shown: Board) -> None:
    shown.receive(*message(zone("near", lat=51.4364, lon=7.3352, restricted={"charging": bays(free=1)})))
    shown.receive(*message(zone("far", lat=51.46, lon=7.3352)))


async def test_nearest_comes_with_its_distance(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{PATH}/nearest", params={"lat": 51.4363, "lon": 7.3352, "limit": 2})
    near, far = answer.json()["zones"]
    assert (near["zone"], far["zone"]) == ("near", "far")
    assert near["distance_m"] == pytest.approx(11.1, abs=0.1)
    assert answer.headers["cache-control"] == "private, max-age=60, stale-if-error=300"


async def test_needs_may_be_given_several_times(client: httpx.AsyncClient) -> None:
    for query, names in (("needs=charging", ["near"]), ("needs=charging&needs=disabled", [])):
        answer = await client.get(f"{PATH}/nearest?lat=51&lon=7&{query}")
        assert [found["zone"] for found in answer.json()["zones"]] == names


async def test_nearest_is_not_sent_again_to_who_has_it(client: httpx.AsyncClient) -> None:
    path = f"{PATH}/nearest?lat=51&lon=7"
    etag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304


async def test_answers_have_the_shape_that_is_documented(client: httpx.AsyncClient) -> None:
    shapes.Parking.model_validate((await client.get(PATH)).json())
    shapes.FeatureCollection.model_validate((await client.get(f"{PATH}.geojson")).json())
    shapes.Zone.model_validate((await client.get(f"{PATH}/near")).json())
    shapes.Nearest.model_validate((await client.get(f"{PATH}/nearest?lat=51&lon=7")).json())


async def test_too_many_streams_of_an_address_are_refused(make_app: MakeApp) -> None:
    async with open_client(make_app(ApiSettings(streams_per_address=0))) as client:
        answer = await client.get(f"{PATH}/stream")
    assert answer.status_code == 429
    assert "retry-after" in answer.headers


async def test_the_description_names_every_route(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {
        PATH,
        f"{PATH}.geojson",
        f"{PATH}/nearest",
        f"{PATH}/stream",
        f"{PATH}/{{zone}}",
        f"{PATH}/{{zone}}/forecast",
    } <= paths.keys()
    assert {"/healthz", "/readyz", "/metrics"} <= paths.keys()
    reference = (await client.get("/docs")).text
    assert all(f"<code>{path}</code>" in reference for path in paths)


async def test_what_is_expected_of_a_zone_says_how_sure_it_is(client: httpx.AsyncClient) -> None:
    answer = (await client.get(f"{PATH}/near/forecast")).json()
    shapes.Forecast.model_validate(answer)
    assert (answer["zone"], answer["range_pct"], answer["forecast"]) == ("near", 80, [])
    assert (await client.get(f"{PATH}/atlantis/forecast")).status_code == 404
