"""Tokens: issued once, recognised by digest, ended by time or by hand, and what each role may do."""

import asyncio
from typing import Any

import httpx
import pytest

from api.door import BODY_BYTES_MAX
from api.settings import ApiSettings
from storage import tokens
from storage.pool import Connection, Pool
from telemetry.clock import DAY_US, MINUTE_US, SECOND_US, to_datetime
from tests.integration.api.conftest import real_now, stranger

NOW_US = 1_795_000_000_000_000


async def issue(conn: Connection, role: tokens.Role = "viewer") -> tuple[str, str]:
    return await tokens.issue(conn, role=role, name="desk", expires_us=NOW_US + DAY_US, real_now_us=NOW_US)


async def test_a_secret_is_recognised_and_kept_nowhere(conn: Connection) -> None:
    token_id, secret = await issue(conn)
    token = await tokens.recognise(conn, secret, NOW_US)
    assert token is not None
    assert (token.id, token.role, token.name) == (token_id, "viewer", "desk")
    rows = await (await conn.execute("SELECT api_token::text FROM api_token")).fetchall()
    assert secret not in str(rows)
    assert len(secret) > 40


@pytest.mark.parametrize("secret", ["", "ll_guess", "\ud800", "x" * 10_000])
async def test_other_secrets_are_nobodys(conn: Connection, secret: str) -> None:
    await issue(conn)
    assert await tokens.recognise(conn, secret, NOW_US) is None


async def test_a_token_ends_at_its_expiry(conn: Connection) -> None:
    _, secret = await issue(conn)
    assert await tokens.recognise(conn, secret, NOW_US + DAY_US - 1) is not None
    assert await tokens.recognise(conn, secret, NOW_US + DAY_US) is None


async def test_a_token_ends_when_it_is_revoked_and_only_once(conn: Connection) -> None:
    token_id, secret = await issue(conn)
    assert await tokens.revoke(conn, token_id, NOW_US)
    assert not await tokens.revoke(conn, token_id, NOW_US)
    assert not await tokens.revoke(conn, "nobody", NOW_US)
    assert await tokens.recognise(conn, secret, NOW_US) is None


async def test_its_use_is_noted_at_most_once_a_minute(conn: Connection) -> None:
    _, secret = await issue(conn)
    for later_us in (0, 30 * SECOND_US, MINUTE_US - 1, MINUTE_US + SECOND_US):
        await tokens.recognise(conn, secret, NOW_US + later_us)
        (token,) = await tokens.list_all(conn)
        noted = NOW_US + (MINUTE_US + SECOND_US if later_us > MINUTE_US else 0)
        assert token.last_used_at == to_datetime(noted)


async def test_all_tokens_newest_first(conn: Connection) -> None:
    first, _ = await issue(conn)
    second, _ = await tokens.issue(conn, role="admin", expires_us=NOW_US + DAY_US, real_now_us=NOW_US + SECOND_US)
    assert [token.id for token in await tokens.list_all(conn)] == [second, first]


@pytest.mark.parametrize("path", ["assets", "assets/lamp-1", "assets/lamp-1/observations", "quarantine", "ledger"])
async def test_operators_paths_need_a_token(client_as: Any, path: str) -> None:
    async with await client_as(None) as nobody, await client_as("viewer") as viewer:
        assert (await nobody.get(f"/ops/v1/{path}")).status_code == 401
        assert (await viewer.get(f"/ops/v1/{path}")).status_code == 200


async def test_a_revoked_token_opens_nothing(viewer: httpx.AsyncClient, conn: Connection) -> None:
    (token,) = await tokens.list_all(conn)
    await tokens.revoke(conn, token.id, real_now())
    answer = await viewer.get("/ops/v1/ledger")
    assert answer.status_code == 401
    assert "revoked" in answer.json()["detail"]


async def test_a_valid_token_is_never_told_to_wait_whoever_guesses_beside_it(conn: Connection, pool: Pool) -> None:
    now_us = real_now()
    _, secret = await tokens.issue(conn, role="viewer", expires_us=now_us + DAY_US, real_now_us=now_us)
    async with stranger(pool, ApiSettings(requests_per_s=0.001, requests_burst=2)) as client:
        residents = [(await client.get("/public/v1/parking")).status_code for _ in range(3)]
        bearer, guess = ({"authorization": f"Bearer {each}"} for each in (secret, "ll_guess"))
        guesses = [(await client.get("/ops/v1/ledger", headers=guess)).status_code for _ in range(3)]
        bare = (await client.get("/ops/v1/ledger")).status_code
        among_guesses = [bearer, guess, bearer, guess, bearer]
        asked = await asyncio.gather(*(client.get("/ops/v1/ledger", headers=each) for each in among_guesses))
    assert residents == [200, 200, 429]
    assert (guesses, bare) == ([401, 401, 429], 429)
    assert [answer.status_code for answer in asked] == [200, 429, 200, 429, 200]
    assert asked[1].headers["retry-after"]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"{", "application/json"), (b"{}", "text/plain"), (b"x" * (BODY_BYTES_MAX + 1), "application/json")],
)
async def test_a_wrong_token_is_refused_before_the_body_is_looked_at(
    client_as: Any, body: bytes, media_type: str
) -> None:
    headers = {"authorization": "Bearer ll_guess", "content-type": media_type}
    async with await client_as(None) as guesser, await client_as("viewer") as viewer:
        assert (await guesser.post("/ops/v1/commands", content=body, headers=headers)).status_code == 401
        known = await viewer.post("/ops/v1/commands", content=body, headers={"content-type": media_type})
        assert known.status_code in (400, 413, 415), "who is known hears what is wrong with it"


async def test_another_scheme_is_no_token(client_as: Any) -> None:
    async with await client_as(None) as nobody:
        assert (await nobody.get("/ops/v1/ledger", headers={"authorization": "Basic eDp5"})).status_code == 401


async def test_metrics_are_for_viewers_and_for_this_machine(client_as: Any, app: Any) -> None:
    async with await client_as(None) as nobody, await client_as("viewer") as viewer:
        assert (await nobody.get("/metrics")).status_code == 401
        figures = (await viewer.get("/metrics")).text
        assert 'lamplighter_http_requests_total{method="GET",route="/metrics",status="401"} 1.0' in figures
    local = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=local, base_url="http://city.example") as here:
        assert (await here.get("/metrics")).status_code == 200
        assert (await here.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 401
