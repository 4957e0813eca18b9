"""The pool of a service outlives its database."""

import pytest

from storage import errors
from storage.pool import Connection, Pool, connect_beside, lent, open_pool, waiting_at_most
from tests.integration.storage.rows import table


async def test_connections_are_in_utc_and_commit_by_themselves(native_pool: Pool) -> None:
    async with native_pool.connection() as conn:
        assert conn.autocommit
        assert await table(conn, "SHOW timezone") == [("UTC",)]
        assert await table(conn, "SHOW statement_timeout") == [("30s",)]


async def test_a_commit_is_on_disk_whatever_the_server_would_do(native_pool: Pool) -> None:
    """The tests' own server is told to be careless."""
    async with native_pool.connection() as conn:
        assert await table(conn, "SHOW synchronous_commit") == [("on",)]


async def test_either_end_gives_up_a_silent_connection(native_pool: Pool) -> None:
    async with native_pool.connection() as conn:
        assert conn.info.get_parameters()["tcp_user_timeout"] == "20000"
        assert await table(conn, "SHOW tcp_user_timeout") == [("20000",)]
        assert await table(conn, "SHOW tcp_keepalives_idle") == [("10",)]


async def test_a_service_starts_while_the_database_is_away() -> None:
    async with await open_pool("postgresql://nobody@127.0.0.1:1/nothing") as pool:
        with pytest.raises(errors.Unavailable), errors.translated():
            async with pool.connection(timeout=0.2):
                pass


async def test_a_connection_that_broke_is_replaced_before_it_is_lent(native: Connection, native_pool: Pool) -> None:
    async with native_pool.connection() as conn:
        (before,) = await table(conn, "SELECT pg_backend_pid()")
    await native.execute("SELECT pg_terminate_backend(%s)", before)
    async with native_pool.connection() as conn:
        (after,) = await table(conn, "SELECT pg_backend_pid()")
    assert before != after


async def test_a_server_that_is_silent_for_too_long_is_as_good_as_gone(native_pool: Pool) -> None:
    """One that was frozen was waited for without end, where its system went on to answer keepalives."""
    async with native_pool.connection() as conn:
        with pytest.raises(errors.Unavailable), errors.translated(), waiting_at_most(conn, 0.1):
            await conn.execute("SELECT pg_sleep(20)")
    async with native_pool.connection() as conn:
        with waiting_at_most(conn, 0.1):
            assert await table(conn, "SELECT 1") == [(1,)]
        await conn.execute("SELECT pg_sleep(0.15)")


async def test_who_borrows_a_connection_or_keeps_one_waits_for_no_silent_server(
    native_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.pool.LENT_S_MAX", 0.1)
    with pytest.raises(errors.Unavailable):
        async with lent(native_pool) as conn:
            await conn.execute("SELECT pg_sleep(20)")
    async with await connect_beside(native_pool) as kept:
        for _ in range(3):
            await kept.execute("SELECT pg_sleep(0.05)")
        with pytest.raises(errors.Unavailable), errors.translated():
            await kept.execute("SELECT pg_sleep(20)")
