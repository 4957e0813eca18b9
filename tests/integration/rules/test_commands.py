"""A command's way: rule or person, broker, device, acknowledgement, report, over a real broker and database."""

import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from bus.session import Watcher
from rules.counts import Counts
from storage import commands, registry
from storage.commands import Order
from telemetry import topics
from telemetry.clock import HOUR_US, to_datetime
from telemetry.commands import Settings
from tests.integration.rules.conftest import StartRules, Town, quiet
from tests.parts.patience import eventually


async def override(town: Town, name: str, settings: Settings, asset: str = "lamp-1", hours: float = 1) -> None:
    ((asset_id,),) = await town.rows("SELECT asset_id FROM asset WHERE asset = %s", asset)
    now_us = town.clock.now()
    order = Order(name, asset_id, asset, None, settings, "override", now_us, now_us + round(hours * HOUR_US))
    await commands.order(town.conn, [order], by="anna", note="night market")


async def test_a_lamp_is_told_acknowledges_follows_and_is_verified(rules: Counts, town: Town) -> None:
    (told, *_) = await town.commands("L1", 1)
    assert (told["set"], told["reason"]) == ({"setpoint_pct": 30.0}, "program")
    assert datetime.fromisoformat(told["expires_at"]) > to_datetime(town.clock.now())
    await town.state_of(told["id"], "sent")
    await town.answer("L1", told)
    await town.state_of(told["id"], "acknowledged")
    await town.report("streetlight", "L1", level_pct=31)
    moments = await town.state_of(told["id"], "verified")
    assert list(moments[1:5]) == sorted(moments[1:5])
    assert all(moments[1:5])


async def test_a_floor_holds_for_the_program(rules: Counts, town: Town) -> None:
    (told, *_) = await town.commands("L2", 1)
    assert told["set"] == {"setpoint_pct": 40.0}


async def test_a_lamp_that_does_not_follow_raises_an_alarm(rules: Counts, town: Town) -> None:
    (told, *_) = await town.commands("L1", 1)
    await town.answer("L1", told)
    await town.state_of(told["id"], "acknowledged")
    for _ in range(3):
        await town.report("streetlight", "L1", level_pct=100)
    failed = await town.state_of(told["id"], "failed")
    assert "100 %" in failed[5]
    await town.row("SELECT type, asset FROM alarm", expected=lambda row: row == ("lamp_not_following", "lamp-1"))


async def test_a_rejection_says_why(rules: Counts, town: Town) -> None:
    (told, *_) = await town.commands("L1", 1)
    await town.answer("L1", told, ok=False)
    assert (await town.state_of(told["id"], "rejected"))[5] == "broken"


async def test_no_words_of_a_device_stop_the_rules(rules: Counts, town: Town) -> None:
    told = [(await town.commands(device, 1))[0] for device in ("L1", "L2")]
    words = b'{"id": "%s", "ok": false, "error": "\\u0000 \\ud83d\\ude00"}' % told[0]["id"].encode()
    await town.session.publish(topics.ack("streetlight", "L1"), words, timeout_s=10)
    await town.session.publish(topics.ack("streetlight", "L1"), b"\xff\x00{", timeout_s=10)
    await town.session.publish(topics.telemetry("streetlight", "L1"), b"[[[", timeout_s=10)
    await town.state_of(told[0]["id"], "rejected")
    await town.answer("L2", told[1])
    await town.state_of(told[1]["id"], "acknowledged")
    assert rules.acks_misspoken == 1


async def test_an_override_is_sent_and_its_end_lets_the_program_resume(rules: Counts, town: Town) -> None:
    await town.commands("L1", 1)
    await override(town, "o-1", Settings(setpoint_pct=80))
    (_, told, *_) = await town.commands("L1", 2)
    assert (told["id"], told["set"], told["reason"]) == ("o-1", {"setpoint_pct": 80.0}, "override")
    await town.answer("L1", told)
    await town.report("streetlight", "L1", level_pct=80)
    await town.state_of("o-1", "verified")
    ended = await commands.end_override(town.conn, "o-1", at_us=town.clock.now())
    assert ended is not None
    (*_, last) = await town.commands("L1", 3)
    assert (last["set"], last["reason"]) == ({"setpoint_pct": 30.0}, "program")


async def test_an_override_ends_by_itself(rules: Counts, town: Town) -> None:
    await override(town, "o-1", Settings(setpoint_pct=80))
    await town.state_of("o-1", "sent")
    before = len(town.said[topics.command("streetlight", "L1")])
    town.clock.pass_by(3601)
    (*_, last) = await town.commands("L1", before + 1)
    assert last["reason"] == "program"


async def test_a_guard_stops_what_no_door_should_have_let_in(rules: Counts, town: Town) -> None:
    await override(town, "o-1", Settings(setpoint_pct=0))
    assert "sign 394" in (await town.state_of("o-1", "failed"))[5]


async def test_a_drain_is_told_to_report_more_often(rules: Counts, town: Town) -> None:
    await override(town, "o-1", Settings(report_every_s=60), asset="drain-1")
    (told,) = await town.commands("D1", 1, kind="drain_level")
    assert told["set"] == {"report_every_s": 60}
    await town.answer("D1", told, kind="drain_level")
    await town.state_of("o-1", "acknowledged")


