"""The leader's line to the database: it never keeps the rules waiting for longer than their patience.

What takes longer goes on in the background, and the line is not free until it has ended. A record is numbered, so that
it can be in the journal meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from storage import errors, rule_lead
from storage.pool import Connection

PATIENCE_S = 0.4
"""So long, in real seconds, the rules wait for the database before they go on without it."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Link:
    """A connection that leads, until it is lost; `regain` finds another. `close` it at the end."""

    def __init__(self, conn: Connection, regain: Callable[[], Coroutine[Any, Any, Connection]]) -> None:
        self._regain = regain
        self._conn: Connection | None = conn
        self._task: asyncio.Task[Any] | None = None

    @property
    def free(self) -> bool:
        """Whether there is a connection, and nothing under way on it."""
        return self._conn is not None and self._task is None

    async def do(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T | None:
        """Do something on a free line; `None` if that failed or is not done yet.

        Raises:
            Overtaken: another leads by now.
        """
        self.begin(work)
        assert self._task is not None
        task: asyncio.Task[T] = self._task
        await asyncio.wait({task}, timeout=PATIENCE_S)
        if not task.done():
            return None
        self.tend()
        return None if task.exception() is not None else task.result()

    def begin(self, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> None:
        """Do something on a free line in the background."""
        assert self._conn is not None
        assert self._task is None
        self._task = asyncio.create_task(work(self._conn), name="rules database")

    def tend(self) -> None:
        """Look what has become of the work under way; go after another connection where it is lost.

        Raises:
            Overtaken: another leads by now.
        """
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        if self._conn is None:
            self._conn = task.result()
            _log.info("the rules have the database again")
            return
        error = task.exception()
        if error is None:
            return
        if not isinstance(error, errors.StorageError) or isinstance(error, rule_lead.Overtaken):
            raise error
        _log.warning("rules without database", reason=str(error))
        conn, self._conn = self._conn, None
        self._task = asyncio.create_task(self._replace(conn), name="rules database")

    async def close(self) -> None:
        """Lead no more; what is under way ends."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if self._conn is None and not task.cancelled() and task.exception() is None:
                self._conn = task.result()
        if self._conn is not None:
            await self._conn.close()

    async def _replace(self, lost: Connection) -> Connection:
        await lost.close()
        return await self._regain()
