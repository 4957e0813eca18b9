"""The service on a real broker and a real server: what a zone says reaches who listens, whatever goes away."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from api.board import PATH
from api.ops import alarm_stream
from api.service import ApiService
from api.settings import ApiSettings
from api.standards import parkapi
from bus.session import Publisher
from lamplighter.http_server import HttpServer, listen
from storage import tokens
from storage.pool import Pool
from telemetry import alarms, topics
from telemetry.alarms import State
from telemetry.availability import ZoneAvailability
from telemetry.clock import DAY_US, to_rfc3339
from tests.integration.api.conftest import real_now
from tests.parts.alarms import alarm
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually
from tests.parts.tasks import running
from tests.parts.zones import message, zone

SETTINGS = ApiSettings(comment_every_s=0.3, database_away_s=1, streams_per_address=3, requests_burst=10_000)


def fresh(name: str, **members: Any) -> ZoneAvailability:
    return zone(name, updated_at=to_rfc3339(real_now()), **members)


@pytest.fixture
async def rules(own_broker: BrokerPart) -> AsyncIterator[Publisher]:
    """Somebody who publishes zones."""
    async with Publisher(own_broker.url, "rules-of-the-test") as publisher:
        yield publisher


async def publish(rules: Publisher, word: ZoneAvailability) -> None:
    topic, payload = message(word)
    await rules.publish(topic, payload, retain=True, timeout_s=10)


def serving(broker: BrokerPart, pool: Pool, settings: ApiSettings = SETTINGS) -> ApiService:
    return ApiService(
        pool=pool,
        mqtt_url=broker.url,
        now=real_now,
        real_now=real_now,
        dark=lambda begin, end: False,
        settings=settings,
    )


@pytest.fixture
async def api(own_broker: BrokerPart, pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service on a real port."""
    service = serving(own_broker, pool)
    server = HttpServer(service.app, listen("127.0.0.1", 0))
    async with running(service.run()), running(server.serve()):
        await server.until_started()
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            yield client


@asynccontextmanager
async def stream(api: httpx.AsyncClient, after: str | None = None) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    """The blocks of a live stream, each as its fields; a comment has the field `""`."""
    headers = {"last-event-id": after} if after else {}
    async with api.stream("GET", f"{PATH}/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield blocks(answer)


async def blocks(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            block[name] = value.strip()
        else:
            yield block
            block = {}


async def following(events: AsyncIterator[dict[str, str]]) -> dict[str, str]:
    """The next event that is a zone."""
    async with asyncio.timeout(5):
        async for block in events:
            if "data" in block:
                return block
    raise AssertionError("the stream ended")


async def shown(api: httpx.AsyncClient, zones: int) -> list[dict[str, Any]]:
    """The zones once so many are known."""

    async def attempt() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.get(PATH)).json()["zones"]
        assert len(found) == zones
        return found

    return await eventually(attempt)


async def test_what_was_retained_before_we_came_is_known(rules: Publisher, own_broker: BrokerPart, pool: Pool) -> None:
    await publish(rules, fresh("market"))
    service = serving(own_broker, pool)
    async with running(service.run()):

        async def attempt() -> None:
            assert [each.zone for each in service.board.zones] == ["market"]

        await eventually(attempt)


async def test_what_nobody_has_asked_for_yet_is_there_too_when_the_database_goes(
    own_broker: BrokerPart, pool: Pool
) -> None:
    service = serving(own_broker, pool, ApiSettings(public_kinds=("streetlight",)))
    transport = httpx.ASGITransport(service.app, client=("203.0.113.7", 40_000))
    async with running(service.run()), httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:

        async def attempt() -> None:
            under_way = {task.get_name() for task in asyncio.all_tasks()}
            assert "database probe" in under_way
            assert "first readings" not in under_way

        await eventually(attempt)
        await pool.close()
        spots = await client.get(parkapi.SPOTS_PATH)
        things = await client.get("/v1.1/Things")
    assert (spots.status_code, things.status_code) == (200, 200)


async def test_a_snapshot_first_then_every_change_with_increasing_ids(api: httpx.AsyncClient, rules: Publisher) -> None:
    await publish(rules, fresh("market", free=3))
    await publish(rules, fresh("station", free=5))
    await shown(api, 2)
    async with stream(api) as events:
        snapshot = [await following(events), await following(events)]
        assert [json.loads(each["data"])["zone"] for each in snapshot] == ["market", "station"]
        assert {each["event"] for each in snapshot} == {"zone"}
        begun = time.monotonic()
        await publish(rules, fresh("market", free=2))
        change = await following(events)
        assert time.monotonic() - begun < 1
        assert json.loads(change["data"])["free"] == 2
        ids = [int(each["id"]) for each in (*snapshot, change)]
        assert ids == sorted(set(ids))


async def test_a_client_that_comes_back_gets_what_it_missed(api: httpx.AsyncClient, rules: Publisher) -> None:
    await publish(rules, fresh("market", free=3))
    await publish(rules, fresh("station", free=5))
    await shown(api, 2)
    async with stream(api) as events:
        await following(events)
        last = await following(events)
    await publish(rules, fresh("market", free=1))

    async def missed() -> None:
        async with stream(api, after=last["id"]) as events:
            event = await following(events)
            assert (json.loads(event["data"])["zone"], json.loads(event["data"])["free"]) == ("market", 1)

    await eventually(missed)


async def test_a_comment_keeps_a_quiet_stream_open(api: httpx.AsyncClient) -> None:
    async with stream(api) as events, asyncio.timeout(3):
        comments = 0
        async for block in events:
            comments += "" in block
            if comments == 2:
                break


async def test_an_address_has_so_many_streams_and_gets_one_back_by_closing(api: httpx.AsyncClient) -> None:
    async with stream(api), stream(api):
        async with stream(api):
            refused = await api.get(f"{PATH}/stream")
            assert refused.status_code == 429
            assert "retry-after" in refused.headers

        async def again() -> None:
            async with api.stream("GET", f"{PATH}/stream") as answer:
                assert answer.status_code == 200

        await eventually(again)


async def test_a_zone_taken_away_is_told(api: httpx.AsyncClient, rules: Publisher) -> None:
    await publish(rules, fresh("market"))
    await shown(api, 1)
    async with stream(api) as events:
        await following(events)
        await rules.publish(topics.zone_parking("market"), b"", retain=True, timeout_s=10)
        gone = await following(events)
    assert (gone["event"], json.loads(gone["data"])) == ("gone", {"zone": "market"})
    assert (await api.get(f"{PATH}/market")).status_code == 404


async def test_zones_outlive_a_restart_of_the_broker(
    api: httpx.AsyncClient, rules: Publisher, own_broker: BrokerPart
) -> None:
    await publish(rules, fresh("market", free=3))
    await shown(api, 1)
    own_broker.stop()

    async def not_ready() -> None:
        answer = await api.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]) == (
            503,
            {"database": True, "broker": False, "probe": None},
        )

    await eventually(not_ready)
    assert (await api.get(PATH)).json()["zones"][0]["free"] == 3
    own_broker.start()
    await publish(rules, fresh("market", free=2))

    async def moved() -> None:
        assert (await api.get(PATH)).json()["zones"][0]["free"] == 2
        assert (await api.get("/readyz")).status_code == 200

    await eventually(moved, seconds=20)


