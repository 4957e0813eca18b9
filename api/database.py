"""The database as the API sees it: there or away, so that nobody waits long for an answer it cannot give."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from storage import errors
from storage.pool import STATEMENT_TIMEOUT_S, Connection, Pool, waiting_at_most

PROBE_EVERY_S = 1.0
PROBE_TIMEOUT_S = 3.0
LENT_S_MAX = STATEMENT_TIMEOUT_S + 5.0
"""A connection that is lent for longer is torn: a server that lives has ended what was asked of it before."""

_log = structlog.get_logger(__name__)


class Database:
    """Lends connections of the pool, and knows since when the database has been away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._away_since_s: float | None = None
        self._awaiting: list[Callable[[], Awaitable[object]]] = []

    @property
    def away_s(self) -> float:
        """For how many real seconds the database has been away; 0 while it is there."""
        return 0.0 if self._away_since_s is None else time.monotonic() - self._away_since_s

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was last asked."""
        return self._away_since_s is not None

    @asynccontextmanager
    async def connection(self, longest_s: float | None = None) -> AsyncIterator[Connection]:
        """A connection in autocommit mode, for at most `longest_s` (`LENT_S_MAX`).

        Raises:
            Unavailable: the database is away; known at once where the last probe found it so.
        """
        if self.is_away:
            raise errors.Unavailable
        with errors.translated():
            async with self._pool.connection() as conn:
                with waiting_at_most(conn, LENT_S_MAX if longest_s is None else longest_s):
                    yield conn

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that commits when the block ends well."""
        async with self.connection() as conn, conn.transaction():
            yield conn

    async def probe(self) -> None:
        """Ask the database whether it is there, and remember the answer."""
        asked_at_s = time.monotonic()
        try:
            with errors.translated():
                async with self._pool.connection(PROBE_TIMEOUT_S) as conn:
                    with waiting_at_most(conn, PROBE_TIMEOUT_S):
                        await conn.execute("SELECT 1")
        except (errors.StorageError, OSError) as error:
            if self._away_since_s is None:
                _log.warning("database away", error=str(error))
                self._away_since_s = asked_at_s
            return
        if self._away_since_s is not None:
            _log.info("database back", after_s=round(self.away_s, 1))
        self._away_since_s = None

    async def keep_probing(self) -> None:
        """Probe about once a second until cancelled."""
        while True:
            await self.probe()
            await asyncio.sleep(PROBE_EVERY_S)

    def when_first_there(self, work: Callable[[], Awaitable[object]]) -> None:
        """Have something done once by `do_awaiting`; with a `StorageError` it is done again."""
        self._awaiting.append(work)

    async def do_awaiting(self) -> None:
        """Do what waits for the database to be there for the first time."""
        for work in self._awaiting:
            while True:
                try:
                    await work()
                    break
                except errors.StorageError:
                    await asyncio.sleep(PROBE_EVERY_S)
