"""Reading one field of one asset through its history, in the order and within the bounds that somebody asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from storage import queries
from storage.pool import Connection
from telemetry.kind import Kind

SQL = queries.load("series")

OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
TIMEOUT_MS = 5_000
"""A reading that takes longer is given up, for the raw table also has others to serve."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Values of a field in [since, until), `None` meaning no bound, that compare so with each of `results`.

    By time, or by value and then time; `down` is newest or greatest first.
    """

    since: datetime | None = None
    until: datetime | None = None
    results: tuple[tuple[str, float | bool], ...] = ()
    by_value: bool = False
    down: bool = True
    skip: int = 0
    limit: int = 1


async def read(
    conn: Connection, kind: Kind, asset_id: int, field: str, wanted: Wanted
) -> list[tuple[datetime, float | bool]]:
    """When the field was what, of observations that have it.

    Raises:
        Busy: it takes too long.
    """
    direction = sql.SQL("DESC" if wanted.down else "ASC")
    keys = [sql.Identifier(name) for name in ([field] if wanted.by_value else []) + ["observed_at"]]
    order = sql.SQL(", ").join(sql.SQL("{} {}").format(key, direction) for key in keys)
    return [(moment, value) for moment, value in await _rows(conn, "read", kind, asset_id, field, wanted, order)]


async def count(conn: Connection, kind: Kind, asset_id: int, field: str, wanted: Wanted, most: int) -> int:
    """How many there are, whatever is skipped; where there are more than `most`, one more than that.

    Raises:
        Busy: it takes too long.
    """
    rows = await _rows(conn, "count", kind, asset_id, field, wanted, sql.SQL(""), most=most + 1)
    return int(rows[0][0])


async def _rows(
    conn: Connection,
    name: str,
    kind: Kind,
    asset_id: int,
    field: str,
    wanted: Wanted,
    order: sql.Composable,
    **other: int,
) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {"asset_id": asset_id, "since": wanted.since, "until": wanted.until, "skip": wanted.skip}
    asked = [f"observed_at {how} %({bound})s" for how, bound in ((">=", "since"), ("<", "until")) if given[bound]]
    for number, (how, value) in enumerate(wanted.results):
        given[f"value_{number}"] = value
        asked.append(f"{{field}} {OPERATORS[how]} %(value_{number})s")
    conditions = sql.SQL("".join(f" AND {each}" for each in asked)).format(field=sql.Identifier(field))
    statement = sql.SQL(SQL[name]).format(
        field=sql.Identifier(field), kind=sql.Identifier(kind.name), conditions=conditions, order=order
    )
    async with conn.transaction():
        await conn.execute(SQL["patience"], {"ms": str(TIMEOUT_MS)})
        found = await conn.execute(statement, given | {"limit": wanted.limit, **other})
        return await found.fetchall()