async def test_without_the_database_zones_are_answered_as_stale(
    api: httpx.AsyncClient, rules: Publisher, pool: Pool
) -> None:
    await publish(rules, fresh("market", free=3))
    assert (await shown(api, 1))[0]["stale"] is False
    await pool.close()

    async def stale() -> None:
        answer = await api.get(PATH)
        assert answer.status_code == 200
        assert answer.json()["zones"][0]["stale"] is True

    await eventually(stale)
    await publish(rules, fresh("market", free=2))

    async def moving() -> None:
        found = (await api.get(f"{PATH}/market")).json()
        assert (found["free"], found["stale"]) == (2, True)

    await eventually(moving)
    assert (await api.get("/readyz")).status_code == 503
    assert (await api.get("/healthz")).status_code == 200
    headers = {"authorization": "Bearer ll_x"}
    begun = time.monotonic()
    assert (await api.get("/ops/v1/assets", headers=headers)).status_code == 503
    assert time.monotonic() - begun < 1, "nobody waits for what is known to be away"


async def test_alarms_come_live_for_as_long_as_the_token_is_good(
    api: httpx.AsyncClient, rules: Publisher, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarm_stream, "CHECK_EVERY_S", 0.1)
    now_us = real_now()
    async with pool.connection() as conn:
        token_id, secret = await tokens.issue(conn, role="viewer", expires_us=now_us + DAY_US, real_now_us=now_us)
    topic = topics.alarm("a1")
    headers = {"authorization": f"Bearer {secret}"}
    async with api.stream("GET", alarm_stream.PATH, headers=headers) as answer:
        heard = blocks(answer)
        await rules.publish(topic, alarms.encode(alarm("a1")), retain=True, timeout_s=10)
        first = await anext(each async for each in heard if "data" in each)
        assert (first["event"], json.loads(first["data"])["state"]) == ("alarm", "unacknowledged")
        await rules.publish(topic, alarms.encode(alarm("a1", State.NORMAL)), retain=False, timeout_s=10)
        await rules.publish(topic, b"", retain=True, timeout_s=10)
        last = await anext(each async for each in heard if "data" in each)
        assert json.loads(last["data"])["state"] == "normal"
        async with pool.connection() as conn:
            await tokens.revoke(conn, token_id, real_now())
        async with asyncio.timeout(5):
            assert [each async for each in heard if "data" in each] == []
    assert (await api.get(alarm_stream.PATH, headers=headers)).status_code == 401
