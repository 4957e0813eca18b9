"""Replaying the quarantine: refused observations that decode now are stored, with their original time of receipt.

Their first fate stays: the ledger counts them as `replayed` only, on the day of their receipt.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from ingest.fates import Fates
from ingest.rows import Rows
from ingest.statements import SQL
from ingest.store import follow_up, prepare, store_all
from storage import errors
from storage.lifecycle import Partitions
from storage.pool import Connection, Pool
from telemetry.clock import DAY_US, to_datetime
from telemetry.decoding import Decoded, Decoder
from telemetry.registry import Registry

PAGE_ROWS = 500

Translate = Callable[[str, bytes, int], Awaitable[tuple[str, bytes] | None]]
"""Takes topic, payload and time of receipt (city time) of a message from outside; gives topic and payload of the
observation that it is in the city's own form, `None` if it is none."""


@dataclass(slots=True)
class Replayed:
    """`looked_at` = `stored` + `duplicate` (there already: settled too) + `refused` (still; they stay).

    The `cut` are not looked at: they were too large to be kept whole.
    """

    looked_at: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row of the quarantine."""

    id: int
    received_us: int
    topic: str
    payload: bytes

    @property
    def day(self) -> int:
        return self.received_us // DAY_US


@dataclass(slots=True)
class _Replay:
    decoder: Decoder
    now_us: int
    translate: Translate | None = None
    done: Replayed = field(default_factory=Replayed)
    free_us: int = 0
    """From here on no time of receipt is taken by an observation without a time of its own."""


async def replay(
    pool: Pool, registry: Registry, now_us: int, device: str | None = None, translate: Translate | None = None
) -> Replayed:
    """Store what decodes now; `device` restricts it to one device, `now_us` is the city's time.

    `translate` is asked of each whether it is a message from outside that a gateway could not read.

    Raises:
        StorageError: the database did not do it; what was replayed until then stays so, and is not looked at again.
    """
    run = _Replay(Decoder(registry), now_us, translate)
    with errors.translated():
        async with pool.connection() as conn:
            partitions = await Partitions.of(conn)
            row = await (await conn.execute(SQL["cut"], {"device": device})).fetchone()
            run.done.cut = row[0] if row else 0
            async for page in _pages(conn, device):
                for _, same_day in groupby(page, key=lambda kept: kept.day):
                    await _replay_some(conn, partitions, run, list(same_day))
    return run.done


async def _pages(conn: Connection, device: str | None) -> AsyncIterator[list[_Kept]]:
    """The rows of the quarantine in order of receipt."""
    after, after_id = to_datetime(0), 0
    while True:
        chosen = {"after": after, "after_id": after_id, "device": device, "limit": PAGE_ROWS}
        page = [_Kept(*row) for row in await (await conn.execute(SQL["replayable"], chosen)).fetchall()]
        if not page:
            return
        after, after_id = to_datetime(page[-1].received_us), page[-1].id
        yield page


async def _replay_some(conn: Connection, partitions: Partitions, run: _Replay, kept: list[_Kept]) -> None:
    """Replay rows of one day."""
    received_us = np.array([each.received_us for each in kept], dtype=np.int64)
    moments_us = np.maximum(received_us, run.free_us)
    run.free_us = int(moments_us[-1]) + len(kept)
    ours = [await _in_our_form(run, each) for each in kept]
    decoded = run.decoder.decode([topic.encode() for topic, _ in ours], [payload for _, payload in ours], moments_us)
    good = _wholly_decoded(decoded)
    run.done.looked_at += len(kept)
    run.done.refused += len(kept) - len(good)
    if not good:
        return
    rows = {name: Rows(columns, received_us[columns.message]) for name, columns in decoded.columns.items()}
    for name, of_kind in rows.items():
        await partitions.ensure(conn, name, of_kind.columns.observed_us)
    async with conn.transaction():
        ids = {kept[message].id: message for message in good}
        claimed = [row[0] for row in await (await conn.execute(SQL["claim"], {"ids": list(ids)})).fetchall()]
        messages = [ids[each] for each in claimed]
        chosen = {name: of_kind.take(np.isin(of_kind.columns.message, messages)) for name, of_kind in rows.items()}
        ready = prepare({name: of_kind for name, of_kind in chosen.items() if len(of_kind)}, careful=True)
        stored = await store_all(conn, ready, careful=True)
        await follow_up(conn, stored.values())
        count = sum(len(each.rows) for each in stored.values())
        await conn.execute(SQL["mark_replayed"], {"at": to_datetime(run.now_us), "ids": claimed})
        day = to_datetime(kept[0].day * DAY_US).date()
        await conn.execute(SQL["book"], {"day": day, **Fates(replayed=count).account})
    run.done.stored += count
    run.done.duplicate += len(good) - count


async def _in_our_form(run: _Replay, kept: _Kept) -> tuple[str, bytes]:
    found = None if run.translate is None else await run.translate(kept.topic, kept.payload, kept.received_us)
    return found or (kept.topic, kept.payload)


def _wholly_decoded(decoded: Decoded) -> set[int]:
    """The positions of the messages of which nothing is refused."""
    found = {int(message) for columns in decoded.columns.values() for message in columns.message}
    return found - {refused.message for refused in decoded.refused}
