"""Booking uplinks that the gateway cannot read: each is received and quarantined, in one transaction (contract §1).

By the statements that ingest books with, and under a process name of the gateway's own in `ingest_instance`, so that a
commit of which nobody heard is not booked twice.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID, uuid4

import psycopg

from storage import errors, queries
from storage.pool import Connection, Pool
from telemetry.clock import DAY_US, to_datetime
from telemetry.limits import QUARANTINE_BYTES_MAX, QUARANTINE_ROWS_PER_DEVICE_DAY_MAX
from telemetry.refusals import Reason

SQL = queries.load("ingest")
TOPIC_CHARACTERS_MAX = 256
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

    @property
    def key(self) -> tuple[str, bytes]:
        """What a repeat of the day is known by."""
        return self.topic[:TOPIC_CHARACTERS_MAX], hashlib.sha256(self.payload).digest()


@dataclass(slots=True)
class Booked:
    """What became of them: `quarantined` by reason, of which `unkept` without their bytes, and repeats of the day."""

    quarantined: Counter[Reason] = field(default_factory=Counter)
    duplicate: int = 0
    unkept: int = 0


class Book:
    """Books for the process `instance`."""

    def __init__(self, pool: Pool, instance: str) -> None:
        self._pool, self._instance = pool, instance
        self._doubt: tuple[UUID, Booked] | None = None

    async def add(self, unreadable: Sequence[Unreadable]) -> Booked:
        """Book uplinks of one day; raises `StorageError`, after which the same uplinks are to be tried again.

        Until they have succeeded no others may be added: a doubtful commit is resolved by the next attempt.
        """
        with errors.translated():
            async with self._pool.connection() as conn:
                settled = await self._resolve_doubt(conn)
                return settled or await self._commit(conn, unreadable)

    async def _commit(self, conn: Connection, unreadable: Sequence[Unreadable]) -> Booked:
        batch = uuid4()
        try:
            await conn.execute("BEGIN")
            booked = await _write(conn, unreadable)
            await conn.execute(SQL["settle"], {"instance": self._instance, "batch": batch})
            self._doubt = batch, booked
            await conn.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                await conn.rollback()
            raise
        self._doubt = None
        return booked

    async def _resolve_doubt(self, conn: Connection) -> Booked | None:
        if self._doubt is None:
            return None
        batch, booked = self._doubt
        row = await (await conn.execute(SQL["outcome"], {"instance": self._instance, "batch": batch})).fetchone()
        self._doubt = None
        return booked if row and row[0] else None


def by_day(unreadable: Sequence[Unreadable]) -> list[list[Unreadable]]:
    """The uplinks of each day of receipt (UTC)."""
    ordered = sorted(unreadable, key=lambda each: each.received_us)
    return [list(group) for _, group in groupby(ordered, key=lambda each: each.received_us // DAY_US)]


async def _write(conn: Connection, unreadable: Sequence[Unreadable]) -> Booked:
    date = to_datetime(unreadable[0].received_us // DAY_US * DAY_US).date()
    fresh = list({each.key: each for each in reversed(unreadable)}.values())
    known = await _places(conn, "quarantined_already", {"day": date, **_keys(fresh)})
    fresh = [each for place, each in enumerate(fresh, 1) if place not in known]
    keep, beyond = await _within_bound(conn, date, fresh)
    new = await _places(conn, "quarantine", {"day": date, **_keys(keep), **_contents(keep)}) if keep else set()
    booked = Booked(unkept=len(beyond))
    booked.quarantined.update(each.reason for place, each in enumerate(keep, 1) if place in new)
    booked.quarantined.update(each.reason for each in beyond)
    booked.duplicate = len(unreadable) - booked.quarantined.total()
    account = {
        **dict.fromkeys(("stored", "conflicting", "unknown_fields", "replayed"), 0),
        "received": len(unreadable),
        "duplicate": booked.duplicate,
        "quarantined": booked.quarantined.total(),
        "unkept": booked.unkept,
    }
    await conn.execute(SQL["book"], {"day": date, **account})
    return booked


async def _within_bound(
    conn: Connection, date: object, fresh: Sequence[Unreadable]
) -> tuple[list[Unreadable], list[Unreadable]]:
    """Those for which there is room a device and day, and those that are only counted."""
    devices = sorted({each.device for each in fresh})
    kept = Counter[str](dict(await (await conn.execute(SQL["kept"], {"day": date, "devices": devices})).fetchall()))
    keep: list[Unreadable] = []
    beyond: list[Unreadable] = []
    for each in fresh:
        room = kept[each.device] < QUARANTINE_ROWS_PER_DEVICE_DAY_MAX
        kept[each.device] += room
        (keep if room else beyond).append(each)
    return keep, beyond


async def _places(conn: Connection, name: str, parameters: dict[str, object]) -> set[int]:
    return {row[0] for row in await (await conn.execute(SQL[name], parameters)).fetchall()}


def _keys(unreadable: Sequence[Unreadable]) -> dict[str, object]:
    return {
        "topics": [_text(each.key[0]) for each in unreadable],
        "digests": [each.key[1] for each in unreadable],
        "elements": [0 for _ in unreadable],
    }


def _contents(unreadable: Sequence[Unreadable]) -> dict[str, object]:
    return {
        "received": [to_datetime(each.received_us) for each in unreadable],
        "devices": [each.device for each in unreadable],
        "reasons": [each.reason.value for each in unreadable],
        "details": [_text(each.detail)[:DETAIL_CHARACTERS_MAX] for each in unreadable],
        "payloads": [each.payload[:QUARANTINE_BYTES_MAX] for each in unreadable],
    }


def _text(text: str) -> str:
    """As the database keeps it: it knows neither the character 0 nor half a surrogate pair."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode()
