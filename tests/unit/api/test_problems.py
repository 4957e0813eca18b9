"""Every error is a problem document that says what to do, and nothing of our insides."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from structlog.testing import capture_logs

from api import bodies, parameters
from api.board import PATH, Board
from api.problems import MEDIA_TYPE
from api.wording import plain
from tests.parts.zones import message, zone


@pytest.fixture(scope="module", autouse=True)
def a_zone(shown: Board) -> None:
    shown.receive(*message(zone("market")))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", f"{PATH}/nobody", 404),
        ("GET", "/public/v1/parking/", 404),
        ("POST", PATH, 405),
        ("DELETE", "/healthz", 405),
        ("GET", f"{PATH}/nearest", 422),
        ("GET", f"{PATH}/nearest?lat=91&lon=7", 422),
        ("GET", f"{PATH}/nearest?lat=nan&lon=7", 422),
        ("GET", f"{PATH}/nearest?lat=51&lon=7&limit=0", 422),
        ("GET", f"{PATH}/nearest?lat=51&lon=7&needs=helicopter", 422),
        ("GET", "/ops/v1/assets", 401),
        ("GET", "/metrics", 401),
    ],
)
async def test_errors_are_problem_documents(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith(".")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/ops/v1/assets", "GET, HEAD"),
        ("POST", "/v1.1/Things", "GET, HEAD, OPTIONS"),
        ("HEAD", f"{PATH}/stream", "GET, OPTIONS"),
        ("DELETE", "/ops/v1/commands", "GET, HEAD, POST"),
    ],
)
async def test_405_says_what_is_allowed_token_or_not(
    client: httpx.AsyncClient, method: str, path: str, allow: str
) -> None:
    refused = await client.request(method, path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(("path", "status", "allow"), [(PATH, 405, "GET, HEAD, OPTIONS"), ("/nowhere", 404, None)])
async def test_a_form_where_nothing_is_taken_is_told_that_first(
    client: httpx.AsyncClient, path: str, status: int, allow: str | None
) -> None:
    answer = await client.post(path, data={"a": "b"})
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)


async def test_401_says_how(client: httpx.AsyncClient) -> None:
    assert (await client.get("/ops/v1/assets")).headers["www-authenticate"].startswith("Bearer")


async def test_a_failed_validation_names_each_parameter(client: httpx.AsyncClient) -> None:
    errors = (await client.get(f"{PATH}/nearest?lat=91&lon=x")).json()["errors"]
    assert {error["where"] for error in errors} == {"lat", "lon"}
    assert errors[0]["detail"] == "it should be less than or equal to 90"


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (parameters.Every, "15 minutes", "it should be a number and s, m, h or d, such as 15m"),
        (parameters.Name, "Straße 1", "it should be a name: at most 64 of A-Z, a-z, "),
        (bodies.Name, "", "it should be a name: "),
        (parameters.Device, "a b", "it should be a device's id: "),
        (bodies.Words, "a\0", "it should be a text without a NUL"),
        (parameters.Limit, "1.5", "it should be a whole number"),
        (parameters.Limit, "many", "it should be a whole number"),
    ],
)
def test_what_is_wrong_is_said_without_patterns_and_parsers(kind: Any, value: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    (error,) = refused.value.errors()
    assert plain(error).startswith(told)


async def test_while_the_database_is_away_operators_are_asked_to_wait(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ops/v1/assets", headers={"authorization": "Bearer ll_something"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == MEDIA_TYPE


async def test_while_the_database_is_away_the_public_part_answers(client: httpx.AsyncClient) -> None:
    for path in ("/", PATH, f"{PATH}/market", f"{PATH}.geojson", f"{PATH}/nearest?lat=51&lon=7", "/docs"):
        assert (await client.get(path)).status_code == 200, path


async def test_a_failure_of_ours_leaks_nothing(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("api.public.nearest", fail)
    with capture_logs() as logged:
        answer = await client.get(f"{PATH}/nearest?lat=51&lon=7")
    assert [each["event"] for each in logged] == ["request failed"]
    assert answer.status_code == 500
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
