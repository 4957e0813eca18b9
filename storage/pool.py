"""The connection pool of a service: autocommit, UTC, bounded waits; it opens even while the database is away."""

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

CONNECT_TIMEOUT_S = 5
"""A connection that is not there by then counts as refused."""
BORROW_TIMEOUT_S = 5.0
"""Waiting longer for a free connection raises `PoolTimeout`, which `errors` calls `Unavailable`."""
STATEMENT_TIMEOUT_S = 30
"""The server cancels a statement that runs longer; 0 means no bound, for maintenance."""
IDLE_TRANSACTION_TIMEOUT_S = 60
"""The server ends a session that sleeps in an open transaction for longer."""
LOCK_TIMEOUT_S = 10
"""The server gives up waiting for a lock after this time."""


def connect_arguments(application: str, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> dict[str, Any]:
    """What `psycopg.AsyncConnection.connect(url, **arguments)` needs for a connection like those of the pool."""
    session = {
        "timezone": "UTC",
        "statement_timeout": f"{round(statement_timeout_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_TIMEOUT_S * 1000}",
        "lock_timeout": f"{LOCK_TIMEOUT_S * 1000}",
    }
    return {
        "autocommit": True,
        "application_name": application,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }


async def open_pool(
    url: str,
    *,
    application: str = "lamplighter",
    size: int = 4,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
) -> Pool:
    """A pool of at most `size` connections to `url` (`postgresql://…`), opened without waiting for the database.

    Connections are in autocommit mode: wrap what belongs together in `async with conn.transaction()`. A connection that
    broke while idle is replaced before it is lent. Close it with `await pool.close()`.
    """
    pool: Pool = AsyncConnectionPool(
        url,
        kwargs=connect_arguments(application, statement_timeout_s),
        min_size=1,
        max_size=size,
        timeout=BORROW_TIMEOUT_S,
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=CONNECT_TIMEOUT_S,
        name=application,
        open=False,
    )
    await pool.open(wait=False)
    return pool


async def connect(
    url: str, *, application: str = "lamplighter", statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> Connection:
    """One connection set up like those of the pool, for who keeps it for long."""
    arguments = connect_arguments(application, statement_timeout_s)
    return await psycopg.AsyncConnection.connect(url, **arguments)
