"""Storing rows within a transaction: by COPY where all are new, else leaving alone what is there; then what follows.

The latest observation of each asset follows, and the hours whose rollups are to be made anew.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from ingest import statements
from ingest.copy import Values, array, copy_payload, text_array, values_of
from ingest.round_trip import Step
from ingest.rows import Rows, Settled, newest, settle, without_time
from ingest.statements import FOLLOW, SQL
from storage import lifecycle, tables
from storage.pool import Connection
from telemetry.kind import Kind
from telemetry.limits import SEQ_MEMORY_S

COPY_ROWS_MIN = 2_000
"""From so many new rows on COPY costs the server less; fewer are steps of one round trip, which costs ingest less."""

Sent = Callable[[], None]
"""Is called, perhaps several times, once the server has something to work on, or where it is away."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows as far as they can be made ready before their transaction, by kind in the order in which they are stored.

    Where all are taken for new, a kind's rows are in `inserts` where all together are few, else in `payloads`, as COPY
    takes them; `following` are the parameters of what follows.
    """

    settled: dict[str, Settled]
    inserts: dict[str, Step] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)
    following: dict[str, object] | None = None


def prepare(by_kind: Mapping[str, Rows], careful: bool) -> Prepared:
    """Make rows of several kinds ready, always in the same order so that two processes cannot wait for each other."""
    settled = {name: settle(by_kind[name]) for name in sorted(by_kind)}
    if careful or any(without_time(each.rows.columns).any() for each in settled.values()):
        return Prepared(settled)
    fresh = {name: each.rows for name, each in settled.items() if len(each.rows)}
    following = entailed_by(fresh.values())
    if sum(map(len, fresh.values())) < COPY_ROWS_MIN:
        return Prepared(settled, inserts={name: _insert(rows) for name, rows in fresh.items()}, following=following)
    payloads = {name: copy_payload(values_of(rows)) for name, rows in fresh.items()}
    return Prepared(settled, payloads=payloads, following=following)


async def store_all(
    conn: Connection, prepared: Prepared, careful: bool, on_sent: Sent = lambda: None
) -> dict[str, Settled]:
    """Store rows; what is left of them, by kind, are those that were new.

    Not `careful` raises `psycopg.errors.UniqueViolation` where a row is there already.
    """
    settled = dict(prepared.settled)
    if any(without_time(each.rows.columns).any() for each in settled.values()):
        await conn.execute(SQL["one_at_a_time"])
        for name, each in settled.items():
            settled[name] = await _settle_redelivered(conn, each)
    for name, each in settled.items():
        if careful or not len(each.rows):
            settled[name] = await _merge(conn, each)
        elif name in prepared.inserts:
            on_sent()
            await conn.execute(prepared.inserts[name].statement, prepared.inserts[name].parameters)
        else:
            await _copy(conn, each.rows, prepared.payloads.get(name), on_sent)
    return settled


async def follow_up(conn: Connection, stored: Iterable[Settled]) -> None:
    """Make new rows the latest of their assets where they are newer, and say whose hours are to be summed up again."""
    if parameters := entailed_by(each.rows for each in stored):
        await conn.execute(FOLLOW, parameters)


async def _settle_redelivered(conn: Connection, settled: Settled) -> Settled:
    """Leave out rows without a time of their own that are there already under the same `seq`."""
    rows = settled.rows
    places = np.flatnonzero(without_time(rows.columns))
    if not len(places):
        return settled
    arrays = [array(values) for values in values_of(rows.take(places))]
    statement = statements.of(rows.columns.kind).redelivered
    cursor = await conn.execute(statement, [*arrays, SEQ_MEMORY_S, SEQ_MEMORY_S])
    found = await cursor.fetchall()
    keep = np.ones(len(rows), dtype=np.bool_)
    keep[places[[place - 1 for place, _ in found]]] = False
    conflicting = settled.conflicting + sum(differs for _, differs in found)
    return Settled(rows.take(keep), settled.duplicate + len(found), conflicting)


async def _copy(conn: Connection, rows: Rows, payload: bytes | None, on_sent: Sent) -> None:
    async with conn.cursor().copy(statements.of(rows.columns.kind).copy) as copy:
        await copy.write(payload or copy_payload(values_of(rows)))
        on_sent()


def _insert(rows: Rows) -> Step:
    return Step(statements.of(rows.columns.kind).insert, [array(each) for each in values_of(rows)])


async def _merge(conn: Connection, settled: Settled) -> Settled:
    """Store the rows that are not there; those that are, are duplicates."""
    rows = settled.rows
    if not len(rows):
        return settled
    statement = statements.of(rows.columns.kind)
    cursor = await conn.execute(statement.merge, [array(each) for each in values_of(rows)])
    inserted = set(await cursor.fetchall())
    if len(inserted) == len(rows):
        return settled
    keys = zip(rows.columns.asset_id.tolist(), rows.columns.observed_us.tolist(), strict=True)
    new = np.array([key in inserted for key in keys], dtype=np.bool_)
    others = [array(each) for each in values_of(rows.take(~new))]
    found = await (await conn.execute(statement.conflicting, others)).fetchone()
    differing = found[0] if found else 0
    return Settled(rows.take(new), settled.duplicate + len(rows) - len(inserted), settled.conflicting + differing)


def entailed_by(by_kind: Iterable[Rows]) -> dict[str, object]:
    """What new rows entail, as the parameters of `FOLLOW`; empty where there are none."""
    fresh = [rows for rows in by_kind if len(rows)]
    if not fresh:
        return {}
    marks = lifecycle.marks({rows.columns.kind.name: rows.columns.observed_us for rows in fresh})
    return marks | _latest([newest(rows) for rows in fresh])


def _latest(by_kind: list[Rows]) -> dict[str, object]:
    """The parameters of `latest`: rows by asset, so that two processes cannot wait for each other."""
    asset_id = np.concatenate([rows.columns.asset_id for rows in by_kind])
    order = np.argsort(asset_id)
    kind = np.repeat(np.arange(1, len(by_kind) + 1), [len(rows) for rows in by_kind])
    observed_us = np.concatenate([rows.columns.observed_us for rows in by_kind])
    received_us = np.concatenate([rows.received_us for rows in by_kind])
    texts = list(chain.from_iterable(map(documents, by_kind)))
    return {
        "kinds": [rows.columns.kind.name for rows in by_kind],
        "assets": array(Values(tables.INTEGER, asset_id[order])),
        "kind": array(Values(tables.INTEGER, kind[order])),
        "observed": array(Values(tables.TIMESTAMPTZ, observed_us[order] - tables.PG_EPOCH_US)),
        "received": array(Values(tables.TIMESTAMPTZ, received_us[order] - tables.PG_EPOCH_US)),
        "fields": text_array([texts[place] for place in order.tolist()]),
    }


def documents(rows: Rows) -> list[bytes]:
    """The fields of each row as a JSON object, without the absent ones."""
    columns: list[list[Any]] = []
    for each in rows.columns.kind.properties:
        column = rows.columns.fields[each.name]
        absent = np.isnan(column)
        if absent.all():
            columns.append([None] * len(rows))
        elif absent.any():
            values = np.where(absent, 0, column).astype(each.type).astype(object)
            values[absent] = None
            columns.append(values.tolist())
        else:
            columns.append(column.astype(each.type).tolist())
    return list(map(_encode, map(_document(rows.columns.kind), *columns)))


@cache
def _document(kind: Kind) -> Callable[..., msgspec.Struct]:
    """A struct with a kind's fields alone; those that are `None` are left out of its JSON."""
    fields = [(each.name, each.type | None, None) for each in kind.properties]
    return msgspec.defstruct(kind.name, fields, omit_defaults=True, gc=False)
