"""Storing rows within a transaction: by COPY where all are new, else leaving alone what is there; then what follows.

The latest observation of each asset follows, and the hours whose rollups are to be made anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from ingest import statements
from ingest.copy import Values, array, copy_payload, values_of
from ingest.rows import Rows, Settled, newest, settle, without_time
from ingest.statements import SQL
from storage import lifecycle, tables
from storage.pool import Connection
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
    for each in stored:
        if len(each.rows):
            await _make_latest(conn, newest(each.rows))
            await lifecycle.mark_dirty(conn, each.rows.columns.kind.name, each.rows.columns.observed_us)


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


async def _make_latest(conn: Connection, rows: Rows) -> None:
    columns = rows.columns
    parameters = [
        columns.kind.name,
        array(Values(tables.INTEGER, columns.asset_id)),
        array(Values(tables.TIMESTAMPTZ, columns.observed_us - tables.PG_EPOCH_US)),
        array(Values(tables.TIMESTAMPTZ, rows.received_us - tables.PG_EPOCH_US)),
        documents(rows).decode(),
    ]
    await conn.execute(SQL["latest"], parameters)


def documents(rows: Rows) -> bytes:
    """A JSON array with the fields of each row as an object, without the absent ones."""
    kind = rows.columns.kind
    names = [each.name for each in kind.properties]
    columns = []
    complete = True
    for each in kind.properties:
        column = rows.columns.fields[each.name]
        absent = np.isnan(column)
        if each.type is float:
            values: list[float | int | bool | None] = column.tolist()
        else:
            values = np.where(absent, 0, column).astype(each.type).tolist()
        if absent.any():
            complete = False
            values = [None if gone else value for value, gone in zip(values, absent.tolist(), strict=True)]
        columns.append(values)
    objects = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if not complete:
        objects = [{name: value for name, value in each.items() if value is not None} for each in objects]
    return _encode(objects)
