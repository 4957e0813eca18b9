"""Alarms turned in memory, for the time without a database, and by SQL: the same history gives the same alarms."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.record import AlarmChange
from rules.standing import Standing
from storage import alarms
from storage.alarms import Cleared, Raised
from storage.pool import Connection, connect
from telemetry.alarms import Alarm, AlarmType
from telemetry.clock import MINUTE_US
from tests.parts.cities import NOON_US

SUBJECTS = ("asset:a", "asset:b")
events = st.lists(
    st.tuples(st.sampled_from(["raise", "clear", "see", "shelve"]), st.sampled_from(SUBJECTS)), max_size=14
)


@pytest.fixture(scope="module")
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


async def shelve(conn: Connection, alarm_id: str) -> None:
    """As one day a door will; here the lifecycle under it matters."""
    query = (
        "UPDATE alarm SET state_under = state, state = 'shelved' WHERE id = %s AND state NOT IN ('normal', 'shelved')"
    )
    await conn.execute(query, (alarm_id,))


async def live(url: str, history: list[tuple[str, str]]) -> None:
    async with await connect(url) as conn:
        await conn.execute("TRUNCATE alarm CASCADE")
        standing = Standing()
        for minute, (event, subject) in enumerate(history):
            at_us = NOON_US + minute * MINUTE_US
            holding = (await standing_of(conn)).get(subject)
            if event in ("raise", "clear"):
                raised = Raised(f"{subject}{minute}", subject, None, AlarmType.DRAIN_HIGH, at_us, at_us, {"at": minute})
                change: AlarmChange = raised if event == "raise" else Cleared(subject, AlarmType.DRAIN_HIGH, at_us)
                async with conn.transaction():
                    assert standing.take(change) == await alarms.turn(conn, [change])
            elif holding is not None:
                if event == "see":
                    await alarms.acknowledge(conn, holding.id, by="anna", note=None, at_us=at_us)
                else:
                    await shelve(conn, holding.id)
                standing.note(await alarms.of_ids(conn, [holding.id]))
            assert standing.differing(await alarms.active(conn)) == set()


async def standing_of(conn: Connection) -> dict[str, Alarm]:
    return {each.subject: each for each in await alarms.page(conn, limit=10, state="active")}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=events)
def test_memory_and_sql_turn_alarms_alike(
    database: str, loop: asyncio.AbstractEventLoop, history: list[tuple[str, str]]
) -> None:
    loop.run_until_complete(live(database, history))
