"""Overrides over HTTP: guarded, all or nothing, ended by hand, and every step written down."""

import datetime as dt
from typing import Any

import httpx
import pytest

from api import shapes
from api.database import Database
from storage import rule_versions
from storage.pool import Connection, Pool
from storage.rule_versions import RuleVersion
from telemetry.clock import to_us
from tests.integration.api.conftest import Night, ago, text

COMMANDS = "/ops/v1/commands"


def body(**members: Any) -> dict[str, Any]:
    """An order for lamp 1 to give 70 % for half an hour; `None` leaves a member out."""
    order = {"asset": "lamp-1", "set": {"setpoint_pct": 70}, "expires_at": text(ago(-1_800)), **members}
    return {name: value for name, value in order.items() if value is not None}


async def rows(conn: Connection, statement: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(statement)).fetchall()


async def test_an_override_is_a_row_for_the_rules(operator: httpx.AsyncClient, conn: Connection) -> None:
    await conn.execute("LISTEN lamplighter_override")
    answer = await operator.post(COMMANDS, json=body(note="market day"))
    assert answer.status_code == 202
    (command,) = answer.json()["items"]
    shapes.Command.model_validate(command)
    assert (command["asset"], command["set"], command["reason"]) == ("lamp-1", {"setpoint_pct": 70.0}, "override")
    assert (command["state"], command["by"], command["note"]) == ("queued", "operator of the test", "market day")
    assert command["sent_at"] is None
    assert await rows(conn, "SELECT id, asset, device FROM command") == [(command["id"], "lamp-1", "L1")]
    told = [each async for each in conn.notifies(timeout=5, stop_after=1)]
    assert [each.channel for each in told] == ["lamplighter_override"]


async def test_an_override_without_an_end_ends_in_an_hour(operator: httpx.AsyncClient) -> None:
    (command,) = (await operator.post(COMMANDS, json=body(expires_at=None))).json()["items"]
    queued, expires = (dt.datetime.fromisoformat(command[name]) for name in ("queued_at", "expires_at"))
    assert expires - queued == dt.timedelta(hours=1)


async def test_a_level_for_a_zone_means_its_lamps(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="market"))
    assert [command["asset"] for command in answer.json()["items"]] == ["lamp-1", "lamp-2"]


@pytest.mark.parametrize("setting", [{"setpoint_pct": 70}, {"report_every_s": 60}])
async def test_a_zone_with_an_asset_that_no_device_serves_is_refused_whole(
    operator: httpx.AsyncClient, conn: Connection, setting: dict[str, Any]
) -> None:
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="station", set=setting))
    assert answer.status_code == 422
    assert [refused["asset"] for refused in answer.json()["refused"]] == ["lamp-4"]
    assert "no device" in answer.json()["detail"]
    assert await rows(conn, "SELECT id FROM command") == []


async def test_a_retired_lamp_holds_no_zone_up(operator: httpx.AsyncClient, conn: Connection) -> None:
    await conn.execute("UPDATE asset SET retired_at = %s WHERE asset = 'lamp-4'", (ago(60),))
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="station"))
    assert [command["asset"] for command in answer.json()["items"]] == ["lamp-3"]


async def test_a_zone_of_too_many_is_refused_whole(
    operator: httpx.AsyncClient, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.ops.commands.ZONE_ASSETS_MAX", 1)
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="market"))
    assert answer.status_code == 422
    assert await rows(conn, "SELECT id FROM command") == []


async def test_a_report_interval_is_for_every_asset_of_a_zone(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="market", set={"report_every_s": 60}))
    assert [command["asset"] for command in answer.json()["items"]] == ["bay-1", "drain-1", "lamp-1", "lamp-2"]


