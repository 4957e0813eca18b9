"""One leader, zones on the broker, and a database that comes and goes."""

import asyncio
from typing import Any

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lamplighter.tracing import sent_by
from rules.counts import Counts
from rules.measures import CLOSURE
from storage import measures
from telemetry import topics
from tests.integration.rules.conftest import StartRules, Town
from tests.parts.patience import eventually
from tests.parts.wire import Wire

MARKET = topics.zone_parking("market")


async def market(town: Town, **expected: Any) -> dict[str, Any]:
    """The market's last word, once it says what is expected."""

    async def attempt() -> dict[str, Any]:
        word = town.said[MARKET][-1][0] if town.said[MARKET] else {}
        assert {name: word.get(name) for name in expected} == expected
        return word

    return await eventually(attempt, seconds=15)


async def test_a_zone_is_retained_and_stands_in_the_database(rules: Counts, town: Town) -> None:
    await town.report("parking_bay", "B3", occupied=False)
    await town.report("parking_bay", "B1", occupied=False)
    await town.report("parking_bay", "B2", occupied=True)
    word = await market(town, capacity=2, free=1, free_min=1, free_max=1, occupied=1, unknown=0, closed=0)
    assert word["name"] == "Marktplatz"
    assert word["restricted"]["disabled"]["free"] == 1
    assert (word["lat"], word["lon"]) == (51.4363, 7.3352)
    query = "SELECT free, occupied FROM parking_zone_now WHERE zone = 'market'"
    await town.row(query, expected=lambda row: row == (1, 1))


async def test_a_silent_bay_becomes_unknown(rules: Counts, town: Town) -> None:
    await town.report("parking_bay", "B1", occupied=False)
    await market(town, free=1)
    town.clock.pass_by(2701)
    await market(town, free=0, unknown=2)


async def test_a_zone_that_lost_its_bays_is_taken_away(start_rules: StartRules, town: Town) -> None:
    async with start_rules():
        await market(town, capacity=2)
    await town.conn.execute("UPDATE asset SET zone = NULL WHERE kind = 'parking_bay'")
    async with start_rules():
        await market(town, zone=None)
        await town.row("SELECT count(*) FROM zone_availability", expected=lambda row: row[0] == 0)


async def test_a_zone_that_an_operator_closes_is_closed_within_a_moment_and_after_a_restart_too(
    start_rules: StartRules, town: Town
) -> None:
    now_us = town.clock.now()
    async with start_rules():
        await town.report("parking_bay", "B1", occupied=False)
        await market(town, status="open", free=1)
        until_us = now_us + 3_600_000_000
        await measures.order(
            town.conn, id="m", zone="market", what=CLOSURE, from_us=now_us, until_us=until_us, note="fair", by="me"
        )
        word = await market(town, status="closed", capacity=0, free=0, closed=3)
        assert word["verified_at"] is None
    town.said[MARKET].clear()
    async with start_rules():
        await town.report("parking_bay", "B2", occupied=True)
        await market(town, status="closed")
        assert {word["status"] for word, _ in town.said[MARKET]} == {"closed"}
        await measures.end(town.conn, zone="market", what=CLOSURE, at_us=town.clock.now())
        await market(town, status="open", free=1, occupied=1)


async def test_only_one_leads_and_another_takes_over(start_rules: StartRules, town: Town) -> None:
    async with start_rules() as first:
        assert first.leading
        async with asyncio.timeout(20):
            stand_by = start_rules()
            second = await stand_by.__aenter__()
        assert not second.leading
        await town.report("drain_level", "D1", level_m=1.6)
        await town.row("SELECT type FROM alarm", expected=bool)
    try:

        async def takes_over() -> None:
            assert second.leading

        await eventually(takes_over, seconds=10)
        await town.report("parking_bay", "B1", occupied=False)
        await market(town, free=1)
        assert len(await town.rows("SELECT id FROM alarm")) == 1
    finally:
        await stand_by.__aexit__(None, None, None)


