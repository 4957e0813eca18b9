"""Who leads: an advisory lock in the database, terms, and time for a leader that was cut off to come back.

A leader stays leader while the database is away. When it is back, whoever led before goes first: another takes over
once the lock has been free for a while, at once after a farewell. A leader that finds another term when it has the
database again has been overtaken: it acts no more, and what its journal holds is handed in as history.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain

import structlog

from rules.handing_in import hand_in
from rules.journal import InUse, Journal
from rules.record import fold, write_down
from storage import errors, rule_lead
from storage.pool import Connection, Pool, connect_beside
from telemetry.clock import Now

STAND_BY_S = 1.0
"""Who stands by asks this often whether it may lead, in real seconds."""
RETURN_S = 5.0
"""So long, in real seconds, a leader that went without farewell may come back before another takes over."""
RETRY_S = 0.5
"""A leader without database asks for it this often, in real seconds."""
LOT_BYTES = 1024 * 1024
"""So much of the journal is one transaction."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lead:
    """Leading, in a term, by a connection."""

    conn: Connection
    term: int


class Candidate:
    """A process that may lead, with its journal. `ready` is called when it stands by for another that leads."""

    def __init__(self, pool: Pool, journal: Journal, now: Now, ready: Callable[[], None]) -> None:
        self._pool, self._now, self._ready = pool, now, ready
        self.journal = journal

    async def stand_by(self) -> Lead:
        """Wait until this process leads; the journal is open then, and all that was in it is in the database."""
        while True:
            try:
                with errors.translated():
                    conn = await connect_beside(self._pool)
                async with AsyncExitStack() as undo:
                    undo.push_async_callback(conn.close)
                    term = await self._wait_for_turn(conn)
                    undo.pop_all()
                return Lead(conn, term)
            except errors.StorageError as error:
                _log.warning("rules wait for the database", reason=str(error))
            await asyncio.sleep(STAND_BY_S)

    async def _wait_for_turn(self, conn: Connection) -> int:
        """Wait until it is our turn to lead, and begin a term."""
        free_since_s: float | None = None
        while True:
            if await rule_lead.lead(conn):
                free_since_s = free_since_s or time.monotonic()
                term = await self._take_over(conn, time.monotonic() - free_since_s)
                if term is not None:
                    return term
                await rule_lead.step_down(conn)
            else:
                free_since_s = None
                await self._hand_in(conn)
            self._ready()
            await asyncio.sleep(STAND_BY_S)

    async def regain(self, term: int) -> Connection:
        """The lead again, in the same term.

        Raises:
            Overtaken: another has led since.
        """
        while True:
            try:
                with errors.translated():
                    conn = await connect_beside(self._pool)
                async with AsyncExitStack() as undo:
                    undo.push_async_callback(conn.close)
                    leads = await rule_lead.lead(conn)
                    if (await rule_lead.term(conn)).number != term:
                        raise rule_lead.Overtaken
                    if leads:
                        undo.pop_all()
                        return conn
            except rule_lead.Overtaken:
                raise
            except errors.StorageError as error:
                _log.debug("the rules wait for the database", reason=str(error))
            await asyncio.sleep(RETRY_S)

    async def catch_up(self, conn: Connection, term: int) -> None:
        """Write down what waits in the journal, each record once, and empty it unless more is just being added.

        Raises:
            StorageError: not all is written down yet.
        """
        number = (await rule_lead.term(conn)).records
        for lot in self.journal.lots(LOT_BYTES, after=number):
            await write_down(conn, term, fold(lot))
        if not self.journal.appending:
            self.journal.clear()

    async def _take_over(self, conn: Connection, free_s: float) -> int | None:
        """Begin a term, with the journal open, if it is our turn: `None` if it is not."""
        before = await rule_lead.term(conn)
        if before.leader not in ("", self.journal.owner) and free_s < RETURN_S:
            return None
        try:
            self.journal.open()
        except InUse:
            _log.warning("another process of this machine has the rules' journal", folder=str(self.journal.folder))
            return None
        try:
            await self._pass_on_if_fit(conn, before)
            return await rule_lead.begin(conn, self.journal.owner, self._now())
        except BaseException:
            self.journal.close()
            raise

    async def _pass_on_if_fit(self, conn: Connection, present: rule_lead.Term) -> None:
        """Pass the journal on; it is set aside where the database refuses it, because it is that of another one."""
        try:
            await self._pass_on(conn, present)
        except errors.Refused as error:
            _log.error("the database refuses the rules' journal, which is set aside", reason=str(error))
            self.journal.set_aside()

    async def _pass_on(self, conn: Connection, present: rule_lead.Term) -> None:
        """Give the database what the open journal holds; `present` is the term there."""
        if self.journal.term == present.number and present.leader == self.journal.owner:
            await self.catch_up(conn, present.number)
        elif not self.journal.empty:
            _log.warning("the rules hand in what they decided before another led", bytes=self.journal.size)
            await hand_in(conn, list(chain.from_iterable(self.journal.lots(LOT_BYTES))), present.since_us)
            self.journal.clear()

    async def _hand_in(self, conn: Connection) -> None:
        """Another leads: what we decided before it began its term is history."""
        if not self.journal.holds_something:
            return
        try:
            self.journal.open()
        except InUse:
            return
        try:
            present = await rule_lead.term(conn)
            if self.journal.term != present.number:
                await self._pass_on_if_fit(conn, present)
        finally:
            self.journal.close()
