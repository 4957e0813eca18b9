"""Transactions in one round trip: all or nothing, whatever happens to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest

from ingest.round_trip import RoundTrips, Step
from storage.pool import Connection, connect
from tests.parts.patience import eventually

INSERT = "INSERT INTO thing (number, word) SELECT * FROM unnest(%(numbers)s::bigint[], %(words)s::text[])"


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE thing (number bigint PRIMARY KEY, word text)")
        yield conn


def things(*numbers: int, word: str = "word") -> Step:
    return Step(INSERT, {"numbers": list(numbers), "words": [word] * len(numbers), "of no use": 1})


async def numbers(conn: Connection) -> list[int]:
    return [number for (number,) in await (await conn.execute("SELECT number FROM thing ORDER BY 1")).fetchall()]


async def test_all_or_nothing(conn: Connection) -> None:
    trips = RoundTrips(conn)
    await trips.transact([things(1, 2), Step("UPDATE thing SET word = %b WHERE number = %b", ["other", 2])])
    with pytest.raises(psycopg.errors.UniqueViolation):
        await trips.transact([things(3), things(2), things(4)])
    assert await numbers(conn) == [1, 2]
    with pytest.raises(psycopg.errors.UndefinedTable):
        await trips.transact([things(3), Step("DELETE FROM nothing", ())])
    await trips.transact([things(3)])
    assert await numbers(conn) == [1, 2, 3]
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def test_statements_are_prepared_once_whatever_becomes_of_them(conn: Connection) -> None:
    trips = RoundTrips(conn)
    for number in (1, 1, 2, 2, 3):
        with suppress(psycopg.errors.UniqueViolation):
            await trips.transact([things(number)])
    assert await (await conn.execute("SELECT count(*) FROM pg_prepared_statements")).fetchone() == (1,)


async def test_what_a_session_has_forgotten_is_prepared_again(conn: Connection) -> None:
    trips = RoundTrips(conn)
    await trips.transact([things(1)])
    await conn.execute("DEALLOCATE ALL")
    await trips.transact([things(2)])
    assert await numbers(conn) == [1, 2]


async def test_more_than_a_socket_takes_at_once(conn: Connection) -> None:
    await RoundTrips(conn).transact([things(number, word="w" * 3_000_000) for number in range(8)])
    assert await (await conn.execute("SELECT sum(length(word)) FROM thing")).fetchone() == (24_000_000,)


async def test_a_lost_connection_leaves_nothing_half_done(conn: Connection, database: str) -> None:
    trips, pid = RoundTrips(conn), conn.info.backend_pid
    transaction = asyncio.create_task(trips.transact([things(1), Step("SELECT pg_sleep(60)", ()), things(2)]))
    async with await connect(database) as other:

        async def sleeps() -> None:
            assert (await other.execute("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowcount

        await eventually(sleeps)
        await other.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(psycopg.OperationalError):
            await asyncio.wait_for(transaction, 10)
        assert conn.closed
        assert await numbers(other) == []


async def test_who_is_cancelled_gives_the_connection_up(conn: Connection, database: str) -> None:
    transaction = asyncio.create_task(RoundTrips(conn).transact([things(1), Step("SELECT pg_sleep(60)", ())]))
    await asyncio.sleep(0.1)
    transaction.cancel()
    with pytest.raises(asyncio.CancelledError):
        await transaction
    assert conn.closed


async def test_a_parameter_that_cannot_be_sent(conn: Connection) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        await RoundTrips(conn).transact([things(1), Step("SELECT %s", [object()])])
    assert conn.closed
