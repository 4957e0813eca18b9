"""The present states of single bays for the public: read from the database, kept for when it is away."""

import asyncio
import time
from typing import Any

import msgspec

from api.database import Database
from api.documents import Document, document
from api.standards import parkapi
from storage import parking
from storage.errors import StorageError
from storage.parking import Spot
from telemetry.clock import SECOND_US, Now, to_rfc3339

REFRESH_EVERY_S = 10.0


class Spots:
    """One list for everybody, read at most every `REFRESH_EVERY_S`; while the database is away, the last one, stale."""

    def __init__(self, database: Database, now: Now, ttl_s: int) -> None:
        """`now` is the city clock; `ttl_s` for how long a client may keep the list."""
        self._database = database
        self._now = now
        self._ttl_s = ttl_s
        self._found: list[Spot] | None = None
        self._updated_at = ""
        self._document: Document | None = None
        self._body: dict[str, Any] = {}
        self._due_s = 0.0
        self._reading = asyncio.Lock()

    async def document(self) -> Document:
        """The list.

        Raises:
            StorageError: the database is away and the list was never read.
        """
        async with self._reading:
            if self._document is None or time.monotonic() >= self._due_s:
                self._document = await self._read()
                self._due_s = time.monotonic() + REFRESH_EVERY_S
            return self._document

    async def page(self, start: int, limit: int) -> Document:
        """Up to `limit` of the list from an id on, and where the next page begins.

        Raises:
            StorageError: the database is away and the list was never read.
        """
        await self.document()
        part = parkapi.page(self._body, start, limit)
        return document(msgspec.json.encode(part), "application/json", self._ttl_s)

    async def _read(self) -> Document:
        stale = False
        try:
            now_us = self._now() // SECOND_US * SECOND_US
            async with self._database.connection() as conn:
                self._found = await parking.spots(conn, now_us)
            self._updated_at = to_rfc3339(now_us)
        except StorageError:
            if self._found is None:
                raise
            stale = True
        self._body = parkapi.spots(self._found, self._updated_at, stale=stale)
        return document(msgspec.json.encode(self._body), "application/json", self._ttl_s)
