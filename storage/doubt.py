"""A commit of which nobody heard: whether it took place.

It cannot be told while the server's process that was to do it lives: one that waits for a lock, or whose network was
slow, may still commit when somebody has already looked, found nothing, and done the same again.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from storage import errors, queries
from storage.pool import Connection

SQL = queries.load("doubt")


@dataclass(frozen=True, slots=True)
class Backend:
    """A process of the server's; `since` is when it started, since numbers come again."""

    number: int
    since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """The batch that a process is about to settle, and the server's process that does it."""

    batch: UUID
    backend: Backend


async def backend_of(conn: Connection) -> Backend:
    """Who serves this connection."""
    row = await (await conn.execute(SQL["backend"])).fetchone()
    assert row is not None, "a query without FROM gives one row"
    return Backend(*row)


async def took_place(conn: Connection, instance: str, doubt: Doubt) -> bool:
    """Whether the commit took place; who was to do it is ended first, and can do so no more.

    Raises:
        Busy: it has not ended yet.
    """
    named = {"number": doubt.backend.number, "since": doubt.backend.since}
    lives = await (await conn.execute(SQL["end"], named)).fetchone()
    if lives is not None and not lives[0]:
        raise errors.Busy("the server's process that was to commit the last batch has not ended")
    found = await conn.execute(SQL["outcome"], {"instance": instance, "batch": doubt.batch})
    row = await found.fetchone()
    return bool(row and row[0])