async def test_at_night_a_guard_names_each_lamp_it_refuses_and_nothing_is_sent(
    operator: httpx.AsyncClient, conn: Connection, night: Night
) -> None:
    night.dark = True
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="market", set={"setpoint_pct": 0}))
    assert answer.status_code == 422
    problem = answer.json()
    assert [refused["asset"] for refused in problem["refused"]] == ["lamp-2"]
    assert "crossing" in problem["refused"][0]["detail"]
    assert "lamp-2" in problem["detail"]
    assert await rows(conn, "SELECT id FROM command") == []


@pytest.mark.parametrize(
    ("asset", "level", "status"),
    [
        ("lamp-1", 0, 202),  # bears sign 394
        ("lamp-2", 0, 422),  # a crossing
        ("lamp-2", 39, 422),  # below its minimum level of 40 %
        ("lamp-2", 40, 202),
        ("lamp-3", 0, 422),  # no sign 394
    ],
)
async def test_what_may_be_set_at_night(
    operator: httpx.AsyncClient, night: Night, asset: str, level: float, status: int
) -> None:
    night.dark = True
    answer = await operator.post(COMMANDS, json=body(asset=asset, set={"setpoint_pct": level}))
    assert answer.status_code == status


async def test_floors_of_the_active_rules_hold_at_this_door_too(
    operator: httpx.AsyncClient, night: Night, conn: Connection
) -> None:
    night.dark = True
    content = '{"lighting": {"class_min_pct": {"P4": 60}}}'
    await rule_versions.activate(conn, RuleVersion("stricter", content, "", "", "council"), to_us(ago(60)))
    await conn.execute("UPDATE asset SET attributes = '{\"lighting_class\": \"P4\"}' WHERE asset = 'lamp-3'")
    levels = {
        level: await operator.post(COMMANDS, json=body(asset="lamp-3", set={"setpoint_pct": level}))
        for level in (59, 60)
    }
    assert {level: answer.status_code for level, answer in levels.items()} == {59: 422, 60: 202}


async def test_by_day_any_lamp_may_be_off(operator: httpx.AsyncClient) -> None:
    assert (await operator.post(COMMANDS, json=body(asset="lamp-2", set={"setpoint_pct": 0}))).status_code == 202


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"asset": None}, "asset"),
        ({"zone": "market"}, "asset"),
        ({"asset": "nobody"}, "asset"),
        ({"asset": None, "zone": "nowhere"}, "zone"),
        ({"set": {}}, "set"),
        ({"set": {"colour": "red"}}, "set.colour"),
        ({"set": {"setpoint_pct": "70"}}, "set"),
        ({"set": {"setpoint_pct": True}}, "set"),
        ({"expires_at": "2026-11-22T20:15:00"}, "expires_at"),
        ({"expires_at": 4_000_000_000}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"note": "x" * 2_001}, "note"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_by_name(
    operator: httpx.AsyncClient, conn: Connection, members: dict[str, Any], where: str
) -> None:
    answer = await operator.post(COMMANDS, json=body(**members))
    assert answer.status_code == 422
    assert where in [error["where"] for error in answer.json()["errors"]]
    assert await rows(conn, "SELECT id FROM command") == []


@pytest.mark.parametrize(
    ("asset", "setting"),
    [
        ("lamp-4", {"setpoint_pct": 70}),  # has no device
        ("drain-1", {"setpoint_pct": 70}),
        ("lamp-1", {"setpoint_pct": 101}),
        ("lamp-1", {"report_every_s": 1}),
    ],
)
async def test_what_means_nothing_to_an_asset_is_refused(
    operator: httpx.AsyncClient, asset: str, setting: dict[str, Any]
) -> None:
    answer = await operator.post(COMMANDS, json=body(asset=asset, set=setting))
    assert answer.status_code == 422
    assert answer.json()["refused"]


