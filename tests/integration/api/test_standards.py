"""Standards over the real database and a real port: bays as spots, and SensorThings read by a foreign client."""

import asyncio
from collections.abc import Callable
from typing import Any

import frost_sta_client
import httpx

from api.app import create_app
from api.board import Board
from api.database import Database
from api.settings import ApiSettings
from api.standards import parkapi, shapes
from api.standards.sensorthings import routes
from lamplighter.http_server import HttpServer, listen
from storage.pool import Connection, Pool
from telemetry.clock import to_rfc3339
from tests.integration.api.conftest import ago, observe, real_now, stranger, text
from tests.parts.tasks import running
from tests.parts.zones import message, zone


async def test_a_bay_says_what_it_is_now_and_the_last_copy_outlives_the_database(
    client_as: Callable[..., Any], conn: Connection, watched: Database, pool: Pool
) -> None:
    await observe(conn, "bay-1", "parking_bay", (ago(60), {"occupied": True}))
    async with await client_as(None) as client:
        found = (await client.get(parkapi.SPOTS_PATH)).json()
        shapes.ParkingSpots.model_validate(found)
        (spot,) = found["items"]
        assert (spot["uid"], spot["realtime_status"], found["stale"]) == ("bay-1", "TAKEN", False)
        assert ago(60).isoformat()[:19] not in str(spot)
        assert text(ago(60)) < spot["static_data_updated_at"] <= spot["realtime_data_updated_at"]
        first = (await client.get(f"{parkapi.SPOTS_PATH}?limit=1")).json()
        none = (await client.get(f"{parkapi.SPOTS_PATH}?start={spot['id'] + 1}&limit=1")).json()
        assert (first, none["items"], none["total_count"]) == (found, [], 1)
        await pool.close()
        await watched.probe()
        kept = (await client.get(parkapi.SPOTS_PATH)).json()
    assert (kept["items"], kept["stale"]) == (found["items"], True)


def read_with_frost(url: str) -> dict[str, Any]:
    """What a client of FROST's finds: things by pages, and down to the observations of one."""
    service = frost_sta_client.SensorThingsService(url)
    things = service.things().query().top(1).orderby("name", "asc").count().list()
    seen: dict[str, Any] = {"count": things.count, "names": [thing.name for thing in things]}
    market = service.things().find("zone:market")
    streams = market.get_datastreams().query().filter("ObservedProperty/name eq 'free'").list()
    stream = streams.get(0)
    seen["unit"] = stream.unit_of_measurement.symbol
    observations = stream.get_observations().query().expand("FeatureOfInterest").list()
    seen["result"] = observations.get(0).result
    seen["feature"] = observations.get(0).feature_of_interest.name
    nested = service.things().query().expand("Datastreams/Observations,Locations").filter("name eq 'Market'").list()
    seen["nested"] = {each.name: each.observations.get(0).result for each in nested.get(0).datastreams}
    seen["place"] = list(nested.get(0).locations.get(0).location["coordinates"])
    level = service.datastreams().find("asset:drain-1:level_m")
    history = level.get_observations().query().orderby("phenomenonTime", "desc").top(2).list()
    seen["history"] = [observation.result for observation in history]
    return seen


async def test_frosts_client_reads_the_running_application(pool: Pool, conn: Connection) -> None:
    await observe(conn, "drain-1", "drain_level", *((ago(60 * n), {"level_m": n / 10}) for n in range(5)))
    board = Board(real_now)
    for name in ("market", "station", "church"):
        board.receive(*message(zone(name, updated_at=to_rfc3339(real_now()))))
    app = create_app(
        pool=pool,
        board=board,
        now=real_now,
        real_now=real_now,
        dark=lambda begin, end: False,
        settings=ApiSettings(public_kinds=("drain_level",)),
    )
    server = HttpServer(app, listen("127.0.0.1", 0))
    async with running(server.serve()):
        await server.until_started()
        seen = await asyncio.to_thread(read_with_frost, f"{server.url}/v1.1")
    assert (seen["count"], seen["names"]) == (4, ["Church", "Drain 1", "Market", "Station"])
    assert (seen["unit"], seen["result"], seen["feature"]) == ("1", 3, "Market")
    assert seen["nested"]["Market: occupied"] == 7
    assert seen["place"] == [7.3352, 51.4363]
    assert seen["history"] == [0.0, 0.1, 0.2, 0.3, 0.4]


async def test_a_viewer_sees_everything_and_everybody_no_asset(
    client_as: Callable[..., Any], viewer: httpx.AsyncClient, conn: Connection
) -> None:
    await observe(conn, "lamp-1", "streetlight", (ago(60), {"level_pct": 40.0, "motion": 3}))
    await observe(conn, "bay-1", "parking_bay", (ago(60), {"occupied": True}))
    found = (await viewer.get("/v1.1/Datastreams?$expand=Observations($select=result)")).json()["value"]
    said = {each["@iot.id"]: each["Observations"][0]["result"] for each in found}
    assert said["asset:lamp-1:motion"] == 3
    assert said["asset:bay-1:occupied"] is True
    assert (await viewer.get("/v1.1/Things")).headers["cache-control"] == "no-store"
    async with await client_as(None) as client:
        assert (await client.get("/v1.1/Things")).json() == {"value": []}
        refused = await client.get("/v1.1/Things", headers={"authorization": "Bearer nothing"})
    assert refused.status_code == 401


async def test_kinds_that_settings_make_public_are_but_for_bays_and_movements(pool: Pool, conn: Connection) -> None:
    await observe(conn, "lamp-1", "streetlight", (ago(60), {"level_pct": 40.0, "motion": 3}))
    await observe(conn, "bay-1", "parking_bay", (ago(60), {"occupied": True}))
    async with stranger(pool, ApiSettings(public_kinds=("streetlight", "parking_bay"))) as client:
        found = (await client.get("/v1.1/Datastreams")).json()["value"]
        things = (await client.get(f"{routes.ROOT}/Things('asset:lamp-1')")).json()
    assert [each["@iot.id"] for each in found] == ["asset:lamp-1:level_pct"]
    assert things["properties"].keys() == {"kind", "zone", "online", "stale"}
