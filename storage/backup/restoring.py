"""Restoring a backup: into an empty database, of this schema or a newer one, and in whichever mode its server has."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from storage import errors, lifecycle, migrate, queries, relations, survey, tables
from storage.backup import archive, content
from storage.backup.archive import Damaged, Manifest
from storage.keeper import Keeper
from storage.pool import Connection
from telemetry.clock import HOUR_US, to_datetime
from telemetry.kinds import KINDS

SQL = queries.load("backup")
ROLLUPS = queries.load("rollups")

_MONTH = len("2026-11")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: rows by table, and the schema with the migrations that came on top."""

    schema: migrate.Migrated
    rows: dict[str, int]


async def restore(url: str, file: BinaryIO, manifest: Manifest) -> Restored:
    """Make the empty database at `url` what a verified backup holds; `file` is read once more from its beginning.

    Services refuse the database until all is there.

    Raises `NotEmpty`, `Damaged` (what was read now is not what was verified), `SchemaTooNew`, `MigrationChanged`,
    `Unavailable`, `Forbidden`.
    """
    migrations = await asyncio.to_thread(migrate.read)
    known = {each.number: (each.name, each.checksum) for each in manifest.head.schema}
    later = migrate.lacking(known, migrations)
    before = [each for each in migrations if each not in later]
    try:
        migrate.check_timezone(manifest.head.timezone)
    except ValueError as error:
        raise Damaged(str(error)) from error
    with errors.translated():
        async with migrate.locked(url, "lamplighter restore") as conn:
            await _must_be_empty(conn)
            await conn.execute(SQL["begin"])
            work = _Work(conn, manifest, await migrate.choose_mode(conn, url))
            await migrate.apply(conn, before)
            await work.make_room(content.own_tables(before))
            for table, rows in archive.pieces(file):
                if table in work.following and not work.is_upgraded:
                    await work.upgrade(migrations)
                await work.load(table, rows)
            if not work.is_upgraded:
                await work.upgrade(migrations)
            await work.finish()
    return Restored(work.schema, work.rows)


async def _must_be_empty(conn: Connection) -> None:
    row = await (await conn.execute(SQL["foreign_relations"])).fetchone()
    if row is not None:
        raise errors.NotEmpty(f"it has the table {row[0]}; restore into one that `createdb` has just made")


class _Work:
    """One restore under way: the tables of migrations in the schema of the backup, the upgrade, then the rest."""

    def __init__(self, conn: Connection, manifest: Manifest, schema: migrate.Migrated) -> None:
        self._conn, self._manifest = conn, manifest
        self.schema = schema
        self.following = frozenset(content.following())
        self.is_upgraded = False
        self.rows: dict[str, int] = {}
        self._own: list[str] = []
        self._keeper: Keeper = lifecycle.KEEPERS[schema.mode]()
        self._partitions = lifecycle.Partitions(self._keeper)
        self._targets: dict[str, str] = {}

    async def make_room(self, own: list[str]) -> None:
        """Empty the tables that migrations have written rows into."""
        self._own = [name for name in own if await relations.relkind(self._conn, name) == "r"]
        for name in self._manifest.tables:
            if name not in self._own and name not in self.following:
                raise Damaged(f"it holds a table {name}, which no migration makes")
        await self._conn.execute(SQL["empty"].format(tables=", ".join(self._own)))

    async def load(self, table: str, rows: bytes) -> None:
        """Copy one piece of a table."""
        if table not in self._targets:
            self._targets[table] = await self._target(table)
        columns = self._manifest.tables[table].columns
        if table in KINDS:
            await self._partitions.ensure(self._conn, table, _months(columns, rows))
        statement = SQL["in"].format(table=self._targets[table], columns=", ".join(columns))
        async with self._conn.cursor() as cursor:
            async with cursor.copy(statement) as copy:
                await copy.write(rows)
            self.rows[table] = self.rows.get(table, 0) + cursor.rowcount

    async def _target(self, table: str) -> str:
        """Where its rows go, once it is sure that their columns are there."""
        target = table
        for kind in KINDS.values():
            if table == content.hours_of(kind.name):
                target = await self._keeper.hours_to_fill(self._conn, kind)
        unknown = set(self._manifest.tables[table].columns) - set(await relations.column_names(self._conn, target))
        if unknown:
            raise Damaged(f"its table {table} has a column {min(unknown)}, which no migration makes")
        return target

    async def upgrade(self, migrations: list[migrate.Migration]) -> None:
        """Bring what is there to the newest schema, as an upgrade of a database in service would."""
        self.is_upgraded = True
        for table, column in await (await self._conn.execute(SQL["identities"], {"names": self._own})).fetchall():
            await self._conn.execute(SQL["number_on"].format(table=table, column=column))
        self.schema.applied = await migrate.apply(self._conn, migrations)
        await migrate.follow(self._conn, self.schema, self._manifest.head.timezone, KINDS)
        await self._conn.execute(SQL["new_term"])

    async def finish(self) -> None:
        """See that all is there, make hours of the kinds, and let services in."""
        for table, told in self._manifest.tables.items():
            if self.rows.get(table, 0) != told.rows:
                raise Damaged(f"of {told.rows} rows of {table}, {self.rows.get(table, 0)} were restored")
        for kind in KINDS.values():
            hours = content.hours_of(kind.name)
            if hours in self._targets:
                await self._keeper.hours_filled(self._conn, kind, await self._open_hour())
                if set(self._manifest.tables[hours].columns) < set(await relations.column_names(self._conn, hours)):
                    await self._conn.execute(ROLLUPS["all_hours"].format(kind=kind.name), {"kind": kind.name})
        await self._conn.execute(SQL["end"])
        await self._conn.execute("ANALYZE")

    async def _open_hour(self) -> dt.datetime:
        now_us = await survey.city_now_us(self._conn)
        return to_datetime(now_us - now_us % HOUR_US)


def _months(columns: list[str], rows: bytes) -> NDArray[np.int64]:
    """The months that rows of observations lie in, each by its beginning in microseconds since 1970 UTC."""
    if columns[:1] != [tables.OWN_COLUMNS[0].name]:
        raise Damaged(f"its rows do not begin with {tables.OWN_COLUMNS[0].name}")
    found = sorted({row[:_MONTH].decode() for row in rows.split(b"\n") if row})
    return np.array(found, dtype="datetime64[M]").astype("datetime64[us]").astype(np.int64)
