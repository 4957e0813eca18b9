"""A pool and a connection to a migrated database in native mode or under TimescaleDB."""

from collections.abc import AsyncIterator

import pytest

from storage.pool import Connection, Pool, connect, open_pool


@pytest.fixture
async def pool(any_database: str) -> AsyncIterator[Pool]:
    """In both modes, of one connection, because one backend serves all under WASM."""
    pool = await open_pool(any_database, size=1)
    yield pool
    await pool.close()


@pytest.fixture
async def conn(any_database: str) -> AsyncIterator[Connection]:
    """In both modes."""
    async with await connect(any_database) as connection:
        yield connection


@pytest.fixture
async def native(database: str) -> AsyncIterator[Connection]:
    """On plain PostgreSQL."""
    async with await connect(database) as connection:
        yield connection


@pytest.fixture
async def native_pool(database: str) -> AsyncIterator[Pool]:
    """On plain PostgreSQL."""
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
async def timescale(timescale_database: str) -> AsyncIterator[Connection]:
    """Under TimescaleDB."""
    async with await connect(timescale_database) as connection:
        yield connection


@pytest.fixture
async def timescale_pool(timescale_database: str) -> AsyncIterator[Pool]:
    """Under TimescaleDB."""
    pool = await open_pool(timescale_database, size=1)
    yield pool
    await pool.close()
