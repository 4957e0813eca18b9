"""Stored observations in the order of time, slot by slot, in both storage modes."""

import math

from storage import commands, history_reading
from storage.commands import Order
from storage.history_reading import Span
from storage.pool import connect
from telemetry.clock import HOUR_US, MINUTE_US, to_us
from telemetry.commands import Settings
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, register, store

SLOT_US = 5 * MINUTE_US
BEGIN = at("2026-10-31 23:50")


async def test_slots_come_in_order_and_absent_values_are_nan(any_database: str) -> None:
    async with await connect(any_database, statement_timeout_s=0) as conn:
        await register(conn, ("lamp-1", "streetlight", "north"), ("lamp-2", "streetlight", "north"))
        rows = [
            (2, at("2026-11-01 00:01"), {"level_pct": 50.0, "lamp_fault": True, "motion": 3}),
            (1, at("2026-11-01 00:00"), {"level_pct": 40.0, "power_w": 20.0}),
            (1, at("2026-10-31 23:54"), {"level_pct": 30.0, "lamp_fault": False}),
            (1, at("2026-11-01 01:00"), {"level_pct": 60.0}),
        ]
        await store(conn, "streetlight", rows)
        await history_reading.prepare(conn)
        span = Span(to_us(BEGIN), to_us(BEGIN) + HOUR_US)
        found = [each async for each in history_reading.observations(conn, KINDS["streetlight"], span, SLOT_US)]
        assert [each.asset_id.tolist() for each in found] == [[1], [1, 2]]
        assert [(each.observed_us - to_us(BEGIN)).tolist() for each in found] == [
            [4 * MINUTE_US],
            [10 * MINUTE_US, 11 * MINUTE_US],
        ]
        first, second = found
        assert first.fields["lamp_fault"].tolist() == [0.0]
        assert second.fields["level_pct"].tolist() == [40.0, 50.0]
        assert second.fields["motion"].tolist()[1] == 3
        assert math.isnan(second.fields["power_w"][1])
        assert math.isnan(second.fields["lamp_fault"][0])
        one = Span(span.since_us, span.until_us, (2,))
        found = [each async for each in history_reading.observations(conn, KINDS["streetlight"], one, SLOT_US)]
        assert [each.asset_id.tolist() for each in found] == [[2]]


async def test_what_was_acknowledged_and_what_people_wished(any_database: str) -> None:
    async with await connect(any_database, statement_timeout_s=0) as conn:
        await register(conn, ("lamp-1", "streetlight", "north"))
        begin_us = to_us(BEGIN)
        settings, until_us = Settings(setpoint_pct=70), begin_us + HOUR_US
        for name, reason, by in (("mine", "override", "anna"), ("rules", "program", None)):
            order = Order(name, 1, "lamp-1", "device-lamp-1", settings, reason, begin_us, until_us)
            await commands.order(conn, [order], by=by)
        moves = [commands.Move("rules", commands.State.ACKNOWLEDGED, begin_us + MINUTE_US)]
        await commands.sent(conn, {"rules": begin_us})
        await commands.move(conn, moves)
        await history_reading.prepare(conn)
        span = Span(begin_us, until_us)
        (wish,) = await history_reading.overrides(conn, span)
        assert (wish.id, wish.settings, wish.expires_us, wish.ended_us) == ("mine", settings, until_us, None)
        (slot,) = [each async for each in history_reading.acknowledged(conn, span, SLOT_US)]
        assert (slot.at_us.tolist(), slot.setpoint_pct.tolist()) == ([begin_us + MINUTE_US], [70.0])
        assert (slot.asset_id.tolist(), slot.until_us.tolist()) == ([1], [until_us])
        assert await history_reading.overrides(conn, Span(until_us, until_us + HOUR_US)) == []
