"""One transaction a batch: rows, quarantine, presence and the account of the day, all or nothing.

The writer keeps one connection while it works. It gives up only when it is cancelled: an error of the database's is
waited out, a row that the database will not have is found by halving and quarantined. An error of ours that spares no
observation is waited out as well, unacknowledged: a mended version finds all of them at the broker.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from uuid import uuid4

import psycopg
import structlog
from psycopg import errors as pg

from bus.backoff import Backoff
from ingest.batch import Batch
from ingest.fates import Fates
from ingest.parcel import Parcel, condemn, only, units
from ingest.presence import record
from ingest.round_trip import RoundTrips, Step
from ingest.rows import Settled
from ingest.statements import CONCLUDE, FOLLOW
from ingest.store import Prepared, Sent, entailed_by, prepare, store_all
from storage import errors
from storage.doubt import Backend, Doubt, backend_of, took_place
from storage.lifecycle import Partitions
from storage.pool import STATEMENT_TIMEOUT_S, Connection, Pool, waiting_at_most
from storage.quarantining import Unit, quarantine, storable
from telemetry.clock import DAY_US, to_datetime

_log = structlog.get_logger(__name__)

RETRY_S_MAX = 2.0
"""The longest wait between two attempts to reach the database, in real seconds."""
ATTEMPT_S_MAX = 3.0 * STATEMENT_TIMEOUT_S
"""An attempt that takes longer, in real seconds, is given up with its connection: the server itself has not cut it."""
REDELIVERED_RUN = 20
"""After a batch with rows that were there already, so many batches expect it again: resends come in runs."""
SAMPLE_OBSERVATIONS = 16
"""So many observations, taken at random, are tried alone where an error of ours may have nothing to do with any."""


class Unforeseen(errors.Refused):
    """Writing failed in a way nobody foresaw, perhaps by this row."""


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Errors of the block as storage's; one that nobody foresaw counts as a refusal: its cause is looked for."""
    try:
        with errors.translated():
            yield
    except errors.StorageError:
        raise
    except MemoryError as error:
        raise errors.Busy("this process has no memory left") from error
    except Exception as error:
        raise Unforeseen(f"{type(error).__name__}: {error}") from error


