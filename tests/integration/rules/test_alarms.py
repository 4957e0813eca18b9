"""An alarm's life over a real broker and database: raised, acknowledged, cleared, and what the broker retains of it."""

import asyncio
import json
from typing import Any

from bus.session import Watcher
from rules.counts import Counts
from rules.radio_words import COLLECT_S
from storage import alarms
from telemetry import radio, topics
from telemetry.clock import to_rfc3339
from tests.integration.rules.conftest import StartRules, Town, quiet
from tests.parts.broker import BrokerPart
from tests.parts.patience import eventually

STATE = "SELECT state, id FROM alarm WHERE type = 'drain_overflow'"


async def flood(town: Town) -> str:
    """Water at the ground; returns the alarm's id."""
    await town.report("drain_level", "D1", level_m=1.6)
    _, alarm_id = await town.row(STATE, expected=lambda row: row[0] == "unacknowledged")
    return str(alarm_id)


async def ebb(town: Town) -> None:
    """Water below for as long as an alarm takes to clear."""
    await town.report("drain_level", "D1", level_m=0.3)
    for _ in range(7):
        town.clock.pass_by(300)
        await town.report("drain_level", "D1", level_m=0.3)


async def retained(broker: BrokerPart) -> dict[str, str]:
    """State of each alarm that the broker retains, by id."""
    found: dict[str, bytes] = {}
    async with Watcher(
        broker.url, "look", [topics.alarm("+")], lambda name, body, _: found.update({name: body})
    ) as look:
        await look.ready()
        await asyncio.sleep(0.3)
    return {name.rpartition("/")[2]: json.loads(body)["state"] for name, body in found.items() if body}


async def broker_retains(broker: BrokerPart, expected: dict[str, str]) -> None:
    async def attempt() -> None:
        assert await retained(broker) == expected

    await eventually(attempt, seconds=15)


async def test_an_alarm_is_raised_acknowledged_and_cleared(rules: Counts, town: Town, own_broker: BrokerPart) -> None:
    alarm_id = await flood(town)
    await broker_retains(own_broker, {alarm_id: "unacknowledged"})
    await alarms.acknowledge(town.conn, alarm_id, by="anna", note="on my way", at_us=town.clock.now())
    await broker_retains(own_broker, {alarm_id: "acknowledged"})
    await ebb(town)
    await town.row(STATE, expected=lambda row: row[0] == "normal")
    await broker_retains(own_broker, {})
    heard: list[tuple[dict[str, Any], bool]] = town.said[topics.alarm(alarm_id)]
    assert [body.get("state") for body, _ in heard] == ["unacknowledged", "acknowledged", "normal", None]
    final = heard[2][0]
    assert (final["acknowledged_by"], final["note"]) == ("anna", "on my way")
    assert final["cleared_at"] > final["raised_at"]
    events = await town.rows("SELECT event, state, by FROM alarm_event WHERE alarm_id = %s ORDER BY at", alarm_id)
    assert events == [
        ("raise", "unacknowledged", None),
        ("acknowledge", "acknowledged", "anna"),
        ("clear", "normal", None),
    ]


async def test_the_alarm_on_the_broker_has_the_contract_s_shape(rules: Counts, town: Town) -> None:
    alarm_id = await flood(town)

    async def attempt() -> dict[str, Any]:
        (body, _), *_ = town.said[topics.alarm(alarm_id)] or [({}, False)]
        assert body
        return body

    alarm = await eventually(attempt)
    assert (alarm["id"], alarm["subject"], alarm["asset"]) == (alarm_id, "asset:drain-1", "drain-1")
    assert (alarm["type"], alarm["severity"]) == ("drain_overflow", "critical")
    assert alarm["why"]["thresholds"]["ground_m"] == 1.5
    assert alarm["why"]["inputs"]["level_m"] == 1.6
    assert (await town.rows("SELECT version FROM rule_version")) == [(alarm["why"]["rule_version"],)]
    assert alarm["raised_at"].endswith("Z")


async def test_an_alarm_that_comes_again_replaces_the_returned_one(
    rules: Counts, town: Town, own_broker: BrokerPart
) -> None:
    first = await flood(town)
    await ebb(town)
    await town.row(STATE, expected=lambda row: row[0] == "returned_unacknowledged")
    town.clock.pass_by(60)
    await town.report("drain_level", "D1", level_m=1.7)
    query = "SELECT state FROM alarm WHERE type = 'drain_overflow' AND id <> %s"
    await town.row(query, first, expected=lambda row: row[0] == "unacknowledged")
    assert await town.rows("SELECT state FROM alarm WHERE id = %s", first) == [("normal",)]
    ((second,),) = await town.rows("SELECT id FROM alarm WHERE state = 'unacknowledged' AND type = 'drain_overflow'")

    async def attempt() -> None:
        kept = await retained(own_broker)
        assert kept.get(second) == "unacknowledged"
        assert first not in kept

    await eventually(attempt)


