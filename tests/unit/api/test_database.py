"""What waits for the database to be there for the first time."""

import asyncio

import pytest
from psycopg_pool import AsyncConnectionPool
from structlog.testing import capture_logs

from api.database import Database
from storage.errors import Busy
from storage.pool import Pool


async def test_a_first_reading_that_fails_keeps_no_other_waiting_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.database.PROBE_EVERY_S", 0.0)
    attempts = 0
    pool: Pool = AsyncConnectionPool(open=False)
    database, read = Database(pool), asyncio.Event()

    async def busy() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 4 or not read.is_set():
            raise Busy("locked")

    async def mistaken() -> None:
        raise ValueError("unforeseen")

    async def well() -> None:
        read.set()

    for work in (busy, mistaken, well):
        database.when_first_there(work)
    with capture_logs() as logs:
        async with asyncio.timeout(5):
            await database.do_awaiting()
    assert attempts == 4
    assert [entry["log_level"] for entry in logs] == ["warning", "error"]
