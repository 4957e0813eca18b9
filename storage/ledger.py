"""Reading the ledger: what was received, and what became of it.

A view of the books, not their proof: what is in flight stands on both sides, what a process held when it died has left
both, and a row that vanished after it was booked is still counted. Only a comparison with the rows can prove a loss.
"""

from dataclasses import dataclass
from datetime import date

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection
from telemetry.clock import SECOND_US, to_datetime

SQL = queries.load("ledger")

INSTANCE_ALIVE_US = 15 * SECOND_US
"""An ingest process that has not said for this long what it holds, holds nothing: it is gone."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """`received` = `stored` + `duplicate` + `quarantined`, of all days or of one; `in_flight` is not yet among them.

    `conflicting` are duplicates whose values differ from the stored row; `unkept` are quarantined without their bytes.
    `since` is the first day counted (UTC), `None` where nothing ever came.
    """

    received: int
    stored: int
    duplicate: int
    quarantined: int
    conflicting: int
    unknown_fields: int
    unkept: int
    replayed: int
    in_flight: int
    since: date | None

    @property
    def heard(self) -> int:
        """What ingest processes counted as received: what is settled and what they still hold."""
        return self.received + self.in_flight

    def document(self) -> dict[str, int | str | None]:
        """The ledger as contract §3 has it: there `received` is what was `heard`, `since` the first day's midnight."""
        return {
            "received": self.heard,
            "stored": self.stored,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "in_flight": self.in_flight,
            "replayed": self.replayed,
            "conflicting": self.conflicting,
            "unknown_fields": self.unknown_fields,
            "unkept": self.unkept,
            "since": f"{self.since}T00:00:00Z" if self.since else None,
        }


async def totals(conn: Connection, real_now_us: int) -> Ledger:
    """All days together."""
    async with conn.cursor(row_factory=class_row(Ledger)) as cursor:
        await cursor.execute(SQL["totals"], {"alive_since": to_datetime(real_now_us - INSTANCE_ALIVE_US)})
        row = await cursor.fetchone()
    assert row is not None, "an aggregate always gives one row"
    return row


async def days(conn: Connection, *, limit: int, before: date | None = None) -> list[Ledger]:
    """Each day's own, newest first; `before` leaves out that day and all after it."""
    async with conn.cursor(row_factory=class_row(Ledger)) as cursor:
        await cursor.execute(SQL["days"], {"limit": limit, "before": before})
        return await cursor.fetchall()
