"""Several statements in one round trip: a transaction, or the rest of one.

The driver's own pipeline goes round the event loop for each statement and each answer, and meets there whatever else
waits for its turn. Here all are sent in one piece, prepared, and answered in one: libpq's pipeline mode, in which the
statements up to a synchronisation point are a transaction (PostgreSQL's manual, "Pipeline Mode").
"""

import asyncio
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

from storage.pool import Connection

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sb]")


@dataclass(frozen=True, slots=True)
class Step:
    """A statement as the driver takes it, and its parameters: by name, or in their order."""

    statement: str
    parameters: Mapping[str, Any] | Sequence[Any]


Typed = tuple[str, tuple[int, ...]]
"""A statement and the types of its parameters: another type needs another plan."""


class RoundTrips:
    """Transactions over one connection in autocommit mode; nobody else prepares statements under such names there."""

    def __init__(self, conn: Connection) -> None:
        self._conn, self._libpq = conn, conn.pgconn
        self._transformer = Transformer(conn)
        self._numbered: dict[str, tuple[bytes, list[str]]] = {}
        self._names: dict[Typed, bytes] = {}
        self._fresh = map(b"round_trip_%d".__mod__, count())

    def forget(self) -> None:
        """After a rollback by the driver, which has the session forget whatever is prepared."""
        self._names.clear()

    async def transact(self, steps: Sequence[Step]) -> None:
        """Execute all steps or none; what they return is left. Within a transaction the last step ends it.

        Raises:
            psycopg.Error: the server refuses a step, and has changed nothing; or it went away, and nobody knows.
        """
        try:
            await self._attempt(steps)
        except psycopg.errors.InvalidSqlStatementName:  # within a transaction this has ended the connection
            self.forget()
            await self._attempt(steps)

    async def _attempt(self, steps: Sequence[Step]) -> None:
        self._libpq.enter_pipeline_mode()
        try:
            preparing: dict[Typed, bytes] = {}
            answers: deque[Typed | None] = deque()
            for step in steps:
                self._send(step, preparing, answers)
            self._libpq.pipeline_sync()
            while self._libpq.flush():
                await self._stirs(writable=True)
                self._libpq.consume_input()
            await self._answered(preparing, answers)
        finally:
            if self._libpq.transaction_status == pq.TransactionStatus.IDLE:
                self._libpq.exit_pipeline_mode()
            else:
                await self._conn.close()

    def _send(self, step: Step, preparing: dict[Typed, bytes], answers: deque[Typed | None]) -> None:
        """Send a step, and before it what prepares its statement; `answers` learns what each answer will be of."""
        sql, names = self._numbered.get(step.statement) or self._number(step.statement)
        values = [step.parameters[name] for name in names] if isinstance(step.parameters, Mapping) else step.parameters
        dumped = self._transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        statement = step.statement, self._transformer.types or ()
        name = self._names.get(statement) or preparing.get(statement)
        if name is None:
            name = preparing[statement] = next(self._fresh)
            self._libpq.send_prepare(name, sql, statement[1])
            answers.append(statement)
        self._libpq.send_query_prepared(name, dumped, self._transformer.formats)
        answers.append(None)

    def _number(self, statement: str) -> tuple[bytes, list[str]]:
        """The statement with `$1`, `$2`, … for its parameters, and in that order their names, where they have names."""
        places: list[str] = []

        def numbered(placeholder: re.Match[str]) -> str:
            name = placeholder[1]
            if name is None or name not in places:
                places.append(name or "")
            return f"${len(places) if name is None else places.index(name) + 1}"

        found = self._numbered[statement] = _PLACEHOLDER.sub(numbered, statement).encode(), places
        return found

    async def _answered(self, preparing: Mapping[Typed, bytes], answers: deque[Typed | None]) -> None:
        """Wait until the server has answered all; the first refusal is raised when the last word is read."""
        libpq, refusal = self._libpq, None
        while True:
            while libpq.is_busy():
                await self._stirs()
                libpq.consume_input()
            result = libpq.get_result()
            if result is None:
                if libpq.status == pq.ConnStatus.BAD:
                    raise refusal or psycopg.OperationalError("the connection is lost")
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            statement = answers.popleft() if answers else None
            if statement is not None and result.status == pq.ExecStatus.COMMAND_OK:
                self._names[statement] = preparing[statement]
            if result.status == pq.ExecStatus.FATAL_ERROR and refusal is None:
                refusal = psycopg.errors.error_from_result(result)
        if refusal is not None:
            raise refusal

    async def _stirs(self, writable: bool = False) -> None:
        """Wait until the server has something to say, or takes more where it is to be `writable`."""
        loop, stirred, socket = asyncio.get_running_loop(), asyncio.Event(), self._libpq.socket
        loop.add_reader(socket, stirred.set)
        if writable:
            loop.add_writer(socket, stirred.set)
        try:
            await stirred.wait()
        finally:
            loop.remove_reader(socket)
            if writable:
                loop.remove_writer(socket)
