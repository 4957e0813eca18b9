"""A database that is frozen rather than gone: its system answers for it, and no time-out of its own comes to pass."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.database import Database
from api.kept import Kept
from lamplighter.embedded.postgres import RunningPostgres
from storage.errors import Unavailable
from storage.pool import Connection, Pool, open_pool
from tests.parts.frozen import frozen
from tests.parts.patience import eventually

SOON_S = 0.3


@pytest.fixture
async def pool(role_server: RunningPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    """Connections to a server of its own, on which nobody waits long."""
    for bound in ("pool.BORROW_TIMEOUT_S", "pool.CONNECT_TIMEOUT_S"):
        monkeypatch.setattr(f"storage.{bound}", 1)
    for bound in ("api.database.PROBE_TIMEOUT_S", "storage.pool.LENT_S_MAX", "api.kept.READ_S_MAX"):
        monkeypatch.setattr(bound, SOON_S)
    monkeypatch.setattr("api.kept.REFRESH_EVERY_S", 0.0)
    pool = await open_pool(role_server.url, size=2)
    yield pool
    await pool.close()


async def test_nobody_waits_for_a_frozen_database(role_server: RunningPostgres, pool: Pool) -> None:
    database = Database(pool)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def read(conn: Connection) -> str:
        begun.set()
        await go_on.wait()
        await conn.execute("SELECT 1")
        return "read"

    kept = Kept(database, read)
    go_on.set()
    assert await kept.get() == ("read", False)
    begun.clear()
    go_on.clear()
    reading = asyncio.create_task(kept.get())
    await begun.wait()
    with frozen(role_server):
        go_on.set()
        async with asyncio.timeout(20 * SOON_S):
            assert await asyncio.gather(reading, kept.get()) == [("read", True)] * 2
            with pytest.raises(Unavailable):
                async with database.connection():
                    pass
            await database.probe()
            assert database.is_away
            assert await kept.get() == ("read", True)

    async def attempt() -> None:
        await database.probe()
        assert await kept.get() == ("read", False)

    await eventually(attempt)


async def test_what_was_asked_of_a_database_before_it_froze_is_given_up(
    role_server: RunningPostgres, pool: Pool
) -> None:
    async def ask() -> None:
        async with asyncio.timeout(20 * SOON_S), Database(pool).transaction() as conn:
            with frozen(role_server):
                await conn.execute("SELECT 1")

    with pytest.raises(Unavailable):
        await ask()
