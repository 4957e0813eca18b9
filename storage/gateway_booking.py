"""Booking uplinks that the gateway cannot read: each is received and quarantined, in one transaction (contract §1).

By the statements that ingest books with, and under a process name of the gateway's own in `ingest_instance`, so that a
commit of which nobody heard is not booked twice.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from uuid import uuid4

import psycopg

from storage import queries
from storage.doubt import Doubt, backend_of, took_place
from storage.pool import Connection, Pool, lent
from storage.quarantining import Outcome, Quarantined, quarantine
from telemetry.clock import DAY_US, to_datetime
from telemetry.refusals import Reason, Refusal

SQL = queries.load("ingest")
DETAIL_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An uplink as it came. `device` is empty where it names none; `received_us` is city time."""

    topic: str
    device: str
    reason: Reason
    detail: str
    payload: bytes
    received_us: int

    def kept(self, place: int) -> Quarantined:
        """As the quarantine takes it; `place` tells it from the others."""
        refusal = Refusal(self.reason, self.detail[:DETAIL_CHARACTERS_MAX])
        return Quarantined.of((place, 0), self.topic, self.device, self.received_us, refusal, self.payload)


class Book:
    """Books for the process `instance`."""

    def __init__(self, pool: Pool, instance: str) -> None:
        self._pool, self._instance = pool, instance
        self._doubt: tuple[Doubt, Outcome] | None = None

    async def add(self, unreadable: Sequence[Unreadable]) -> Outcome:
        """Book uplinks of one day; raises `StorageError`, after which the same uplinks are to be tried again.

        Until they have succeeded no others may be added: a doubtful commit is resolved by the next attempt.
        """
        async with lent(self._pool) as conn:
            settled = await self._resolve_doubt(conn)
            return settled or await self._commit(conn, unreadable)

    async def _commit(self, conn: Connection, unreadable: Sequence[Unreadable]) -> Outcome:
        batch, backend = uuid4(), await backend_of(conn)
        try:
            await conn.execute("BEGIN")
            booked = await _write(conn, unreadable)
            await conn.execute(SQL["settle"], {"instance": self._instance, "batch": batch})
            self._doubt = Doubt(batch, backend), booked
            await conn.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                await conn.rollback()
            raise
        self._doubt = None
        return booked

    async def _resolve_doubt(self, conn: Connection) -> Outcome | None:
        if self._doubt is None:
            return None
        doubt, booked = self._doubt
        settled = await took_place(conn, self._instance, doubt)
        self._doubt = None
        return booked if settled else None


def by_day(unreadable: Sequence[Unreadable]) -> list[list[Unreadable]]:
    """The uplinks of each day of receipt (UTC)."""
    ordered = sorted(unreadable, key=lambda each: each.received_us)
    return [list(group) for _, group in groupby(ordered, key=lambda each: each.received_us // DAY_US)]


async def _write(conn: Connection, unreadable: Sequence[Unreadable]) -> Outcome:
    day = unreadable[0].received_us // DAY_US
    booked = await quarantine(conn, day, [each.kept(place) for place, each in enumerate(unreadable)])
    account = {
        **dict.fromkeys(("stored", "conflicting", "unknown_fields", "replayed"), 0),
        "received": len(unreadable),
        "duplicate": booked.duplicate,
        "quarantined": booked.quarantined.total(),
        "unkept": booked.unkept,
    }
    await conn.execute(SQL["book"], {"day": to_datetime(day * DAY_US).date(), **account})
    return booked
