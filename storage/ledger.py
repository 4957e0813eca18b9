"""Reading the ledger: what was received, what became of it, and what the last check of each day has found.

The account alone is a view of the books: what is in flight stands on both sides, what a process held when it died has
left both, and a row that vanished after it was booked is still counted. The proof is the check, made by `ledger_check`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

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
    def without_fate(self) -> int:
        """Settled without exactly one fate: 0, or something was lost (above) or counted twice (below)."""
        return self.received - self.stored - self.duplicate - self.quarantined

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


@dataclass(frozen=True, slots=True)
class Check:
    """A day's account against what was there at `checked_at` (city time).

    `without_fate` were received and have none, or, below 0, have more than one. `rows_expected` are the observations
    stored and replayed, `quarantine_expected` the refused ones whose bytes are kept, without what retention has
    dropped. `differs_since` is when a check first found a difference, `None` where there is none.
    """

    checked_at: datetime
    without_fate: int
    rows_expected: int
    rows_found: int
    quarantine_expected: int
    quarantine_found: int
    differs_since: datetime | None

    @property
    def balances(self) -> bool:
        """Whether every observation has one fate, and every row is there that should be and no other."""
        return self.differs_since is None

    def figures(self) -> dict[str, int]:
        """What was compared."""
        return {
            "without_fate": self.without_fate,
            "rows_expected": self.rows_expected,
            "rows_found": self.rows_found,
            "quarantine_expected": self.quarantine_expected,
            "quarantine_found": self.quarantine_found,
        }


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day of receipt: its account, and its last check, `None` before the first."""

    day: date
    account: Ledger
    check: Check | None


async def totals(conn: Connection, real_now_us: int) -> Ledger:
    """All days together."""
    async with conn.cursor(row_factory=class_row(Ledger)) as cursor:
        await cursor.execute(SQL["totals"], {"alive_since": to_datetime(real_now_us - INSTANCE_ALIVE_US)})
        row = await cursor.fetchone()
    assert row is not None, "an aggregate always gives one row"
    return row


async def days(
    conn: Connection, *, limit: int | None = None, since: date | None = None, before: date | None = None
) -> list[Day]:
    """Each day's own, newest first, from `since` on and before `before`."""
    return await _days(conn, "days", {"limit": limit, "since": since, "before": before})


async def differing(conn: Connection) -> list[Day]:
    """The days that do not balance by their last check, the first to differ first."""
    return await _days(conn, "differing", {})


async def _days(conn: Connection, name: str, parameters: dict[str, object]) -> list[Day]:
    rows = await (await conn.execute(SQL[name], parameters)).fetchall()
    return [_day(row) for row in rows]


def _day(row: tuple[Any, ...]) -> Day:
    account, check = Ledger(*row[:10]), row[10:]
    assert account.since is not None, "the day is the key"
    return Day(account.since, account, None if check[0] is None else Check(*check))
