"""The present states of single bays for the public, as ParkAPI's list and its pages."""

from dataclasses import dataclass
from typing import Any

import msgspec

from api.database import Database
from api.documents import Document, document
from api.kept import Kept
from api.standards import parkapi
from storage import parking
from storage.parking import Spot
from storage.pool import Connection
from telemetry.clock import SECOND_US, Now, to_rfc3339

States = tuple[list[Spot], str]
"""All bays, and the moment for which their states hold (RFC 3339)."""


@dataclass(frozen=True, slots=True)
class _List:
    """What is made of states once."""

    states: States
    body: dict[str, Any]
    document: Document


class Spots:
    """One list for everybody; while the database is away, the last one, stale."""

    def __init__(self, database: Database, now: Now, ttl_s: int) -> None:
        """`now` is the city clock; `ttl_s` for how long a client may keep the list."""
        self._now = now
        self._ttl_s = ttl_s
        self._kept = Kept(database, self._read, at_once=True)
        self._last: _List | None = None

    async def document(self) -> Document:
        """The list.

        Raises:
            StorageError: the database is away and the list was never read.
        """
        return (await self._list()).document

    async def page(self, start: int, limit: int) -> Document:
        """Up to `limit` of the list from an id on, and where the next page begins.

        Raises:
            StorageError: the database is away and the list was never read.
        """
        return self._json(parkapi.page(parkapi.SPOTS_PATH, (await self._list()).body, start, limit))

    async def _list(self) -> _List:
        states, stale = await self._kept.get()
        if self._last is None or self._last.states is not states or self._last.body["stale"] != stale:
            body = parkapi.spots(*states, stale=stale)
            self._last = _List(states, body, self._json(body))
        return self._last

    async def _read(self, conn: Connection) -> States:
        now_us = self._now() // SECOND_US * SECOND_US
        return await parking.spots(conn, now_us), to_rfc3339(now_us)

    def _json(self, body: dict[str, Any]) -> Document:
        return document(msgspec.json.encode(body), "application/json", self._ttl_s)