async def test_a_lost_connection_to_the_database_loses_no_decision(rules: Counts, town: Town) -> None:
    await town.commands("L1", 1)
    for number in range(3):
        await town.report("drain_level", "D1", level_m=1.6 if number % 2 == 0 else 0.2)
        await town.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()"
        )
        town.clock.pass_by(1801)
        await town.report("drain_level", "D1", level_m=1.6 if number % 2 == 0 else 0.2)
    query = "SELECT count(*), count(cleared_at) FROM alarm WHERE type = 'drain_overflow'"
    await town.row(query, expected=lambda row: row == (2, 1))


async def test_what_is_said_while_the_database_is_away_waits_and_counts(rules: Counts, town: Town, gate: Wire) -> None:
    (told, *_) = await town.commands("L1", 1)
    await town.state_of(told["id"], "sent")
    gate.shut()
    await town.report("drain_level", "D1", level_m=1.6)
    await town.answer("L1", told)
    await town.report("streetlight", "L1", level_pct=30)
    await asyncio.sleep(2)
    assert await town.rows("SELECT id FROM alarm") == []
    gate.open()
    await town.row("SELECT type FROM alarm", expected=lambda row: row[0] == "drain_overflow")
    await town.state_of(told["id"], "verified")

    async def said_once() -> None:
        ((alarm_id,),) = await town.rows("SELECT id FROM alarm")
        assert len(town.said[topics.alarm(alarm_id)]) == 1

    await eventually(said_once)


async def test_what_waits_for_the_database_is_counted_once(rules: Counts, town: Town, gate: Wire) -> None:
    (told, *_) = await town.commands("L1", 1)
    await town.state_of(told["id"], "sent")
    gate.shut()
    await town.report("drain_level", "D1", level_m=0.3)
    await town.report("drain_level", "D1", ago_s=60, level_m=0.3)
    await town.answer("L1", told)
    await town.answer("L1", told)

    async def heard() -> None:
        assert (rules.observations, rules.acks) == (2, 2)

    await eventually(heard)
    gate.open()
    await town.state_of(told["id"], "acknowledged")
    await heard()
    assert rules.happened == {"late": 1, "ack_repeated": 1}


async def test_free_places_move_on_while_the_database_is_away(rules: Counts, town: Town, gate: Wire) -> None:
    await town.report("parking_bay", "B1", occupied=False)
    await market(town, free=1)
    gate.shut()
    await town.report("parking_bay", "B2", occupied=False)
    await market(town, free=2)
    gate.open()
    query = "SELECT free FROM parking_zone_now WHERE zone = 'market'"
    await town.row(query, expected=lambda row: row == (2,))


async def test_without_a_database_the_rules_wait_for_it(start_rules: StartRules, town: Town, gate: Wire) -> None:
    gate.shut()
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(_open_later(gate))
        async with start_rules():
            assert opening.done()
            await town.commands("L1", 1)


async def _open_later(gate: Wire) -> None:
    await asyncio.sleep(1)
    gate.open()


async def test_positions_are_recorded_and_acknowledged(rules: Counts, town: Town) -> None:
    for _ in range(20):
        await town.report("streetlight", "L1", level_pct=30)

    async def attempt() -> None:
        assert rules.observations >= 20

    await eventually(attempt)
    query = "SELECT count(*) FROM rule_state WHERE rule = 'presence' AND position IS NOT NULL"
    await town.row(query, expected=lambda row: row[0] == 1)


async def test_a_step_is_a_span(rules: Counts, town: Town) -> None:
    exporter = InMemorySpanExporter()
    with sent_by(SimpleSpanProcessor(exporter)):
        await town.report("drain_level", "D1", level_m=0.3)

        async def attempt() -> None:
            told = [dict(each.attributes or {}) for each in exporter.get_finished_spans() if each.name == "rules step"]
            assert {"messages": 1} in told

        await eventually(attempt)
