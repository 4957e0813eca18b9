"""Importing history: a file's lines are decoded, stored and booked as uplinks are, but nobody hears of them.

They are received when they are imported: each batch is one transaction that stores what is not there, marks its hours
for the rollups, and books it on the day. So a run that was cut short is continued by running it again. An observation
older than its asset's latest stays behind it, and the rules, which hear the broker, hear nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from psycopg import errors as pg

from ingest.fates import Fates
from ingest.rows import Rows
from ingest.statements import SQL
from ingest.store import follow_up, prepare, store_all
from ingest.writer import REDELIVERED_RUN
from storage import errors
from storage.history import kept_since
from storage.history_csv import BadLine, HistoryFile, Observed
from storage.lifecycle import Partitions
from storage.pool import Connection
from storage.shared_clock import city_now
from telemetry.clock import DAY_US, to_datetime, to_rfc3339
from telemetry.columns import Columns
from telemetry.decoding import Decoder
from telemetry.limits import BATCH_ROWS_MAX

ATTEMPTS_MAX = 5
"""So often a batch is tried that others' transactions are in the way of."""
PAUSE_S = 0.2


@dataclass(slots=True)
class Imported:
    """`good` lines are observations, `stored` those that were new, `duplicate` those there already.

    `conflicting` are `duplicate` with other values than the stored ones.
    """

    good: int = 0
    bad: int = 0
    stored: int = 0
    duplicate: int = 0
    conflicting: int = 0


@dataclass(slots=True)
class Run:
    """One passage through a file. `complain` takes each bad line, `progress` is called after each batch."""

    file: HistoryFile
    complain: Callable[[BadLine], object]
    progress: Callable[[Imported], object]
    done: Imported = field(default_factory=Imported)


async def check(conn: Connection, run: Run) -> Imported:
    """Look through the whole file and store nothing. Raises `StorageError`."""
    with errors.translated():
        since_us, now_us = await kept_since(conn), await city_now(conn)
    reading = _Reading(run)
    for lines in _batches(run.file):
        reading.decode(lines, now_us, since_us)
        run.progress(run.done)
    return run.done


async def store(conn: Connection, run: Run) -> Imported:
    """Store the good lines of the file.

    Raises:
        StorageError: the database did not do it; what was stored until then, by `run.done`, stays so.
    """
    with errors.translated():
        reading, writing = _Reading(run), _Writing(conn, await Partitions.of(conn))
        for lines in _batches(run.file):
            now_us = await city_now(conn)
            received, by_kind = reading.decode(lines, now_us, await kept_since(conn))
            if received:
                fates = await writing.write(received, by_kind, now_us)
                run.done.stored += fates.stored.total()
                run.done.duplicate += fates.duplicate
                run.done.conflicting += fates.conflicting
            run.progress(run.done)
    return run.done


def _batches(lines: Iterable[Observed | BadLine]) -> Iterator[list[Observed | BadLine]]:
    rest = iter(lines)
    while batch := list(islice(rest, BATCH_ROWS_MAX)):
        yield batch


class _Reading:
    """Decodes lines as uplinks are decoded."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._decoder = Decoder(run.file.registry)

    def decode(
        self, lines: list[Observed | BadLine], now_us: int, kept_since_us: dict[str, int]
    ) -> tuple[int, dict[str, Columns]]:
        """How many of the lines are good, and their columns by kind."""
        bad = [each for each in lines if isinstance(each, BadLine)]
        good = [each for each in lines if isinstance(each, Observed)]
        decoded = self._decoder.decode([each.topic for each in good], [each.payload for each in good], now_us)
        for refused in decoded.refused:
            bad.append(BadLine(good[refused.message].line, refused.refusal.detail, refused.refusal.reason))
        by_kind: dict[str, Columns] = {}
        for name, columns in decoded.columns.items():
            since_us = kept_since_us.get(name, 0)
            old = columns.observed_us < since_us
            words = f"{name} of before {to_rfc3339(since_us)} is no longer kept"
            for message in columns.message[old].tolist():
                bad.append(BadLine(good[message].line, words))
            by_kind[name] = columns.take(~old)
        for each in sorted(bad, key=lambda each: each.line):
            self._run.complain(each)
        self._run.done.bad += len(bad)
        self._run.done.good += len(lines) - len(bad)
        return len(lines) - len(bad), {name: columns for name, columns in by_kind.items() if len(columns)}


class _Writing:
    """Writes batches, in the fast way until a row is there already."""

    def __init__(self, conn: Connection, partitions: Partitions) -> None:
        self._conn, self._partitions = conn, partitions
        self._careful_for = 0

    async def write(self, received: int, by_kind: dict[str, Columns], now_us: int) -> Fates:
        """Store and book what was received at this moment; what others are in the way of is tried again."""
        rows = {name: Rows(each, np.full(len(each), now_us)) for name, each in by_kind.items()}
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                for name, each in sorted(rows.items()):
                    await self._partitions.ensure(self._conn, name, each.columns.observed_us)
                fates = await self._commit(received, rows, now_us)
                self._careful_for = max(0, self._careful_for - 1)
                return fates
            except pg.UniqueViolation:
                self._careful_for = REDELIVERED_RUN
            except pg.CheckViolation as error:
                if error.diag.constraint_name is not None:
                    raise
                self._partitions.forget()  # retention has dropped a partition meanwhile
            except (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable):
                await asyncio.sleep(attempt * PAUSE_S)
        raise errors.Busy(f"others were in the way {ATTEMPTS_MAX} times")

    async def _commit(self, received: int, rows: dict[str, Rows], now_us: int) -> Fates:
        async with self._conn.transaction():
            careful = self._careful_for > 0
            stored = await store_all(self._conn, prepare(rows, careful), careful)
            await follow_up(self._conn, stored.values())
            fates = Fates(
                received,
                Counter({name: len(each.rows) for name, each in stored.items()}),
                sum(each.duplicate for each in stored.values()),
                conflicting=sum(each.conflicting for each in stored.values()),
            )
            day = to_datetime(now_us // DAY_US * DAY_US).date()
            await self._conn.execute(SQL["book"], {"day": day, **fates.account})
        return fates
