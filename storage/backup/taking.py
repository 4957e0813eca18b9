"""Taking a backup: every row as it was at one moment, while services go on writing."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from importlib.metadata import version
from typing import BinaryIO

from psycopg.rows import dict_row

from storage import errors, migrate, queries, relations
from storage.backup import content
from storage.backup.archive import PIECE_BYTES, Head, Manifest, Migrated, Writer
from storage.pool import Connection, connect

SQL = queries.load("backup")
SCHEMA = queries.load("migrate")


async def take(url: str, out: BinaryIO, *, made_at: dt.datetime, files: Mapping[str, bytes]) -> Manifest:
    """Write a backup of the database at `url` to a stream, with the operator's files by name.

    One transaction sees one moment of the whole database and holds up nobody but who drops or alters tables; old
    versions of rows are kept as long as it lasts. A database of an older schema is taken as it is.

    Raises `SchemaTooNew`, `MigrationChanged`, `SchemaMissing`, `Unavailable`, `Forbidden`, and `OSError` of the stream.
    """
    migrations = await asyncio.to_thread(migrate.read)
    with errors.translated():
        async with await connect(url, application="lamplighter backup", statement_timeout_s=0) as conn:
            await conn.execute("SET idle_in_transaction_session_timeout = 0")
            async with conn.transaction():
                await conn.execute(SQL["snapshot"])
                waiting = await migrate.pending(conn, migrations)
                writer = Writer(out, await _head(conn, made_at), int(made_at.timestamp()))
                for name, file in files.items():
                    writer.add_file(name, file)
                applied = [each for each in migrations if each not in waiting]
                for table in await _tables(conn, applied):
                    await _take_table(conn, writer, table)
    return writer.finish()


async def _head(conn: Connection, made_at: dt.datetime) -> Head:
    schema = [Migrated(*row) for row in await (await conn.execute(SCHEMA["known"])).fetchall()]
    async with conn.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(SQL["head"])).fetchone()
    if row is None:
        raise errors.SchemaMissing("the table city is empty")
    return Head(lamplighter=version("lamplighter"), made_at=made_at, schema=schema, **row)


async def _tables(conn: Connection, applied: list[migrate.Migration]) -> list[str]:
    wanted = [*content.own_tables(applied), *content.following()]
    found = {row[0] for row in await (await conn.execute(SQL["tables"], {"names": wanted})).fetchall()}
    return [name for name in wanted if name in found]


async def _take_table(conn: Connection, writer: Writer, table: str) -> None:
    """Read while the piece before is compressed: two of them are in memory, and no more."""
    columns = await relations.column_names(conn, table)
    writer.begin_table(table, columns)
    packing: asyncio.Future[None] | None = None

    async def pack(rows: list[bytes]) -> asyncio.Future[None]:
        if packing is not None:
            await packing
        return asyncio.ensure_future(asyncio.to_thread(writer.add_piece, table, b"".join(rows)))

    statement = SQL["out"].format(table=table, columns=", ".join(columns))
    rows: list[bytes] = []
    size = 0
    try:
        async with conn.cursor() as cursor, cursor.copy(statement) as copy:
            async for row in copy:
                rows.append(bytes(row))
                size += len(row)
                if size >= PIECE_BYTES:
                    packing, rows, size = await pack(rows), [], 0
        if rows:
            packing = await pack(rows)
    finally:
        if packing is not None:
            await packing
