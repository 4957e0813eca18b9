"""Closures, maintenance windows and all lamps on, by zone."""

from typing import Any

import httpx
import pytest

from api import shapes
from storage.pool import Connection
from tests.integration.api.conftest import ago, text

ZONES = "/ops/v1/zones"
IN_AN_HOUR = {"expires_at": text(ago(-3_600))}


async def rows(conn: Connection, statement: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(statement)).fetchall()


@pytest.mark.parametrize("what", ["closure", "maintenance"])
async def test_an_order_for_a_zone_stands_until_it_is_ended(
    operator: httpx.AsyncClient, conn: Connection, what: str
) -> None:
    await conn.execute("LISTEN lamplighter_measure")
    answer = await operator.post(f"{ZONES}/market/{what}", json=IN_AN_HOUR | {"note": "Christmas market"})
    assert answer.status_code == 201
    measure = answer.json()
    shapes.Measure.model_validate(measure)
    assert (measure["what"], measure["note"], measure["by"]) == (what, "Christmas market", "operator of the test")
    told = [each async for each in conn.notifies(timeout=5, stop_after=1)]
    assert [each.channel for each in told] == ["lamplighter_measure"]
    assert (await operator.get(f"{ZONES}/market/measures")).json()["items"] == [measure]
    ended = (await operator.delete(f"{ZONES}/market/{what}")).json()["items"]
    assert [each["id"] for each in ended] == [measure["id"]]
    assert (await operator.get(f"{ZONES}/market/measures")).json()["items"] == []
    assert await rows(conn, "SELECT action, subject FROM audit ORDER BY at, action") == [
        (what, "zone:market"),
        (f"end_{what}", "zone:market"),
    ]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "expires_at"),
        ({"expires_at": text(ago(60))}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"starts_at": text(ago(-7_200)), "expires_at": text(ago(-3_600))}, "expires_at"),
        ({"expires_at": text(ago(-400 * 86_400))}, "expires_at"),
        (IN_AN_HOUR | {"until": 1}, "until"),
    ],
)
async def test_an_order_without_a_lawful_span_is_refused_in_words(
    operator: httpx.AsyncClient, body: dict[str, Any], member: str
) -> None:
    answer = await operator.post(f"{ZONES}/market/closure", json=body)
    assert answer.status_code == 422
    assert member in answer.text


async def test_an_order_for_no_zone_is_not_found(operator: httpx.AsyncClient) -> None:
    assert (await operator.post(f"{ZONES}/atlantis/closure", json=IN_AN_HOUR)).status_code == 404
    assert (await operator.delete(f"{ZONES}/atlantis/closure")).status_code == 404
    assert (await operator.post(f"{ZONES}/atlantis/all-on", json={})).status_code == 404


async def test_a_zone_without_a_bay_cannot_be_closed(operator: httpx.AsyncClient, conn: Connection) -> None:
    answer = await operator.post(f"{ZONES}/station/closure", json=IN_AN_HOUR)
    assert answer.status_code == 404
    assert "with a parking bay" in answer.json()["detail"]
    assert await rows(conn, "SELECT id FROM zone_measure") == []


async def test_who_may_only_look_orders_nothing(viewer: httpx.AsyncClient) -> None:
    assert (await viewer.post(f"{ZONES}/market/closure", json=IN_AN_HOUR)).status_code == 403
    assert (await viewer.post(f"{ZONES}/market/all-on", json={})).status_code == 403


async def test_all_on_is_an_override_for_every_lamp_that_can_be_told(operator: httpx.AsyncClient) -> None:
    market = (await operator.post(f"{ZONES}/market/all-on", json={"note": "accident"})).json()
    shapes.AllOn.model_validate(market)
    assert [(each["asset"], each["set"]) for each in market["items"]] == [
        ("lamp-1", {"setpoint_pct": 100.0}),
        ("lamp-2", {"setpoint_pct": 100.0}),
    ]
    assert market["unserved"] == []
    station = await operator.post(f"{ZONES}/station/all-on", json={})
    assert station.status_code == 202
    assert station.json()["unserved"] == ["lamp-4"]
