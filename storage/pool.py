"""The connection pool of a service: autocommit, UTC, bounded waits; it opens even while the database is away."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from storage import errors

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

CONNECT_TIMEOUT_S = 5
"""A connection that is not there by then counts as refused."""
BORROW_TIMEOUT_S = 5.0
"""Waiting longer for a free connection raises `PoolTimeout`, which `errors` calls `Unavailable`."""
STATEMENT_TIMEOUT_S = 30
"""The server cancels a statement that runs longer; 0 means no bound, for maintenance."""
LENT_S_MAX = STATEMENT_TIMEOUT_S + 5.0
"""A connection that is lent for longer is torn: a server that lives has ended what was asked of it before."""
IDLE_TRANSACTION_TIMEOUT_S = 60
"""The server ends a session that sleeps in an open transaction for longer."""
LOCK_TIMEOUT_S = 10
"""The server gives up waiting for a lock after this time."""
SILENCE_S_MAX = 20
"""Either end gives a connection up whose bytes the other has not acknowledged for this long, so that a network which
forgets connections without a word stops nobody for long: not us, nor those who wait for a lock of the lost session."""
_KEEPALIVE_IDLE_S, _KEEPALIVE_INTERVAL_S, _KEEPALIVE_COUNT = 10, 5, 2
"""With nothing under way, silence is found after as long."""


def connect_arguments(application: str, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> dict[str, Any]:
    """What `psycopg.AsyncConnection.connect(url, **arguments)` needs for a connection like those of the pool."""
    session = {
        "timezone": "UTC",
        "statement_timeout": f"{round(statement_timeout_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_TIMEOUT_S * 1000}",
        "lock_timeout": f"{LOCK_TIMEOUT_S * 1000}",
        "synchronous_commit": "on",  # whatever the server's own setting: what is acknowledged is on its disk
        "tcp_user_timeout": f"{SILENCE_S_MAX * 1000}",
        "tcp_keepalives_idle": f"{_KEEPALIVE_IDLE_S}",
        "tcp_keepalives_interval": f"{_KEEPALIVE_INTERVAL_S}",
        "tcp_keepalives_count": f"{_KEEPALIVE_COUNT}",
    }
    return {
        "autocommit": True,
        "application_name": application,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "tcp_user_timeout": SILENCE_S_MAX * 1000,
        "keepalives_idle": _KEEPALIVE_IDLE_S,
        "keepalives_interval": _KEEPALIVE_INTERVAL_S,
        "keepalives_count": _KEEPALIVE_COUNT,
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
        check=_still_answers,
        reconnect_timeout=CONNECT_TIMEOUT_S,
        name=application,
        open=False,
    )
    await pool.open(wait=False)
    return pool


@contextmanager
def waiting_at_most(conn: Connection, longest_s: float) -> Iterator[None]:
    """Within the block nobody waits longer for the server: then the connection breaks, as if the network had torn it.

    A server that is frozen, but whose system still answers for it, would be waited for without end: no time-out of its
    own comes to pass, and no keepalive fails.
    """
    overdue = asyncio.get_running_loop().call_later(longest_s, _tear, conn)
    try:
        yield
    finally:
        overdue.cancel()


def _tear(conn: Connection) -> None:
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(conn.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def lent(pool: Pool, longest_s: float | None = None) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, for at most `longest_s` (`LENT_S_MAX`), and its errors in our words.

    Raises:
        Unavailable: the database is away, or frozen.
    """
    with errors.translated():
        async with pool.connection() as conn:
            with waiting_at_most(conn, LENT_S_MAX if longest_s is None else longest_s):
                yield conn


async def _still_answers(conn: Connection) -> None:
    with waiting_at_most(conn, BORROW_TIMEOUT_S):
        await AsyncConnectionPool.check_connection(conn)


async def connect(
    url: str, *, application: str = "lamplighter", statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> Connection:
    """One connection set up like those of the pool, for who keeps it for long."""
    arguments = connect_arguments(application, statement_timeout_s)
    return await psycopg.AsyncConnection.connect(url, **arguments)


class _Patient(psycopg.AsyncConnection[tuple[Any, ...]]):
    """Waits for no answer of the server's for longer than `LENT_S_MAX`: it is torn then."""

    async def wait(self, *args: Any, **kwargs: Any) -> Any:
        with waiting_at_most(self, LENT_S_MAX):
            return await super().wait(*args, **kwargs)


async def connect_beside(pool: Pool) -> Connection:
    """One connection set up like those of a pool, of which the pool knows nothing; for who keeps it, and closes it.

    Each answer that takes longer than `LENT_S_MAX` breaks it, for a server may be frozen.

    Raises:
        psycopg.Error: the database does not answer.
    """
    assert isinstance(pool.conninfo, str)
    assert isinstance(pool.kwargs, dict)
    return await _Patient.connect(pool.conninfo, **pool.kwargs)
