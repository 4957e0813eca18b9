"""Alarms and overrides as marks in time."""

import httpx

from api import shapes
from storage.pool import Connection
from tests.integration.api.conftest import ago, text
from tests.integration.api.test_alarms import clear, raise_alarm

ANNOTATIONS = "/ops/v1/annotations"


async def test_an_alarm_is_marked_while_it_stood_and_an_override_while_it_holds(
    operator: httpx.AsyncClient, conn: Connection
) -> None:
    await raise_alarm(conn, "a1", seconds_ago=600)
    await clear(conn, "a1")
    await raise_alarm(conn, "a2", seconds_ago=300)
    order = {"asset": "lamp-1", "set": {"setpoint_pct": 70}, "expires_at": text(ago(-600))}
    await operator.post("/ops/v1/commands", json=order)
    found = (await operator.get(ANNOTATIONS)).json()
    shapes.Annotations.model_validate(found)
    marks = [(each["what"], each["subject"], each["time_end"] is None) for each in found["items"]]
    assert marks == [("command", "asset:lamp-1", False), ("alarm", "asset:a2", True), ("alarm", "asset:a1", False)]
    early = (await operator.get(ANNOTATIONS, params={"to": text(ago(400))})).json()["items"]
    assert [each["subject"] for each in early] == ["asset:a1"]


async def test_every_mark_of_a_span_is_on_one_page(viewer: httpx.AsyncClient, conn: Connection) -> None:
    for n in range(4):
        await raise_alarm(conn, f"a{n}", seconds_ago=50 if n < 3 else 10)
    first = (await viewer.get(ANNOTATIONS, params={"limit": 2})).json()
    rest = (await viewer.get(ANNOTATIONS, params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ["a3", "a2", "a1", "a0"]
    assert rest["next"] is None


async def test_a_time_that_is_none_is_refused_in_words(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.get(ANNOTATIONS, params={"from": "yesterday"})
    assert answer.status_code == 422
    assert "from" in answer.text
