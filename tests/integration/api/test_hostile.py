"""Whatever a client writes into a path, a query or a body: it is answered, and never as a failure of ours."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from api import paging
from storage import alarms
from storage.alarms import Raised
from storage.pool import Connection
from telemetry.alarms import AlarmType
from telemetry.clock import to_us
from tests.integration.api.conftest import ago, observe, text

PARAMETERS_OF_PATHS = {"asset": "lamp-1", "alarm": "a1", "zone": "market", "path": "Things"}
"""What there is in the town, for the parameters that a path has."""
STREAM = "/public/v1/parking/stream"
"""Never ends, so it is not asked here; it has no parameter."""
REQUIRED = {"lat": "51.4", "lon": "7.3"}

FIRST_US, LAST_US = to_us(dt.datetime.min.replace(tzinfo=dt.UTC)), to_us(dt.datetime.max.replace(tzinfo=dt.UTC))
KEYS: list[paging.Key] = [
    *([n] for n in (0, -1, FIRST_US, FIRST_US - 1, LAST_US, LAST_US + 1, 2**63 - 1, -(2**63))),
    *([n, "a"] for n in (0, -1, FIRST_US, FIRST_US - 1, LAST_US, LAST_US + 1, 2**63 - 1, -(2**63))),
    *([word] for word in ("", "\x00", "a\x00b", "0001-01-01", "9999-12-31", "2026-11-31", "-1", "\U0010ffff" * 20)),
    [0, "\x00"],
    [2**70],
    [],
]
EVIL = [
    *(
        "",
        " ",
        "%00",
        "a%00b",
        "%0A",
        "%FF",
        "%ED%A0%80",
        "%F0%9F%92%A9",
        "..%2F..",
        "%2F",
        "'",
        '"',
        "%25",
        "%5C",
        "{}",
    ),
    *(
        "0",
        "-1",
        "1",
        "1000",
        "1001",
        "2147483648",
        "9223372036854775808",
        "9" * 400,
        "1e400",
        "nan",
        "-inf",
        "0x1",
        "1_0",
    ),
    *("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59"),
    *("0001-01-01T00:00:00%2B10:00", "2026-11-22T20:15:00", "2026-W47-7T00:00:00Z", "2026-11-22T24:00:00Z"),
    *("1s", "9999999s", "366d", "1d", "0d", "day", "active", "normal", "streetlight", "parking_bay", "disabled"),
    *("x" * 64, "x" * 65, "x" * 512, "x" * 4_000),
    *(paging.cursor(key) for key in KEYS),
]
"""As written in an address."""


@pytest.fixture
async def town(viewer: httpx.AsyncClient, conn: Connection) -> list[tuple[str, list[str]]]:
    """Every GET address with its query's parameters, on a town in which each has something to give."""
    at_us = to_us(ago(60))
    await observe(conn, "lamp-1", "streetlight", (ago(30), {"level_pct": 70.0}), (ago(60), {"level_pct": 60.0}))
    await alarms.turn(conn, [Raised("a1", "asset:lamp-1", "lamp-1", AlarmType.LAMP_FAULT, at_us, at_us, {})])
    await conn.execute("INSERT INTO ledger (day, received, stored) VALUES ('2026-11-21', 1, 1)")
    document = (await viewer.get("/openapi.json")).json()
    return [
        (path, [each["name"] for each in item["get"].get("parameters", []) if each["in"] == "query"])
        for path, item in document["paths"].items()
        if "get" in item and path != STREAM
    ]


def address(path: str, query: dict[str, str]) -> str:
    """The path with what there is, and a query as it is written."""
    return path.format(**PARAMETERS_OF_PATHS) + "?" + "&".join(f"{name}={value}" for name, value in query.items())


async def failures(client: httpx.AsyncClient, addresses: list[str]) -> list[tuple[str, int]]:
    """The addresses that are answered as a failure of ours."""
    asked = [(each, (await client.get(each)).status_code) for each in addresses]
    return [(each, status) for each, status in asked if status >= 500]


async def test_no_parameter_of_any_address_breaks_it(
    viewer: httpx.AsyncClient, town: list[tuple[str, list[str]]]
) -> None:
    addresses = [
        address(path, {**{each: REQUIRED[each] for each in names if each in REQUIRED}, name: value})
        for path, names in town
        for name in names
        for value in EVIL
    ]
    assert len(addresses) > 1_000
    assert await failures(viewer, addresses) == []


async def test_no_name_in_any_path_breaks_it(viewer: httpx.AsyncClient, town: list[tuple[str, list[str]]]) -> None:
    addresses = [
        path.format_map(dict.fromkeys(PARAMETERS_OF_PATHS, value)) for path, _ in town if "{" in path for value in EVIL
    ]
    assert await failures(viewer, addresses) == []


