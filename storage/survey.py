"""What `lamplighter doctor` asks of a database server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from storage import errors, queries
from storage.pool import Connection

SQL = queries.load("survey")

VERSION_MIN = 150_000
"""PostgreSQL 15, as `server_version_num` spells it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the database we are connected to.

    `version` is as `server_version_num` (150_004 is 15.4), `real_us` the server's clock in microseconds since 1970 UTC,
    `durable` whether a commit survives a power cut, `fleeting` whether nobody wants it to, `timescale` the extension's
    version (`None` without it), `superuser` whether we are one, `autovacuum` whether it clears up behind changed rows,
    `connections` how many we may have at once.
    """

    version: int
    real_us: int
    durable: bool
    fleeting: bool
    timescale: str | None
    superuser: bool
    size_bytes: int
    autovacuum: bool
    connections: int


async def server(conn: Connection) -> Server:
    """Look at the server; needs no schema."""
    with errors.translated():
        async with conn.cursor(row_factory=class_row(Server)) as cursor:
            await cursor.execute(SQL["server"])
            row = await cursor.fetchone()
    assert row is not None, "a query without FROM gives one row"
    return row


async def assets(conn: Connection) -> int:
    """How many assets are in service; raises `SchemaMissing` without a schema."""
    with errors.translated():
        return await _count(conn, "assets", {})


async def city_now_us(conn: Connection) -> int:
    """The city's moment as SQL knows it; raises `SchemaMissing` without a schema."""
    with errors.translated():
        return await _count(conn, "city_now", {})


async def tokens(conn: Connection, at: datetime) -> int:
    """How many API tokens open something at a real moment; raises `SchemaMissing` without a schema."""
    with errors.translated():
        return await _count(conn, "tokens", {"at": at})


async def last_token(conn: Connection) -> datetime | None:
    """When the last API token ran out, if none opens anything; `None` where there has never been one."""
    found: datetime | None = await _value(conn, "last_token")
    return found


async def city(conn: Connection) -> tuple[str, int] | None:
    """The time zone by which local days are cut, and after how many seconds a zone's word is stale in SQL."""
    rows: list[tuple[str, int]] = await _rows(conn, "city")
    return rows[0] if rows else None


async def led(conn: Connection) -> bool:
    """Whether a process leads the rules at this moment."""
    return bool(await _value(conn, "led"))


async def upkeep_days(conn: Connection) -> float | None:
    """City days since old data was last looked after; `None`: never."""
    found: float | None = await _value(conn, "upkeep")
    return found


async def outlasted(conn: Connection, kind: str, end: datetime) -> bool:
    """Whether rows of the kind from before `end` were there when retention looked the last time but one."""
    with errors.translated():
        found = await conn.execute(SQL["outlasted"].format(kind=kind), {"kind": kind, "end": end})
        row = await found.fetchone()
    return row is not None and row[0]


async def processes(conn: Connection) -> list[tuple[str, float]]:
    """Each process that books uplinks and has not said farewell, and for how many real seconds it has been silent."""
    return await _rows(conn, "processes")


async def unreadable(conn: Connection, names: Sequence[str], role: str) -> list[str]:
    """Which of these relations a role may not read; all of them where there is no such role."""
    return [name for (name,) in await _rows(conn, "unreadable", names=list(names), role=role)]


async def alike(conn: Connection) -> list[list[str]]:
    """Devices whose names differ in nothing but capitals, a list for each name."""
    return [devices for (devices,) in await _rows(conn, "alike")]


async def without(conn: Connection, kind: str, attribute: str) -> list[str]:
    """Assets of a kind in service that lack an attribute."""
    return [asset for (asset,) in await _rows(conn, "without", kind=kind, attribute=attribute)]


async def above(conn: Connection, kind: str, lower: str, upper: str) -> list[str]:
    """Assets of a kind in service of which one attribute is above another that it should not exceed."""
    return [asset for (asset,) in await _rows(conn, "above", kind=kind, lower=lower, upper=upper)]


async def bays_without_zone(conn: Connection) -> list[str]:
    """Parking bays in service that belong to no zone."""
    return [asset for (asset,) in await _rows(conn, "without_zone")]


async def unheard_of(conn: Connection, since: datetime) -> list[tuple[str, str]]:
    """Unknown devices that spoke since a moment, each with a registered one that differs in nothing but capitals."""
    return await _rows(conn, "unheard_of", since=since)


async def refused(conn: Connection, since: datetime) -> list[tuple[str, int, int]]:
    """What was refused since a moment and not replayed: reason, uplinks, devices; the most frequent first."""
    return await _rows(conn, "refused", since=since)


async def replayed(conn: Connection, since: datetime) -> int:
    """How many uplinks were refused since a moment and replayed."""
    return await _count(conn, "replayed", {"since": since})


async def _rows(conn: Connection, name: str, **parameters: object) -> list[Any]:
    """What a statement gives; raises `SchemaMissing` without a schema."""
    with errors.translated():
        return await (await conn.execute(SQL[name], parameters)).fetchall()


async def _value(conn: Connection, name: str) -> Any:
    found = await _rows(conn, name)
    return found[0][0] if found else None


async def _count(conn: Connection, name: str, parameters: dict[str, object]) -> int:
    row = await (await conn.execute(SQL[name], parameters)).fetchone()
    assert row is not None, "an aggregate gives one row"
    return int(row[0])