async def test_a_restart_repeats_nothing(start_rules: StartRules, town: Town) -> None:
    async with start_rules():
        (told, *_) = await town.commands("L1", 1)
        await town.answer("L1", told)
        await town.state_of(told["id"], "acknowledged")
    rows = await town.rows("SELECT count(*) FROM command")
    heard = len(town.said[topics.command("streetlight", "L1")])
    async with start_rules():

        async def nothing_new() -> None:
            assert await town.rows("SELECT count(*) FROM command") == rows
            assert len(town.said[topics.command("streetlight", "L1")]) == heard

        await quiet(nothing_new)
        await town.report("streetlight", "L1", level_pct=30)
        await town.state_of(told["id"], "verified")


async def test_what_was_written_while_the_rules_were_down_is_sent_or_has_expired(
    start_rules: StartRules, town: Town
) -> None:
    await override(town, "in time", Settings(setpoint_pct=70), hours=2)
    await override(town, "too late", Settings(setpoint_pct=60), asset="lamp-2", hours=0.1)
    town.clock.pass_by(1800)
    async with start_rules():
        await town.state_of("in time", "sent")
        await town.state_of("too late", "expired")
        sent: list[dict[str, Any]] = [body for body, _ in town.said[topics.command("streetlight", "L2")]]
        assert "too late" not in [body["id"] for body in sent]


async def test_a_command_that_was_decided_and_not_sent_goes_out_after_a_restart(
    start_rules: StartRules, town: Town
) -> None:
    async with start_rules():
        (told, *_) = await town.commands("L1", 1)
        await town.state_of(told["id"], "sent")
    await town.conn.execute("UPDATE command SET state = 'queued', sent_at = NULL WHERE id = %s", (told["id"],))
    async with start_rules():
        (_, again, *_) = await town.commands("L1", 2)
        assert again["id"] == told["id"]
        await town.state_of(told["id"], "sent")


async def test_a_command_that_the_broker_has_not_taken_does_not_fail(
    start_rules: StartRules, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = asyncio.Event()

    class Slow(Watcher):
        """A way to a broker that for a while takes no commands."""

        async def publish(self, topic: str, *args: Any, **more: Any) -> None:
            if topic == topics.command("streetlight", "L1"):
                await takes.wait()
            await super().publish(topic, *args, **more)

    monkeypatch.setattr("rules.service.Watcher", Slow)
    async with start_rules() as counts:
        for number in range(1, 10):
            town.clock.pass_by(300)
            await town.report("streetlight", "L1", level_pct=100)

            async def heard(number: int = number) -> None:
                assert counts.observations >= number

            await eventually(heard)
        assert counts.alarms["command_failed"] == 0
        takes.set()
        (_, told, *_) = await town.commands("L1", 2)  # the first has been on its way since before it was renewed
        await town.answer("L1", told)
        await town.state_of(told["id"], "acknowledged")


async def test_what_another_command_replaces_has_ended_and_keeps_its_state(rules: Counts, town: Town) -> None:
    (program, *_) = await town.commands("L1", 1)
    await town.answer("L1", program)
    await town.state_of(program["id"], "acknowledged")
    await override(town, "o-1", Settings(setpoint_pct=80))
    await town.state_of("o-1", "sent")
    await override(town, "o-2", Settings(setpoint_pct=70))
    await town.state_of("o-2", "sent")
    await commands.expire_lost(town.conn, [], at_us=town.clock.now() + 2 * HOUR_US)
    query = "SELECT id, state, error FROM command WHERE asset = 'lamp-1' AND ended_at IS NOT NULL ORDER BY ended_at"
    assert await town.rows(query) == [(program["id"], "acknowledged", None), ("o-1", "superseded", None)]


async def test_a_new_lamp_is_told_within_seconds(rules: Counts, town: Town) -> None:
    text = "asset,kind,name,zone,lat,lon,device\nlamp-9,streetlight,Lamp 9,,,,L9\n"
    await registry.import_csv(town.conn, text, town.clock.now())
    (told,) = await town.commands("L9", 1)
    assert told["set"] == {"setpoint_pct": 30.0}


async def test_an_override_is_heard_at_once_and_stays_that_of_who_wanted_it(rules: Counts, town: Town) -> None:
    await town.commands("L1", 1)
    begun_s = time.monotonic()
    await override(town, "o-1", Settings(setpoint_pct=80))
    await town.commands("L1", 2)
    assert time.monotonic() - begun_s < 1.0
    text = "asset,kind,name,zone,lat,lon,device\nlamp-1,streetlight,Lamp 1,,,,L9\n"
    await registry.import_csv(town.conn, text, town.clock.now())
    (told,) = await town.commands("L9", 1)
    assert (told["set"], told["reason"]) == ({"setpoint_pct": 80.0}, "override")
    await town.state_of(told["id"], "sent")
    query = "SELECT by, note FROM command WHERE reason = 'override' ORDER BY queued_at"
    assert await town.rows(query) == [("anna", "night market")] * 2
