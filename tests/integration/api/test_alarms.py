"""Alarms over HTTP: listed with their reasons, acknowledged by operators."""

import httpx
import pytest

from api import shapes
from api.database import Database
from storage import alarms
from storage.alarms import Cleared, Raised
from storage.pool import Connection, Pool
from telemetry.alarms import AlarmType, Severity
from telemetry.clock import SECOND_US, to_us
from tests.integration.api.conftest import ago, text

ALARMS = "/ops/v1/alarms"
WHY = {"level_m": 1.62, "ground_m": 1.5, "rule_version": "default-1"}


async def raise_alarm(
    conn: Connection, name: str, seconds_ago: float = 60, type: AlarmType = AlarmType.DRAIN_OVERFLOW
) -> None:
    at_us = to_us(ago(seconds_ago))
    await alarms.turn(conn, [Raised(name, f"asset:{name}", name, type, at_us, at_us - SECOND_US, WHY)])


async def clear(conn: Connection, name: str, type: AlarmType = AlarmType.DRAIN_OVERFLOW) -> None:
    await alarms.turn(conn, [Cleared(f"asset:{name}", type, to_us(ago(0)))])


async def ids(client: httpx.AsyncClient, **filters: str | int) -> list[str]:
    return [item["id"] for item in (await client.get(ALARMS, params=filters)).json()["items"]]


