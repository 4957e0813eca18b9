"""The front door: limits, and the headers that every answer bears."""

import json
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from starlette.types import Receive, Scope, Send

from api.board import PATH, Board
from api.door import BODY_BYTES_MAX
from api.settings import ApiSettings
from api.standards import RENDERINGS
from tests.parts.zones import message, zone
from tests.unit.api.conftest import MakeApp, open_client

LIFETIME = "public, max-age=60, stale-if-error=300"
BEARER = {"authorization": "Bearer ll_something"}
DOCUMENTS = [PATH, f"{PATH}.geojson", f"{PATH}/market", *RENDERINGS]


@pytest.fixture(scope="module", autouse=True)
def a_zone(shown: Board) -> None:
    shown.receive(*message(zone("market")))


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_document_the_client_has_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"] == LIFETIME


@pytest.mark.parametrize("path", ["/", *DOCUMENTS, f"{PATH}/nearest?lat=51&lon=7", f"{PATH}/nobody"])
async def test_any_page_of_anybody_may_read_the_public_part(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"origin": "https://blog.example"})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_preflight_is_answered(client: httpx.AsyncClient) -> None:
    headers = {"origin": "https://blog.example", "access-control-request-method": "GET"}
    answer = await client.options(PATH, headers=headers)
    assert answer.status_code == 204
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/ops/v1/assets", "/docs", "/healthz", "/nowhere", "/page/x/page.js"])
async def test_the_rest_is_for_our_own_pages(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"origin": "https://blog.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", *DOCUMENTS, "/docs", "/healthz", "/nowhere", "/ops/v1/ledger"])
async def test_every_answer_bears_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "set-cookie" not in headers


async def test_beyond_the_burst_an_address_waits(make_app: MakeApp) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=3))
    async with open_client(app, "203.0.113.1") as client:
        answers = [await client.get(PATH) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 10
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert answers[-1].headers["access-control-allow-origin"] == "*"
        assert (await client.get("/")).status_code == 429
        assert (await client.get("/healthz")).status_code == 200
    async with open_client(app, "203.0.113.2") as client:
        assert (await client.get(PATH)).status_code == 200


async def test_without_a_valid_token_operators_are_limited_too(make_app: MakeApp) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=3))
    async with open_client(app) as client:
        answers = [await client.get("/ops/v1/assets") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("path", ["/probez", "/metrics"])
async def test_strangers_cannot_make_the_database_work_by_asking_after_our_health(make_app: MakeApp, path: str) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=2))
    async with open_client(app) as client:
        assert [(await client.get(path)).status_code for _ in range(3)] == [401, 401, 429]
    async with open_client(app, "127.0.0.1") as client:
        assert (await client.get(path)).status_code in (200, 503)


async def test_what_residents_ask_locks_no_operator_out(make_app: MakeApp) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=3))
    async with open_client(app) as client:
        assert [(await client.get(PATH)).status_code for _ in range(4)][-1] == 429
        answer = await client.get("/ops/v1/assets", headers=BEARER)
        assert answer.status_code == 503, "the database was to be asked for the token, and it is away"


async def test_failed_attempts_lock_no_resident_out(make_app: MakeApp) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=3))
    async with open_client(app) as client:
        assert [(await client.get("/ops/v1/assets")).status_code for _ in range(4)][-1] == 429
        assert (await client.get(PATH)).status_code == 200


async def test_behind_a_trusted_proxy_each_client_has_its_own_limit(make_app: MakeApp) -> None:
    app = make_app(ApiSettings(requests_per_s=0.1, requests_burst=1, trusted_proxies=("10.0.0.1",)))
    async with open_client(app, "10.0.0.1") as client:
        for address in ("203.0.113.1", "203.0.113.2"):
            statuses = [(await client.get(PATH, headers={"x-forwarded-for": address})).status_code for _ in range(2)]
            assert statuses == [200, 429]


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/nowhere", PATH):
        get, head = await client.get(path), await client.head(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_stream_has_no_head(client: httpx.AsyncClient) -> None:
    assert (await client.head(f"{PATH}/stream")).status_code == 405


async def test_a_large_request_is_refused_unread(client: httpx.AsyncClient) -> None:
    answer = await client.post("/ops/v1/commands", content=b"x" * (BODY_BYTES_MAX + 1), headers=BEARER)
    assert answer.status_code == 413


@pytest.mark.parametrize("authorization", [{}, {"authorization": "Basic eDp5"}])
@pytest.mark.parametrize("body", [b"{", b"x" * (BODY_BYTES_MAX + 1), b""])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
async def test_what_a_stranger_sends_is_not_looked_at(
    client: httpx.AsyncClient, authorization: dict[str, str], body: bytes, media_type: str
) -> None:
    headers = {"content-type": media_type, **authorization}
    assert (await client.post("/ops/v1/commands", content=body, headers=headers)).status_code == 401


async def test_a_large_request_of_unknown_length_is_cut_off(make_app: MakeApp) -> None:
    read = 0

    async def greedy(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal read
        while True:
            message = await receive()
            read += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = make_app(ApiSettings())
    app._app = greedy  # type: ignore[assignment]  # any application would do

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 50_000, "more_body": True}

    async def send(message: Any) -> None:
        pass

    bearer = [(name.encode(), value.encode()) for name, value in BEARER.items()]
    scope = {"type": "http", "path": "/ops/v1/commands", "method": "POST", "headers": bearer, "client": ("::1", 1)}
    with pytest.raises(HTTPException) as refused:
        await app(scope, receive, send)
    assert (read, refused.value.status_code) == (50_000, 413)


async def test_answers_are_counted_by_route_and_not_by_path(make_app: MakeApp, board: Board) -> None:
    board.receive(*message(zone("market")))
    app = make_app(ApiSettings())
    async with open_client(app) as client:
        await client.get(f"{PATH}/market")
        await client.get("/ops/v1/assets/lamp-1")
        await client.get("/nowhere")
    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for sample in next(iter(app._metrics.requests.collect())).samples
        if sample.name.endswith("_total")
    }
    assert counted == {
        (f"{PATH}/{{zone}}", "200"): 1,
        ("/ops/v1/assets/{asset}", "401"): 1,
        ("none", "404"): 1,
    }


async def test_the_board_is_complete_json(client: httpx.AsyncClient) -> None:
    body = json.loads((await client.get(PATH)).content)
    assert body.keys() == {"updated_at", "ttl_s", "zones"}
    assert body["ttl_s"] == 60
