"""Reading stored observations in the order of time, a slot of time at once, for who goes through all of them again.

The server gathers each slot's columns as arrays in binary, which have a fixed layout and are decoded by NumPy as a
whole. A cursor on the server gives slot after slot, so that memory holds a few of them, however long the span.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format

from storage import queries, tables
from storage.pool import Connection
from telemetry.clock import to_datetime, to_us
from telemetry.columns import NO_SEQ, Columns
from telemetry.commands import Settings
from telemetry.kind import Kind

SQL = queries.load("history_reading")
LIFECYCLE = queries.load("lifecycle")

SLOTS_AT_ONCE = 16
_ARRAY_HEAD = 20
"""Bytes before the first element of an array of one dimension: dimensions, flags, type, length, lower bound."""


@dataclass(frozen=True, slots=True)
class Span:
    """Microseconds since 1970 UTC in [since_us, until_us), of these assets; `None`: of all."""

    since_us: int
    until_us: int
    assets: tuple[int, ...] | None = None

    def given(self) -> dict[str, Any]:
        """As parameters of a statement."""
        assets = None if self.assets is None else list(self.assets)
        return {"since": to_datetime(self.since_us), "until": to_datetime(self.until_us), "assets": assets}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Setpoints in % that devices acknowledged, `(n,)` each, in order of time; each held until then at most."""

    at_us: NDArray[np.int64]
    asset_id: NDArray[np.int32]
    setpoint_pct: NDArray[np.float64]
    until_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at_us)

    def take(self, rows: slice) -> "Acknowledged":
        """Some of them."""
        return Acknowledged(self.at_us[rows], self.asset_id[rows], self.setpoint_pct[rows], self.until_us[rows])


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wished of a lamp from a moment on; `ended_us`: taken back then, `None` if it was not."""

    id: str
    asset_id: int
    settings: Settings
    at_us: int
    expires_us: int
    ended_us: int | None


class _Undecoded(Loader):
    """Leaves an array as it came."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


async def prepare(conn: Connection) -> None:
    """Make a connection one that reads for long: no time limits, and sorting, so that slots come one by one."""
    for setting in (
        "statement_timeout = 0",
        "idle_in_transaction_session_timeout = 0",
        "tcp_user_timeout = 0",
        "enable_hashagg = off",
        "cursor_tuple_fraction = 1.0",
        "work_mem = '64MB'",
        "jit = off",
    ):
        await conn.execute(f"SET {setting}")


async def kept_since_us(conn: Connection, kind: Kind) -> int | None:
    """The moment before which observations of a kind may have been dropped, `None` if none were."""
    row = await (await conn.execute(LIFECYCLE["horizon"], {"kind": kind.name})).fetchone()
    return None if row is None else to_us(row[0])


async def observations(conn: Connection, kind: Kind, span: Span, slot_us: int) -> AsyncIterator[Columns]:
    """The observations of a span, slot by slot; slots without any are left out. `message` numbers those of a slot."""
    statement = sql.SQL(SQL["observations"]).format(
        fields=sql.SQL(", ").join(map(_as_real, tables.of(kind).fields)), kind=sql.Identifier(kind.name)
    )
    async for times, assets, *values in _slots(conn, f"read_{kind.name}", statement, span, slot_us):
        at_us = _decoded(times, tables.TIMESTAMPTZ) + tables.PG_EPOCH_US
        order = np.argsort(at_us, kind="stable")
        count = len(order)
        names = [each.name for each in kind.properties]
        yield Columns(
            kind,
            _decoded(assets, tables.INTEGER)[order],
            at_us[order],
            np.zeros(count, np.bool_),
            np.full(count, NO_SEQ, np.int64),
            {name: _decoded(value, tables.DOUBLE)[order] for name, value in zip(names, values, strict=True)},
            np.arange(count, dtype=np.int32),
            np.zeros(count, np.int32),
        )


async def acknowledged(conn: Connection, span: Span, slot_us: int) -> AsyncIterator[Acknowledged]:
    """The setpoints that devices acknowledged in a span, slot by slot."""
    async for times, assets, setpoints, untils in _slots(
        conn, "read_acknowledged", sql.SQL(SQL["acknowledged"]), span, slot_us
    ):
        at_us = _decoded(times, tables.TIMESTAMPTZ) + tables.PG_EPOCH_US
        order = np.argsort(at_us, kind="stable")
        yield Acknowledged(
            at_us[order],
            _decoded(assets, tables.INTEGER)[order],
            _decoded(setpoints, tables.DOUBLE)[order],
            _decoded(untils, tables.TIMESTAMPTZ)[order] + tables.PG_EPOCH_US,
        )


async def overrides(conn: Connection, span: Span) -> list[Wish]:
    """What people wished of lamps in a span, in order of time."""
    rows = await (await conn.execute(SQL["overrides"], _without_assets(span))).fetchall()
    return [
        Wish(
            name,
            asset_id,
            msgspec.convert(settings, Settings),
            to_us(at),
            to_us(expires),
            None if ended is None else to_us(ended),
        )
        for name, asset_id, settings, at, expires, ended in rows
    ]


async def measures_in(conn: Connection, span: Span) -> list[tuple[str, str, str, int, int, str, str]]:
    """What operators had ordered for zones: id, zone, what, from and until when, why and who."""
    rows = await (await conn.execute(SQL["measures"], _without_assets(span))).fetchall()
    return [
        (name, zone, what, to_us(since), to_us(until), note, by) for name, zone, what, since, until, note, by in rows
    ]


async def _slots(
    conn: Connection, name: str, statement: sql.SQL | sql.Composed, span: Span, slot_us: int
) -> AsyncIterator[Sequence[bytes]]:
    """Nothing is cleaned up where the caller goes away: that is the end of its connection, and so of the cursor."""
    given = span.given() | {"width": timedelta(microseconds=slot_us)}
    await conn.execute("BEGIN READ ONLY")
    cursor = conn.cursor(name, binary=True)
    for each in (tables.TIMESTAMPTZ, tables.INTEGER, tables.DOUBLE):
        cursor.adapters.register_loader(each.array_oid, _Undecoded)
    await cursor.execute(statement, given, binary=True)
    while rows := await cursor.fetchmany(SLOTS_AT_ONCE):
        for row in rows:
            yield row
    await cursor.close()
    await conn.execute("COMMIT")


def _as_real(column: tables.Column) -> sql.Composed:
    """A column gathered as reals, NaN where absent."""
    truth = "::int" if column.type is tables.BOOLEAN else ""
    value = sql.SQL("array_agg(coalesce({name}" + truth + "::float8, 'NaN'))")
    return value.format(name=sql.Identifier(column.name))


def _decoded(array: bytes, of: tables.SqlType) -> NDArray[Any]:
    """An array without NULL, as the machine has it."""
    elements = np.frombuffer(array, np.dtype([("size", ">i4"), ("value", of.wire)]), offset=_ARRAY_HEAD)
    values: NDArray[Any] = elements["value"].astype(np.dtype(of.wire).newbyteorder("="))
    return values


def _without_assets(span: Span) -> Mapping[str, Any]:
    return {"since": to_datetime(span.since_us), "until": to_datetime(span.until_us)}