@pytest.mark.parametrize("path", ["assets/%00", "assets/a%00b/observations", "alarms/%00", "assets?zone=%00"])
async def test_what_no_database_can_hold_is_refused_as_a_problem(viewer: httpx.AsyncClient, path: str) -> None:
    with capture_logs() as logged:
        answer = await viewer.get(f"/ops/v1/{path}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert {each["log_level"] for each in logged} <= {"debug"}, "a client's mistake is nothing that operators must see"


async def test_the_day_before_the_first_is_none(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get("/ops/v1/assets/lamp-1/observations?to=0001-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("path", ["alarms", "commands", "annotations", "assets/lamp-1/observations"])
async def test_a_cursor_in_no_year_of_ours_is_refused(viewer: httpx.AsyncClient, path: str) -> None:
    key: paging.Key = [2**62] if path.endswith("observations") else [2**62, "a"]
    answer = await viewer.get(f"/ops/v1/{path}", params={"cursor": paging.cursor(key)})
    assert answer.status_code == 400


BODIES = [
    '{"note":"a\\u0000b"}',
    '{"note":"\\ud800"}',
    '{"\\ud800":1}',
    '{"asset":"lamp\\u0000","set":{"setpoint_pct":70}}',
    '{"asset":"lamp-1","set":{"setpoint_pct":70},"note":"a\\u0000b"}',
    '{"asset":"\\ud800","set":{"setpoint_pct":70}}',
    '{"zone":"\\u0000","set":{"setpoint_pct":70}}',
    '{"asset":"lamp-1","set":{"\\ud800":70}}',
    '{"asset":"lamp-1","set":{"setpoint_pct":"\\ud800"}}',
    '{"asset":"lamp-1","set":{"setpoint_pct":1e400}}',
    '{"asset":"lamp-1","set":{"setpoint_pct":NaN}}',
    '{"asset":"lamp-1","set":{"setpoint_pct":' + "9" * 400 + "}}",
    '{"asset":"lamp-1","set":{"report_every_s":' + "9" * 5_000 + "}}",
    '{"asset":"lamp-1","set":{"report_every_s":' + "9" * 30 + "}}",
    '{"asset":"lamp-1","set":{"report_every_s":60},"expires_at":"9999-12-31T23:59:59-23:59"}',
    '{"asset":"lamp-1","set":{"report_every_s":60},"expires_at":"\\u0000"}',
    '{"asset":"lamp-1","set":{"setpoint_pct":' + "[" * 900 + "]" * 900 + "}}",
    "[" * 30_000,
    "null",
    "\ufeff{}",
]


@pytest.mark.parametrize("path", ["alarms/a1/acknowledge", "alarms/%00/acknowledge", "commands"])
async def test_no_body_breaks_it(operator: httpx.AsyncClient, conn: Connection, town: Any, path: str) -> None:
    bodies = [each.encode() for each in BODIES] + [b"\xff", b'"\xff"', b"\x00"]
    headers = {"content-type": "application/json"}
    asked = [(each, await operator.post(f"/ops/v1/{path}", content=each, headers=headers)) for each in bodies]
    assert [(each[:60], answer.status_code) for each, answer in asked if answer.status_code >= 500] == []
    if path == "commands":
        assert await (await conn.execute("SELECT id FROM command")).fetchall() == []


async def test_a_body_that_goes_on_and_on_is_refused(operator: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    headers = {"content-type": "application/json"}
    answer = await operator.post("/ops/v1/commands", content=endless(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    since=st.datetimes(), until=st.datetimes(), us=st.integers(-(2**64), 2**64), every=st.none() | st.text(max_size=4)
)
async def test_no_span_breaks_it(
    viewer: httpx.AsyncClient, since: dt.datetime, until: dt.datetime, us: int, every: str | None
) -> None:
    query = {"from": text(since.replace(tzinfo=dt.UTC)), "to": text(until.replace(tzinfo=dt.UTC))}
    further = {"cursor": paging.cursor([us])} | ({} if every is None else {"every": every.encode(errors="replace")})
    for params in (query, query | further, {"to": query["to"]}):
        answer = await viewer.get("/ops/v1/assets/lamp-1/observations", params=params)
        assert answer.status_code in (200, 400, 422), (params, answer.text)


@pytest.mark.parametrize("name", ["\x00", "a/b", "Straße", "x" * 4_000])
async def test_an_override_of_any_name_can_be_asked_to_end(operator: httpx.AsyncClient, name: str) -> None:
    assert (await operator.delete(f"/ops/v1/commands/{quote(name)}")).status_code in (404, 422)