class Writer:
    """Writes parcels one after the other, for the process `instance`."""

    def __init__(self, pool: Pool, instance: str) -> None:
        self._pool, self._instance = pool, instance
        self._lease = AsyncExitStack()
        self._conn: Connection | None = None
        self._round_trips: RoundTrips | None = None
        self._backend: Backend | None = None
        self._partitions: Partitions | None = None
        self._prepared: tuple[Parcel, Prepared] | None = None
        self._doubt: tuple[Doubt, Fates] | None = None
        self._careful_for = 0
        self._on_sent: Sent = lambda: None

    async def close(self) -> None:
        """Give the connection up, and with it what its session has prepared."""
        conn, self._conn = self._conn, None
        self._round_trips = self._backend = self._partitions = None
        lease, self._lease = self._lease, AsyncExitStack()
        if conn is not None:
            await conn.close()
        await lease.aclose()

    def prepare(self, parcel: Parcel) -> None:
        """Do what can be done for a parcel before its turn; a mistake in it is for `write` to meet and to deal with."""
        with suppress(Exception):
            self._prepared = parcel, prepare(parcel.rows, parcel.redelivered or self._careful_for > 0)

    async def write(self, parcel: Parcel, batch: Batch, on_sent: Sent = lambda: None) -> Fates:
        """Write until it is durable; `batch` is what the parcel was made from."""
        backoff, self._on_sent = Backoff(last_s=RETRY_S_MAX), on_sent
        while True:
            try:
                with _in_our_words():
                    return await self._settle(parcel)
            except errors.Refused as error:
                if isinstance(error, Unforeseen):
                    _log.error("writing failed", exc_info=error.__cause__)
                parcel = await self._without_culprits(parcel, batch, error, backoff)
            except errors.StorageError as error:
                await self._wait_out(error, backoff)

    async def _without_culprits(self, parcel: Parcel, batch: Batch, error: errors.Refused, backoff: Backoff) -> Parcel:
        """The parcel with those in quarantine that the database refuses; after a wait if there are none."""
        while True:
            try:
                if isinstance(error, Unforeseen) and await self._spares_nobody(parcel):
                    _log.critical("nothing is stored: the mistake is ours, not the observations'", reason=str(error))
                    culprits = {}
                else:
                    culprits = await self._find_culprits(parcel)
                if culprits:
                    _log.warning("rows refused by the database", count=len(culprits), reason=str(error))
                    return condemn(parcel, batch, culprits)
                self._careful_for = REDELIVERED_RUN  # as those were tried
                await self._wait_out(error, backoff)
                return parcel
            except errors.StorageError as obstacle:
                await self._wait_out(obstacle, backoff)

    async def _wait_out(self, error: errors.StorageError, backoff: Backoff) -> None:
        """Let the database recover; the pool replaces a broken connection."""
        self._on_sent()
        wait_s = backoff.next_s()
        _log.warning("the database does not store", reason=str(error), again_in_s=round(wait_s, 2))
        try:
            await self.close()
        except psycopg.Error as lost:
            _log.debug("connection lost", reason=str(lost))
        await asyncio.sleep(wait_s)

    async def _settle(self, parcel: Parcel) -> Fates:
        """One attempt, in the fast way, and in the careful one where rows are there already."""
        conn = await self._connected()
        with waiting_at_most(conn, ATTEMPT_S_MAX):
            self._backend = self._backend or await backend_of(conn)
            settled = await self._resolve_doubt(conn)
            if settled is not None:
                return settled
            try:
                if not parcel.redelivered and not self._careful_for:
                    return await self._commit(conn, parcel, careful=False)
            except pg.UniqueViolation:
                self._careful_for = REDELIVERED_RUN
            self._careful_for = max(0, self._careful_for - 1)
            return await self._commit(conn, parcel, careful=True)

    async def _commit(self, conn: Connection, parcel: Parcel, careful: bool) -> Fates:
        fates = await self._apply_in_place(conn, parcel, careful, "COMMIT")
        self._doubt = None
        return fates

    async def _apply_in_place(self, conn: Connection, parcel: Parcel, careful: bool, end: str) -> Fates:
        """`_apply` where the rows have their partitions; that one is missing is the fault of none of them."""
        await self._ensure_partitions(conn, parcel)
        try:
            return await self._apply(conn, parcel, careful, end)
        except pg.CheckViolation as error:
            if error.diag.constraint_name is not None:
                raise
            self._partitions = None  # retention has dropped a partition meanwhile
            raise errors.Busy("a partition is missing") from error

    async def _apply(self, conn: Connection, parcel: Parcel, careful: bool, end: str) -> Fates:
        """Everything a parcel changes, in one transaction with this end, a `COMMIT` or a `ROLLBACK`.

        From where the end may have reached the server, the transaction is in doubt until the server confirms it.
        """
        try:
            prepared = self._prepared_of(parcel, careful)
            if prepared.inserts and end == "COMMIT" and not (careful or parcel.refused or parcel.words):
                return await self._apply_at_once(parcel, prepared)
            await conn.execute("BEGIN")
            stored = await store_all(conn, prepared, careful, self._on_sent)
            fates = _booked(parcel, stored)
            await _keep_rest(conn, parcel, fates)
            conclusion = self._conclusion(parcel, fates, in_doubt=end == "COMMIT")
            following = (not careful and prepared.following) or entailed_by(each.rows for each in stored.values())
            steps = [Step(FOLLOW, following)] if following else []
            assert self._round_trips is not None
            await self._round_trips.transact([*steps, Step(CONCLUDE, conclusion), Step(end, ())])
            return fates
        except BaseException:
            with suppress(psycopg.Error):
                await conn.rollback()
            if self._round_trips is not None:
                self._round_trips.forget()
            raise

    async def _apply_at_once(self, parcel: Parcel, prepared: Prepared) -> Fates:
        """A parcel of few new rows and nothing else, committed in one round trip."""
        assert self._round_trips is not None
        fates = _booked(parcel, prepared.settled)
        following, conclusion = prepared.following or {}, self._conclusion(parcel, fates, in_doubt=True)
        self._on_sent()
        steps = [*prepared.inserts.values(), Step(FOLLOW, following), Step(CONCLUDE, conclusion)]
        await self._round_trips.transact(steps)
        return fates

    def _conclusion(self, parcel: Parcel, fates: Fates, in_doubt: bool) -> dict[str, object]:
        """The parameters of `CONCLUDE`; from now on nobody knows whether it takes place, where it is `in_doubt`."""
        batch = uuid4()
        if in_doubt:
            assert self._backend is not None, "an attempt begins with asking who serves it"
            self._doubt = Doubt(batch, self._backend), fates
        day = to_datetime(parcel.day * DAY_US).date()
        return {"day": day, **fates.account, "instance": self._instance, "batch": batch}

    def _prepared_of(self, parcel: Parcel, careful: bool) -> Prepared:
        if self._prepared is not None and self._prepared[0] is parcel:
            return self._prepared[1]
        return prepare(parcel.rows, careful)

    async def _resolve_doubt(self, conn: Connection) -> Fates | None:
        """Whether a commit that was never confirmed took place: then the fates are settled and must not count twice."""
        if self._doubt is None:
            return None
        doubt, fates = self._doubt
        settled = await took_place(conn, self._instance, doubt)
        self._doubt = None
        return fates if settled else None

    async def _spares_nobody(self, parcel: Parcel) -> bool:
        """Whether an unforeseen error meets several uplinks whichever is tried, so that none of them is its cause.

        They are taken at random, so that a batch with a single innocent is stuck for a few attempts at most.
        """
        all_units = units(parcel)
        if len({message for message, _ in all_units}) < 2:
            return False
        for unit in random.sample(all_units, min(len(all_units), SAMPLE_OBSERVATIONS)):
            if not isinstance(await self._trial(only(parcel, [unit])), Unforeseen):
                return False
        return True

    async def _find_culprits(self, parcel: Parcel) -> dict[Unit, str]:
        """The observations that the database refuses, with its words, found by halving, in undone transactions."""
        culprits: dict[Unit, str] = {}
        suspects = [(units(parcel), "")]
        while suspects:
            group, detail = suspects.pop()
            if len(group) == 1 and detail:
                culprits[group[0]] = storable(detail)
                continue
            middle = len(group) // 2
            for half in (group[:middle], group[middle:]):
                if half and (refusal := await self._trial(only(parcel, half))) is not None:
                    suspects.append((half, refusal.detail))
        return culprits

    async def _trial(self, parcel: Parcel) -> errors.Refused | None:
        """Why the parcel is refused, if it is; nothing is changed."""
        conn = await self._connected()
        try:
            with _in_our_words(), waiting_at_most(conn, ATTEMPT_S_MAX):
                await self._apply_in_place(conn, parcel, careful=True, end="ROLLBACK")
        except errors.Refused as error:
            return error
        return None

    async def _ensure_partitions(self, conn: Connection, parcel: Parcel) -> None:
        if self._partitions is None:
            self._partitions = await Partitions.of(conn)
        try:
            for name, rows in sorted(parcel.rows.items()):
                await self._partitions.ensure(conn, name, rows.columns.observed_us)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise errors.Busy(f"a partition cannot be made: {errors.translate(error).detail}") from error

    async def _connected(self) -> Connection:
        if self._conn is None:
            self._conn = await self._lease.enter_async_context(self._pool.connection())
            self._round_trips = RoundTrips(self._conn)
        return self._conn


def _booked(parcel: Parcel, stored: Mapping[str, Settled]) -> Fates:
    """What becomes of the parcel's observations by its rows."""
    fates = Fates(parcel.received, unknown_fields=parcel.unknown_fields)
    for name, each in stored.items():
        fates.stored[name] += len(each.rows)
        fates.duplicate += each.duplicate
        fates.conflicting += each.conflicting
    return fates


async def _keep_rest(conn: Connection, parcel: Parcel, fates: Fates) -> None:
    """Write what is refused, which the fates learn, and what devices said of themselves."""
    if parcel.refused:
        outcome = await quarantine(conn, parcel.day, parcel.refused)
        fates.quarantined.update(outcome.quarantined)
        fates.duplicate += outcome.duplicate
        fates.unkept += outcome.unkept
    if parcel.words:
        await record(conn, parcel.words)
