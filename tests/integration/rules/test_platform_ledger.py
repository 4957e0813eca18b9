"""A day of the ledger that does not balance is an alarm, from the check that finds it to the one that balances."""

from storage import alarms
from storage.ledger_check import check_day
from telemetry.clock import to_datetime
from tests.integration.rules.conftest import StartRules, Town
from tests.integration.rules.test_alarms import broker_retains
from tests.integration.storage.rows import store
from tests.parts.broker import BrokerPart

STATE = "SELECT state, id, why FROM alarm WHERE type = 'ledger_imbalance'"


async def test_a_lost_row_is_an_alarm_until_a_check_balances(
    start_rules: StartRules, town: Town, own_broker: BrokerPart
) -> None:
    now_us = town.clock.now()
    today = to_datetime(now_us).date()
    await town.conn.execute("INSERT INTO ledger (day, received, stored, duplicate) VALUES (%s, 3, 1, 2)", (today,))
    await check_day(town.conn, today, now_us)
    async with start_rules():
        _, alarm_id, why = await town.row(STATE, expected=lambda row: row[0] == "unacknowledged")
        await broker_retains(own_broker, {alarm_id: "unacknowledged"})
        assert why["inputs"] == {
            "day": str(today),
            "received": 3,
            "stored": 1,
            "duplicate": 2,
            "quarantined": 0,
            "without_fate": 0,
            "rows_expected": 1,
            "rows_found": 0,
            "quarantine_expected": 0,
            "quarantine_found": 0,
            "days_differing": 1,
        }
        await alarms.acknowledge(town.conn, alarm_id, by="anna", note=None, at_us=now_us)
        await store(town.conn, "streetlight", [(2, to_datetime(now_us), {"level_pct": 40})])
        await check_day(town.conn, today, now_us + 1)
        await town.row(STATE, expected=lambda row: row[0] == "normal")
        await broker_retains(own_broker, {})