async def test_an_alarm_says_why(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a1")
    alarm = (await viewer.get(f"{ALARMS}/a1")).json()
    shapes.Alarm.model_validate(alarm)
    assert alarm["why"] == WHY
    assert (alarm["subject"], alarm["asset"], alarm["type"]) == ("asset:a1", "a1", "drain_overflow")
    assert (alarm["severity"], alarm["state"], alarm["cleared_at"]) == ("critical", "unacknowledged", None)
    assert alarm["raised_at"] > alarm["observed_at"]
    assert (await viewer.get(ALARMS)).json()["items"] == [alarm]


async def test_an_alarm_that_is_raised_again_worse_escalates_once(viewer: httpx.AsyncClient, conn: Connection) -> None:
    at_us = to_us(ago(60))
    first = Raised("a1", "asset:a1", "a1", AlarmType.DEVICE_SILENT, at_us, at_us, {"inputs": {}})
    worse = Raised("a1", "asset:a1", "a1", AlarmType.DEVICE_SILENT, at_us + SECOND_US, at_us, WHY, Severity.CRITICAL)
    await alarms.turn(conn, [first])
    assert (await viewer.get(f"{ALARMS}/a1")).json()["severity"] == "warning"
    (changed,) = await alarms.turn(conn, [worse])
    assert (changed.severity, changed.state) == ("critical", "unacknowledged")
    assert await alarms.turn(conn, [worse, first]) == []
    told = (await viewer.get(f"{ALARMS}/a1")).json()
    assert (told["severity"], told["why"]) == ("critical", WHY)


async def shelve(client: httpx.AsyncClient, name: str, **other: str) -> httpx.Response:
    return await client.post(f"{ALARMS}/{name}/shelve", json={"until": text(ago(-3_600)), "reason": "digging"} | other)


async def test_a_shelved_alarm_says_by_whom_why_and_until_when(operator: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a1")
    alarm = (await shelve(operator, "a1")).json()
    shapes.Alarm.model_validate(alarm)
    assert (alarm["state"], alarm["state_under"]) == ("shelved", "unacknowledged")
    assert (alarm["shelved_by"], alarm["shelve_reason"]) == ("operator of the test", "digging")
    assert await ids(operator, state="active") == await ids(operator, state="shelved") == ["a1"]
    back = (await operator.post(f"{ALARMS}/a1/unshelve")).json()
    assert (back["state"], back["state_under"], back["shelved_until"]) == ("unacknowledged", None, None)
    found = await (await conn.execute("SELECT event FROM alarm_event WHERE alarm_id = 'a1' ORDER BY at")).fetchall()
    assert [event for (event,) in found] == ["raise", "shelve", "unshelve"]
    said = await (await conn.execute("SELECT action, subject FROM audit ORDER BY at")).fetchall()
    assert said == [("shelve", "alarm:a1"), ("unshelve", "alarm:a1")]


async def test_what_happens_to_a_shelved_alarm_happens_underneath(
    operator: httpx.AsyncClient, conn: Connection
) -> None:
    await raise_alarm(conn, "a1")
    await shelve(operator, "a1")
    await operator.post(f"{ALARMS}/a1/acknowledge")
    assert (await operator.get(f"{ALARMS}/a1")).json()["state_under"] == "acknowledged"
    await clear(conn, "a1")
    alarm = (await operator.get(f"{ALARMS}/a1")).json()
    assert (alarm["state"], alarm["state_under"]) == ("shelved", "normal")
    at_us = to_us(ago(0))
    await alarms.turn(conn, [Raised("a2", "asset:a1", "a1", AlarmType.DRAIN_OVERFLOW, at_us, at_us, WHY)])
    again = (await operator.get(f"{ALARMS}/a1")).json()
    assert (again["state_under"], again["acknowledged_by"], again["note"]) == ("unacknowledged", None, None)
    await clear(conn, "a1")
    assert [each.id for each in await alarms.unshelve_due(conn, to_us(ago(-3_599)))] == []
    (over,) = await alarms.unshelve_due(conn, to_us(ago(-3_601)))
    assert (over.id, over.state, over.state_under) == ("a1", "returned_unacknowledged", None)


@pytest.mark.parametrize(
    ("given", "member"),
    [
        ({"until": text(ago(1))}, "until"),
        ({"until": text(ago(-8 * 86_400))}, "until"),
        ({"until": "Friday"}, "until"),
        ({"reason": ""}, "reason"),
    ],
)
async def test_shelving_without_a_lawful_end_or_a_reason_is_refused(
    operator: httpx.AsyncClient, conn: Connection, given: dict[str, str], member: str
) -> None:
    await raise_alarm(conn, "a1")
    answer = await shelve(operator, "a1", **given)
    assert answer.status_code == 422
    assert member in answer.text
    assert await ids(operator, state="shelved") == []


async def test_shelving_wants_an_operator_and_an_alarm(
    operator: httpx.AsyncClient, viewer: httpx.AsyncClient, conn: Connection
) -> None:
    await raise_alarm(conn, "a1")
    assert (await shelve(viewer, "a1")).status_code == 403
    assert (await shelve(operator, "nobody")).status_code == 404
    assert (await operator.post(f"{ALARMS}/nobody/unshelve")).status_code == 404


async def test_alarms_by_state(operator: httpx.AsyncClient, conn: Connection) -> None:
    for n, name in enumerate(("seen", "returned", "over", "new")):
        await raise_alarm(conn, name, seconds_ago=100 - n)
    for name in ("seen", "over"):
        await operator.post(f"{ALARMS}/{name}/acknowledge")
    for name in ("returned", "over"):
        await clear(conn, name)
    assert await ids(operator, state="unacknowledged") == ["new"]
    assert await ids(operator, state="acknowledged") == ["seen"]
    assert await ids(operator, state="returned_unacknowledged") == ["returned"]
    assert await ids(operator, state="normal") == ["over"]
    assert await ids(operator, state="active") == ["new", "returned", "seen"]
    assert await ids(operator) == ["new", "over", "returned", "seen"]
    assert (await operator.get(ALARMS, params={"state": "bored"})).status_code == 422


async def test_alarms_of_a_type_or_asset(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a")
    await raise_alarm(conn, "b", type=AlarmType.LAMP_FAULT)
    assert await ids(viewer, type="lamp_fault") == ["b"]
    assert await ids(viewer, asset="a") == ["a"]


async def test_pages_of_alarms(viewer: httpx.AsyncClient, conn: Connection) -> None:
    for n in range(5):
        await raise_alarm(conn, f"a{n}", seconds_ago=50 if n < 3 else 10)
    first = (await viewer.get(ALARMS, params={"limit": 2})).json()
    rest = (await viewer.get(ALARMS, params={"cursor": first["next"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ["a4", "a3", "a2", "a1", "a0"]


async def test_acknowledging_keeps_who_and_when_and_why(operator: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a")
    answer = await operator.post(f"{ALARMS}/a/acknowledge", json={"note": "crew is on its way"})
    assert answer.status_code == 200
    alarm = answer.json()
    assert (alarm["state"], alarm["acknowledged_by"]) == ("acknowledged", "operator of the test")
    assert alarm["note"] == "crew is on its way"
    assert alarm["acknowledged_at"]
    audit = await (await conn.execute("SELECT by, action, subject, detail FROM audit")).fetchall()
    assert audit == [("operator of the test", "acknowledge", "alarm:a", {"note": "crew is on its way"})]
    events = await (await conn.execute("SELECT event, by FROM alarm_event ORDER BY at")).fetchall()
    assert ("acknowledge", "operator of the test") in events


async def test_acknowledging_what_has_returned_ends_it(operator: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a")
    await clear(conn, "a")
    assert (await operator.post(f"{ALARMS}/a/acknowledge")).json()["state"] == "normal"


async def test_acknowledging_again_changes_nothing(operator: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a")
    first = await operator.post(f"{ALARMS}/a/acknowledge", json={"note": "first"})
    again = await operator.post(f"{ALARMS}/a/acknowledge", json={"note": "second"})
    assert again.json() == first.json()


@pytest.mark.parametrize("body", [{"note": 1}, {"note": "x" * 2_001}, {"remark": "x"}, []])
async def test_a_note_is_text_of_some_length(operator: httpx.AsyncClient, conn: Connection, body: object) -> None:
    await raise_alarm(conn, "a")
    assert (await operator.post(f"{ALARMS}/a/acknowledge", json=body)).status_code == 422


async def test_an_unknown_alarm_is_not_found(operator: httpx.AsyncClient) -> None:
    assert (await operator.get(f"{ALARMS}/nobody")).status_code == 404
    assert (await operator.post(f"{ALARMS}/nobody/acknowledge")).status_code == 404


async def test_a_viewer_may_not_acknowledge(viewer: httpx.AsyncClient, conn: Connection) -> None:
    await raise_alarm(conn, "a")
    answer = await viewer.post(f"{ALARMS}/a/acknowledge")
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]


async def test_while_the_database_is_away_nothing_is_acknowledged(
    operator: httpx.AsyncClient, conn: Connection, pool: Pool, watched: Database
) -> None:
    await raise_alarm(conn, "a")
    await pool.close()
    await watched.probe()
    answer = await operator.post(f"{ALARMS}/a/acknowledge")
    assert answer.status_code == 503
    assert "nothing was changed" in answer.json()["detail"]