async def test_acknowledging_after_the_return_makes_it_normal(
    rules: Counts, town: Town, own_broker: BrokerPart
) -> None:
    alarm_id = await flood(town)
    await ebb(town)
    await town.row(STATE, expected=lambda row: row[0] == "returned_unacknowledged")
    await broker_retains(own_broker, {alarm_id: "returned_unacknowledged"})
    await alarms.acknowledge(town.conn, alarm_id, by="anna", note=None, at_us=town.clock.now())
    await broker_retains(own_broker, {})


async def test_a_restart_repeats_no_alarm_and_forgets_none(
    start_rules: StartRules, town: Town, own_broker: BrokerPart
) -> None:
    async with start_rules():
        alarm_id = await flood(town)
        await broker_retains(own_broker, {alarm_id: "unacknowledged"})
        await ebb_begins(town)
    said = len(town.said[topics.alarm(alarm_id)])
    town.clock.pass_by(900)
    async with start_rules():

        async def nothing_new() -> None:
            assert len(town.said[topics.alarm(alarm_id)]) == said
            assert len(await town.rows("SELECT id FROM alarm WHERE type = 'drain_overflow'")) == 1

        await quiet(nothing_new, seconds=4)
        town.clock.pass_by(901)
        await town.report("drain_level", "D1", level_m=0.3)
        await town.row(STATE, expected=lambda row: row[0] == "returned_unacknowledged")


async def ebb_begins(town: Town) -> None:
    await town.report("drain_level", "D1", level_m=0.3)
    query = "SELECT state FROM rule_state WHERE rule = 'drain_overflow'"
    await town.row(query, expected=lambda row: "since_us" in row[0])


async def test_what_the_broker_forgot_is_retained_again(rules: Counts, town: Town, own_broker: BrokerPart) -> None:
    alarm_id = await flood(town)
    await broker_retains(own_broker, {alarm_id: "unacknowledged"})
    own_broker.kill()
    own_broker.start()
    await broker_retains(own_broker, {alarm_id: "unacknowledged"})


async def test_an_alarm_of_nobody_is_taken_from_the_broker(
    start_rules: StartRules, town: Town, own_broker: BrokerPart
) -> None:
    await town.session.publish(topics.alarm("ghost"), b'{"state": "unacknowledged"}', retain=True, timeout_s=10)
    async with start_rules():
        await broker_retains(own_broker, {})


async def test_three_missed_reports_are_silence(rules: Counts, town: Town) -> None:
    await town.report("drain_level", "D1", level_m=0.3)
    await town.row("SELECT rule FROM rule_state WHERE rule = 'presence'", expected=bool)
    town.clock.pass_by(901)
    await town.row("SELECT type, asset FROM alarm", expected=lambda row: row == ("device_silent", "drain-1"))


async def test_an_alarm_of_an_asset_that_was_retired_meanwhile_is_over(start_rules: StartRules, town: Town) -> None:
    async with start_rules():
        await flood(town)
    await town.conn.execute("UPDATE asset SET retired_at = %s WHERE asset = 'drain-1'", ("2026-11-23T00:00:00Z",))
    async with start_rules():
        await town.row(STATE, expected=lambda row: row[0] == "returned_unacknowledged")


async def test_an_outage_of_a_radio_gateway_is_one_alarm(rules: Counts, town: Town) -> None:
    for device in ("B1", "B2"):
        await town.report("parking_bay", device, occupied=True)
    now_us = town.clock.now()
    word = radio.RadioWord(False, "chirpstack", to_rfc3339(now_us), to_rfc3339(now_us), ["B1", "B2"])
    await town.session.publish(topics.radio_gateway("gw"), radio.encode(word), retain=True, timeout_s=20)
    state = "SELECT state, subject, asset, why FROM alarm WHERE type = 'gateway_outage'"
    await asyncio.sleep(COLLECT_S)
    town.clock.pass_by(3_600)
    raised, subject, asset, why = await town.row(state, expected=lambda row: row[0] == "unacknowledged")
    assert (raised, subject, asset, why["inputs"]["assets"]) == (
        "unacknowledged",
        "gateway:gw",
        None,
        ["bay-1", "bay-2"],
    )
    assert await town.rows("SELECT asset FROM alarm WHERE type = 'device_silent'") == []
    back = radio.RadioWord(True, "chirpstack", to_rfc3339(town.clock.now()), to_rfc3339(town.clock.now()))
    await town.session.publish(topics.radio_gateway("gw"), radio.encode(back), retain=True, timeout_s=20)
    await town.row(state, expected=lambda row: row[0] == "returned_unacknowledged")
    town.clock.pass_by(3_600)
    await town.row("SELECT count(*) FROM alarm WHERE type = 'device_silent'", expected=lambda row: row[0] == 2)
