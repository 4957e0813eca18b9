"""The rules decide on without a database; what they decided is there once when it is back, whoever died meanwhile."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rules import journal as journals
from rules import leading
from rules.counts import Counts
from rules.handing_in import hand_in
from rules.journal import Journal
from rules.record import AlarmChange, Record, write_down
from rules.rulefile.active import ActiveRules
from storage import alarms, commands, rule_lead
from storage.alarms import Cleared, Raised
from storage.pool import Connection, open_pool
from telemetry import topics
from telemetry.alarms import AlarmType
from telemetry.clock import to_datetime
from telemetry.commands import Settings
from tests.integration.rules.conftest import StartRules, Town
from tests.integration.rules.webhook import Webhook
from tests.parts.patience import eventually
from tests.parts.wire import Wire

OVERFLOW = "SELECT state, id FROM alarm WHERE type = 'drain_overflow'"


def heard_alarms(town: Town) -> list[dict[str, Any]]:
    """What was said of alarms, the words that take a retained one away left out."""
    prefix = topics.alarm("")
    return [body for topic, said in town.said.items() if topic.startswith(prefix) for body, _ in said if body]


def rule_file(folder: Path, url: str) -> Path:
    """A rule file that has everything told to a URL."""
    (folder / "desk.url").write_text(url)
    file = folder / "rules.toml"
    sink = f'[notifications.sinks.desk]\nurl_file = "{folder / "desk.url"}"\n'
    file.write_text(sink + '[[notifications.routes]]\nto = ["desk"]\n')
    return file


async def alarms_heard(town: Town, *states: str) -> None:
    async def attempt() -> None:
        assert [body["state"] for body in heard_alarms(town)] == list(states)

    await eventually(attempt)


async def test_an_overflow_reaches_people_within_a_second_without_database(
    start_rules: StartRules, town: Town, gate: Wire, tmp_path: Path
) -> None:
    async with Webhook() as hook:
        async with start_rules(rules=ActiveRules(rule_file(tmp_path, hook.url))) as counts:
            await town.commands("L1", 1)
            gate.shut()
            said_s = time.monotonic()
            await town.report("drain_level", "D1", level_m=1.6)
            await alarms_heard(town, "unacknowledged")

            async def told() -> float:
                assert len(hook.told) == 1
                return hook.told[0][1] - said_s

            assert await eventually(told) < 1.0
            assert hook.told[0][0]["title"] == "critical: drain overflow, drain-1"
            assert await town.rows("SELECT id FROM alarm") == []
            assert counts.journaled > 0
            gate.open()
            await town.row(OVERFLOW, expected=lambda row: row[0] == "unacknowledged")
            await alarms_heard(town, "unacknowledged")
            assert len(hook.told) == 1
            assert await town.rows("SELECT event FROM alarm_event") == [("raise",)]
            await town.row("SELECT sink FROM alarm_told", expected=lambda row: row == ("desk",))
        async with start_rules(rules=ActiveRules(rule_file(tmp_path, hook.url))):
            await town.report("drain_level", "D1", level_m=0.2)
            town.clock.pass_by(1_900)
            await town.report("drain_level", "D1", level_m=0.2)

            async def over() -> None:
                titles = [said["title"] for said, _ in hook.told if "drain overflow" in said["title"]]
                assert titles == ["critical: drain overflow, drain-1", "Over: drain overflow, drain-1"]

            await eventually(over)


async def test_a_database_that_hangs_holds_nothing_up(town: Town, start_rules: StartRules, database: str) -> None:
    async with Wire(database) as wire, await open_pool(wire.url, size=4) as pool, start_rules(pool=pool):
        await town.commands("L1", 1)
        wire.stall()
        said_s = time.monotonic()
        await town.report("drain_level", "D1", level_m=1.6)
        await alarms_heard(town, "unacknowledged")
        assert time.monotonic() - said_s < 1.0
        await town.report("parking_bay", "B1", occupied=False)
        await asyncio.sleep(0.5)
        wire.flow()
        await town.row(OVERFLOW, expected=lambda row: row[0] == "unacknowledged")
        await town.row("SELECT free FROM parking_zone_now", expected=lambda row: row == (1,))
        assert await town.rows("SELECT event FROM alarm_event") == [("raise",)]


async def test_lamps_are_told_and_answer_without_database(rules: Counts, town: Town, gate: Wire) -> None:
    (told, *_) = await town.commands("L1", 1)
    await town.state_of(told["id"], "sent")
    gate.shut()
    await town.answer("L1", told)
    town.clock.pass_by(1900)
    (_, renewed, *_) = await town.commands("L1", 2)
    await town.answer("L1", renewed)
    await town.report("streetlight", "L1", level_pct=30)
    await asyncio.sleep(0.5)
    gate.open()
    await town.state_of(renewed["id"], "verified")
    await town.state_of(told["id"], "verified")
    assert len(town.said[topics.command("streetlight", "L1")]) == 2
    assert await town.rows("SELECT count(*) FROM command WHERE asset = 'lamp-1'") == [(2,)]


@pytest.mark.parametrize("trouble", ["at its bound", "disk"])
async def test_with_neither_database_nor_journal_all_waits(
    rules: Counts, town: Town, gate: Wire, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    def refuse(_: Journal, __: bytes) -> None:
        raise OSError("no space left on device")

    await town.commands("L1", 1)
    if trouble == "disk":
        monkeypatch.setattr(Journal, "_write", refuse)
    else:
        monkeypatch.setattr(journals, "RULES_JOURNAL_BYTES_MAX", 1)
    gate.shut()
    await town.report("drain_level", "D1", level_m=0.3)
    await asyncio.sleep(1.2)
    heard = rules.observations
    await town.report("drain_level", "D1", level_m=1.6)
    await asyncio.sleep(0.6)
    assert (rules.observations, heard_alarms(town)) == (heard, [])
    gate.open()
    await town.row(OVERFLOW, expected=lambda row: row[0] == "unacknowledged")
    await alarms_heard(town, "unacknowledged")


async def test_rules_that_die_without_database_repeat_nothing_and_forget_nothing(
    start_rules: StartRules, town: Town, gate: Wire
) -> None:
    async with start_rules():
        await town.commands("L1", 1)
        gate.shut()
        await town.report("drain_level", "D1", level_m=1.6)
        await alarms_heard(town, "unacknowledged")
        await town.report("parking_bay", "B1", occupied=False)
        await asyncio.sleep(1.1)
    ((alarm_id,),) = {(body["id"],) for body in heard_alarms(town)}
    opening = asyncio.create_task(_open_later(gate))
    async with start_rules() as counts:
        await opening
        assert await town.rows("SELECT id, state FROM alarm") == [(alarm_id, "unacknowledged")]
        await town.row("SELECT free FROM parking_zone_now", expected=lambda row: row == (1,))
        assert counts.observations == 0
        await asyncio.sleep(1.8)
        await alarms_heard(town, "unacknowledged")
        assert len(town.said[topics.command("streetlight", "L1")]) == 1


async def _open_later(gate: Wire) -> None:
    await asyncio.sleep(1)
    gate.open()


async def test_a_leader_that_was_cut_off_and_overtaken_stops_and_hands_in(
    start_rules: StartRules, town: Town, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "RETURN_S", 0.5)
    async with Wire(database) as wire, await open_pool(wire.url, size=4) as pool:
        journal = tmp_path / "first" / "journal"
        both = (
            start_rules(pool=pool, journal=Journal(journal.parent)),
            start_rules(journal=Journal(tmp_path / "second")),
        )
        async with both[0] as first, both[1] as second:
            assert (first.leading, second.leading) == (True, False)
            await town.commands("L1", 1)
            wire.shut()
            await town.report("drain_level", "D1", level_m=1.6)
            await alarms_heard(town, "unacknowledged")

            async def taken_over() -> None:
                assert (first.leading, second.leading) == (False, True)

            await eventually(taken_over, seconds=20)
            assert await town.rows("SELECT id FROM alarm") == []
            assert journal.stat().st_size > 0
            await town.report("drain_level", "D1", level_m=1.7)
            await town.row(OVERFLOW, expected=lambda row: row[0] == "unacknowledged")
            wire.open()

            async def handed_in() -> None:
                assert journal.stat().st_size == 0

            await eventually(handed_in, seconds=15)
            query = "SELECT state, why->'inputs'->>'level_m' FROM alarm"
            assert await town.rows(query) == [("unacknowledged", "1.7")]
            assert (first.leading, second.leading) == (False, True)


async def test_a_later_term_of_another_database_overtakes_nobody(start_rules: StartRules, town: Town) -> None:
    await town.session.publish(topics.RULES_TERM, b"99", retain=True, timeout_s=10)
    async with start_rules() as counts:
        await town.commands("L1", 1)
        await asyncio.sleep(0.5)
        await town.report("drain_level", "D1", level_m=1.6)
        await town.row(OVERFLOW, expected=lambda row: row[0] == "unacknowledged")
        assert counts.leading
    assert await town.rows("SELECT term FROM rule_lead") == [(1,)]


async def test_a_journal_of_another_database_is_set_aside(start_rules: StartRules, town: Town, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rules")
    journal.open()
    order = commands.Order("c", 4711, "gone", "G", Settings(setpoint_pct=30), "program", 1, 2)
    await journal.append(7, msgspec.structs.replace(decided(1, []), orders=[order]))
    journal.close()
    async with start_rules():
        await town.commands("L1", 1)
    assert (tmp_path / "rules" / "journal.cut").stat().st_size > 0
    assert not journal.holds_something


async def test_what_is_handed_in_is_history(conn: Connection) -> None:
    mine, other = [Raised(name, f"asset:{name}", name, AlarmType.DRAIN_HIGH, 10, 10, {}) for name in ("mine", "other")]
    over = Cleared("asset:other", AlarmType.DRAIN_HIGH, 20)
    await alarms.turn(conn, [msgspec.structs.replace(mine, id="today's")])
    for _ in range(2):
        await hand_in(conn, [decided(1, [mine, other]), decided(2, [over])], 99)
    found = await (await conn.execute("SELECT id, state, cleared_at FROM alarm ORDER BY id")).fetchall()
    assert found == [
        ("other", "returned_unacknowledged", to_datetime(20)),
        ("today's", "unacknowledged", None),
    ]
    await hand_in(conn, [decided(3, [msgspec.structs.replace(other, id="open", subject="asset:open")])], 99)
    ended = await (await conn.execute("SELECT cleared_at FROM alarm WHERE id = 'open'")).fetchone()
    assert ended == (to_datetime(99),)


async def test_a_record_is_written_down_once_and_only_in_its_term(conn: Connection) -> None:
    term = await rule_lead.begin(conn, "first", 0)
    raised = Raised("one", "asset:one", "one", AlarmType.DRAIN_HIGH, 10, 10, {})
    assert len(await write_down(conn, term, decided(1, [raised]))) == 1
    assert await write_down(conn, term, decided(1, [msgspec.structs.replace(raised, subject="asset:two")])) == []
    await rule_lead.begin(conn, "second", 0)
    with pytest.raises(rule_lead.Overtaken):
        await write_down(conn, term, decided(2, []))


def decided(number: int, changes: list[AlarmChange]) -> Record:
    return Record(
        number=number, rows=[], gone=[], alarms=changes, orders=[], sent={}, moves=[], words=[], zones_gone=[]
    )
