"""What is read from the database for everybody, now and then, and kept for when the database is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from api.database import Database
from storage.errors import StorageError
from storage.pool import Connection

READ_S_MAX = 10.0
"""A database that has not given it by then, in real seconds, counts as away."""
REFRESH_EVERY_S = 10.0
"""It is read again for the first who asks after this time, in real seconds."""

T = TypeVar("T")


class Kept(Generic[T]):
    """What `read` makes of a connection, the same object until it is read again."""

    def __init__(
        self, database: Database, read: Callable[[Connection], Awaitable[T]], *, at_once: bool = False
    ) -> None:
        """`at_once`: it is read when the database is first there, and not only when somebody asks."""
        self._database = database
        if at_once:
            database.when_first_there(self.get)
        self._read = read
        self._found: T | None = None
        self._stale = False
        self._due_s = 0.0
        self._reading = asyncio.Lock()

    async def get(self) -> tuple[T, bool]:
        """What was read last, and whether it is old because the database is away.

        Raises:
            StorageError: the database is away and it was never read.
        """
        if self._found is not None and self._database.is_away:
            return self._found, True  # whoever reads just now waits for a database that may be frozen; nobody else does
        async with self._reading:
            if self._found is None or time.monotonic() >= self._due_s:
                self._found = await self._newest()
                self._due_s = time.monotonic() + REFRESH_EVERY_S
            return self._found, self._stale

    async def _newest(self) -> T:
        self._stale = False
        try:
            async with self._database.connection(READ_S_MAX) as conn:
                return await self._read(conn)
        except StorageError:
            if self._found is None:
                raise
            self._stale = True
            return self._found
