"""Alarms about the platform itself, held as all others are: in the database, on the broker, acknowledged by people."""

from collections.abc import Sequence

from rules.platform_alarms import Fact
from storage import alarms
from storage.pool import Connection
from telemetry import topics
from telemetry.alarms import AlarmType
from tests.integration.rules.conftest import StartRules, Town
from tests.integration.rules.test_alarms import broker_retains
from tests.parts.broker import BrokerPart

STATE = "SELECT state, id FROM alarm WHERE subject = 'platform'"


async def test_a_fact_of_the_database_is_an_alarm_like_any_other(
    start_rules: StartRules, town: Town, own_broker: BrokerPart
) -> None:
    since_us, holding = town.clock.now(), True

    async def ask(conn: Connection) -> Sequence[Fact]:
        why = {"inputs": {"missing": 3}, "thresholds": {"missing": 0}}
        return [Fact(AlarmType.LEDGER_IMBALANCE, holding, why, since_us)]

    async with start_rules(sources=[ask]) as counts:
        _, alarm_id = await town.row(STATE, expected=lambda row: row[0] == "unacknowledged")
        await broker_retains(own_broker, {alarm_id: "unacknowledged"})
        assert counts.alarms["ledger_imbalance"] == 1
    async with start_rules(sources=[ask]):
        await alarms.acknowledge(town.conn, alarm_id, by="anna", note=None, at_us=town.clock.now())
        await broker_retains(own_broker, {alarm_id: "acknowledged"})
        holding = False
        await town.row(STATE, expected=lambda row: row[0] == "normal")
        await broker_retains(own_broker, {})
    body = town.said[topics.alarm(alarm_id)][0][0]
    assert (body["subject"], body["asset"], body["severity"]) == ("platform", None, "critical")
    assert body["why"]["inputs"] == {"missing": 3}
