"""The database as the API sees it: there or away, so that nobody waits long for an answer it cannot give."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from storage import errors
from storage.pool import Connection, Pool, lent, waiting_at_most

PROBE_EVERY_S = 1.0
PROBE_TIMEOUT_S = 3.0

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
        """A connection in autocommit mode, for at most `longest_s` (`storage.pool.LENT_S_MAX`).

        Raises:
            Unavailable: the database is away; known at once where the last probe found it so.
        """
        if self.is_away:
            raise errors.Unavailable
        async with lent(self._pool, longest_s) as conn:
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
        """Have something done once by `do_awaiting`; with a `StorageError` it is tried again, with another given up."""
        self._awaiting.append(work)

    async def do_awaiting(self) -> None:
        """Do what waits for the database to be there for the first time: what fails keeps nothing else waiting."""
        await asyncio.gather(*map(self._do, self._awaiting))

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        said = ""
        while True:
            try:
                await work()
                return
            except errors.StorageError as error:
                if not self.is_away and str(error) != said:
                    said = str(error)
                    _log.warning("first reading failed", reason=said)
            except Exception:
                _log.exception("first reading failed")
                return
            await asyncio.sleep(PROBE_EVERY_S)
