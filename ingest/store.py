"""Storing rows within a transaction: by COPY where all are new, else leaving alone what is there; then what follows.

The latest observation of each asset follows, and the hours whose rollups are to be made anew.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from ingest import statements
from ingest.copy import Values, array, copy_payload, text_array, values_of
from ingest.rows import Rows, Settled, newest, settle, without_time
from ingest.statements import SQL
from storage import lifecycle, tables
from storage.pool import Connection
from telemetry.kind import Kind
from telemetry.limits import SEQ_MEMORY_S

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Stored:
    """`rows` are new; they and the `duplicate` are all of one kind; `conflicting` `duplicate` have other values."""

    rows: Rows
    duplicate: int
    conflicting: int


async def store_all(conn: Connection, by_kind: Mapping[str, Rows], careful: bool) -> dict[str, Stored]:
    """Store rows of several kinds, always in the same order so that two processes cannot wait for each other.

    Not `careful` raises `psycopg.errors.UniqueViolation` where a row is there already.
    """
    settled = {name: settle(by_kind[name]) for name in sorted(by_kind)}
    if any(without_time(each.rows.columns).any() for each in settled.values()):
        await conn.execute(SQL["one_at_a_time"])
        for name, each in settled.items():
            settled[name] = await _settle_redelivered(conn, each)
    return {name: await _store(conn, each, careful) for name, each in settled.items()}


async def _store(conn: Connection, settled: Settled, careful: bool) -> Stored:
    rows, duplicate, conflicting = settled.rows, settled.duplicate, settled.conflicting
    if len(rows) and careful:
        rows, differing = await _insert(conn, rows)
        duplicate += len(settled.rows) - len(rows)
        conflicting += differing
    elif len(rows):
        await _copy(conn, rows)
    return Stored(rows, duplicate, conflicting)


async def follow_up(conn: Connection, stored: Iterable[Stored]) -> None:
    """Make new rows the latest of their assets where they are newer, and say whose hours are to be summed up again.

    No statement's result is waited for, so that all may go to the server in one pipeline.
    """
    fresh = [each.rows for each in stored if len(each.rows)]
    if fresh:
        await conn.execute(SQL["latest"], _latest([newest(rows) for rows in fresh]))
    for rows in fresh:
        await lifecycle.mark_dirty(conn, rows.columns.kind.name, rows.columns.observed_us)


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


async def _copy(conn: Connection, rows: Rows) -> None:
    async with conn.cursor().copy(statements.of(rows.columns.kind).copy) as copy:
        await copy.write(copy_payload(values_of(rows)))


async def _insert(conn: Connection, rows: Rows) -> tuple[Rows, int]:
    """Store the rows that are not there; returns those, and how many of the others differ from what is there."""
    statement = statements.of(rows.columns.kind)
    values = values_of(rows)
    cursor = await conn.execute(statement.insert, [array(each) for each in values])
    inserted = set(await cursor.fetchall())
    if len(inserted) == len(rows):
        return rows, 0
    keys = zip(rows.columns.asset_id.tolist(), rows.columns.observed_us.tolist(), strict=True)
    new = np.array([key in inserted for key in keys], dtype=np.bool_)
    others = [array(each) for each in values_of(rows.take(~new))]
    found = await (await conn.execute(statement.conflicting, others)).fetchone()
    return rows.take(new), found[0] if found else 0


def _latest(by_kind: list[Rows]) -> list[object]:
    """The parameters of `latest`: rows by asset, so that two processes cannot wait for each other."""
    asset_id = np.concatenate([rows.columns.asset_id for rows in by_kind])
    order = np.argsort(asset_id)
    kind = np.repeat(np.arange(1, len(by_kind) + 1), [len(rows) for rows in by_kind])
    observed_us = np.concatenate([rows.columns.observed_us for rows in by_kind])
    received_us = np.concatenate([rows.received_us for rows in by_kind])
    texts = list(chain.from_iterable(map(documents, by_kind)))
    return [
        [rows.columns.kind.name for rows in by_kind],
        array(Values(tables.INTEGER, asset_id[order])),
        array(Values(tables.INTEGER, kind[order])),
        array(Values(tables.TIMESTAMPTZ, observed_us[order] - tables.PG_EPOCH_US)),
        array(Values(tables.TIMESTAMPTZ, received_us[order] - tables.PG_EPOCH_US)),
        text_array([texts[place] for place in order.tolist()]),
    ]


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
