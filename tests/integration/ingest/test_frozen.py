"""A database that is frozen rather than gone: its system answers for it, and no time-out of its own comes to pass."""

import asyncio

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from storage.pool import Connection
from tests.integration.ingest.conftest import Ingest
from tests.integration.storage.rows import table
from tests.parts.frozen import frozen
from tests.parts.patience import eventually

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def test_ingest_ends_though_the_database_freezes_over_its_last_words(
    postgres: RunningPostgres, ingest: Ingest, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited without end: a lock holds the last words up until the server stands still.

    If it is the heartbeat that waits there, its cancellation waits too, and then the pool for another connection.
    """
    monkeypatch.setattr("storage.pool.LENT_S_MAX", 1.0)

    async def waits() -> None:
        assert await table(conn, WAITING)

    async with conn.transaction():
        await conn.execute("LOCK TABLE ingest_instance")
        stopping = asyncio.create_task(ingest.stop())
        await eventually(waits, every=0.01)
        with frozen(postgres):
            ended, _ = await asyncio.wait({stopping}, timeout=30)
    assert ended