async def test_malformed_json_is_said_to_be(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(COMMANDS, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["detail"]


async def test_an_override_is_ended_by_hand(operator: httpx.AsyncClient, conn: Connection) -> None:
    (command,) = (await operator.post(COMMANDS, json=body())).json()["items"]
    ended = await operator.delete(f"{COMMANDS}/{command['id']}")
    assert ended.status_code == 200
    assert ended.json()["ended_at"]
    assert ended.json()["state"] == "superseded"


async def test_only_an_override_can_be_ended(operator: httpx.AsyncClient, conn: Connection) -> None:
    await conn.execute(
        "INSERT INTO command (id, asset_id, asset, settings, reason, state, queued_at, expires_at)"
        " SELECT 'c1', asset_id, asset, '{}', 'program', 'sent', %s, %s FROM asset WHERE asset = 'lamp-1'",
        (ago(10), ago(-600)),
    )
    assert (await operator.delete(f"{COMMANDS}/c1")).status_code == 404
    assert (await operator.delete(f"{COMMANDS}/nobody")).status_code == 404


async def test_commands_newest_first_page_after_page_and_of_one_asset(operator: httpx.AsyncClient) -> None:
    for asset in ("lamp-1", "lamp-2", "lamp-1"):
        await operator.post(COMMANDS, json=body(asset=asset))
    first = (await operator.get(COMMANDS, params={"limit": 2})).json()
    rest = (await operator.get(COMMANDS, params={"cursor": first["next"]})).json()
    assert [item["asset"] for item in first["items"] + rest["items"]] == ["lamp-1", "lamp-2", "lamp-1"]
    shapes.Commands.model_validate(first)
    of_one = (await operator.get(COMMANDS, params={"asset": "lamp-2"})).json()["items"]
    assert [item["asset"] for item in of_one] == ["lamp-2"]
    assert (await operator.get(COMMANDS, params={"asset": "nobody"})).status_code == 404


async def test_who_ordered_and_ended_what_is_kept(operator: httpx.AsyncClient, conn: Connection) -> None:
    (command,) = (await operator.post(COMMANDS, json=body(note="why"))).json()["items"]
    await operator.delete(f"{COMMANDS}/{command['id']}")
    kept = await rows(conn, "SELECT by, action, subject FROM audit ORDER BY id")
    by = "operator of the test"
    assert kept == [(by, "command", "asset:lamp-1"), (by, "end_command", f"command:{command['id']}")]
    ((detail,),) = await rows(conn, "SELECT detail FROM audit WHERE action = 'command'")
    assert detail == {"set": {"setpoint_pct": 70}, "note": "why", "commands": [command["id"]]}


async def test_a_viewer_may_read_and_not_order(viewer: httpx.AsyncClient) -> None:
    assert (await viewer.get(COMMANDS)).status_code == 200
    assert (await viewer.post(COMMANDS, json=body())).status_code == 403
    assert (await viewer.delete(f"{COMMANDS}/c1")).status_code == 403


async def test_while_the_database_is_away_nothing_is_ordered(
    operator: httpx.AsyncClient, pool: Pool, watched: Database
) -> None:
    await pool.close()
    await watched.probe()
    answer = await operator.post(COMMANDS, json=body())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_a_long_list_of_refusals_is_told_in_part_and_named_in_full(
    operator: httpx.AsyncClient, conn: Connection, night: Night
) -> None:
    night.dark = True
    await conn.execute("UPDATE asset SET attributes = '{}' WHERE kind = 'streetlight'")
    for n in range(5):
        await conn.execute(
            "WITH lamp AS (INSERT INTO asset (asset, kind, zone)"
            " VALUES (%s, 'streetlight', 'market') RETURNING asset_id),"
            " unit AS (INSERT INTO device (device) VALUES (%s) RETURNING device)"
            " INSERT INTO installation (asset_id, device, kind) SELECT asset_id, %s, 'streetlight' FROM lamp, unit",
            (f"more-{n}", f"M{n}", f"M{n}"),
        )
    answer = await operator.post(COMMANDS, json=body(asset=None, zone="market", set={"setpoint_pct": 0}))
    assert len(answer.json()["refused"]) == 7
    assert "And 4 more" in answer.json()["detail"]
