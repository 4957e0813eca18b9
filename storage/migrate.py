"""Bringing a database to the schema of the code: numbered migrations in order, then what follows from the kinds.

Migrations (`storage/migrations/NNNN_*.sql`) say what a row is and read the same on every server. How observations live
(hypertables or partitions), their rollups and the reader's rights follow from the kinds and are made anew wherever they
are missing, every time.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from storage import draft as drafting
from storage import errors, lifecycle, queries, reader, relations, roles
from storage.pool import Connection, connect
from telemetry.kind import Kind
from telemetry.kinds import KINDS

MIGRATIONS = Path(__file__).parent / "migrations"
Kinds = Mapping[str, Kind]
DEFAULT_TIMEZONE = "Europe/Berlin"
SQL = queries.load("migrate")
CITY = queries.load("city")
ROLLUPS = queries.load("rollups")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(slots=True)
class Migrated:
    """What `migrate` did: files applied, the mode (`native` or `timescale`), and what the operator should know."""

    mode: str
    applied: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder in order."""
    paths = sorted(folder.glob("[0-9]*.sql"))
    return [Migration(int(path.name[:4]), path.stem, path.read_text(encoding="utf-8")) for path in paths]


def draft(folder: Path = MIGRATIONS, kinds: Kinds = KINDS) -> str:
    """The migration text for kinds without a table and for changed fields; empty if every kind has its table.

    Raises `ValueError` where a field has changed its type.
    """
    return drafting.draft((each.text for each in read(folder)), kinds.values())


def write_draft(folder: Path = MIGRATIONS, kinds: Kinds = KINDS) -> Path | None:
    """Write `draft` as the next numbered file of the folder; `None` if every kind has its table."""
    return drafting.write(folder, kinds.values())


async def migrate(
    url: str,
    *,
    timezone: str | None = None,
    ttl_s: int | None = None,
    folder: Path = MIGRATIONS,
    kinds: Kinds = KINDS,
) -> Migrated:
    """Create or upgrade the schema; doing it twice, or from two processes at once, does no harm.

    `timezone` is the city's, by which local days are cut: `None` keeps what the database has, at first
    `Europe/Berlin`; another one than before has all daily rollups cut anew by the next maintenance. After `ttl_s`
    seconds a parking zone's word is stale: `None` keeps what the database has, at first 60.

    Raises `SchemaTooNew`, `MigrationChanged`, `KindUndrafted`, `EncodingUnfit`, `RestoreUnfinished`, `Unavailable`,
    `Forbidden`, and `ValueError` for a time zone that does not exist.
    """
    migrations = await asyncio.to_thread(read, folder)
    undrafted = drafting.draft((each.text for each in migrations), kinds.values())
    if undrafted:
        raise errors.KindUndrafted(undrafted.splitlines()[0].removeprefix("-- "))
    if timezone is not None:
        check_timezone(timezone)
    with errors.translated():
        async with locked(url, "lamplighter migrate") as conn:
            await _must_be_whole(conn)
            result = await choose_mode(conn, url)
            result.applied = await apply(conn, migrations)
            await follow(conn, result, timezone, kinds)
            if ttl_s is not None:
                await conn.execute(CITY["set_ttl"], {"ttl_s": ttl_s})
    return result


@asynccontextmanager
async def locked(url: str, application: str) -> AsyncIterator[Connection]:
    """A connection for who changes the schema: one at a time, the others wait."""
    async with await connect(url, application=application, statement_timeout_s=0) as conn:
        await conn.execute("SET lock_timeout = 0")
        await conn.execute(SQL["lock"])
        try:
            _check_encoding(conn)
            yield conn
        finally:
            if not conn.closed:
                await conn.execute(SQL["unlock"])


async def check(conn: Connection, folder: Path = MIGRATIONS) -> None:
    """That the database has exactly the schema of the code.

    Raises `SchemaMissing`, `SchemaTooNew`, `MigrationChanged`, `RestoreUnfinished` or `EncodingUnfit`.
    """
    migrations = await asyncio.to_thread(read, folder)
    _check_encoding(conn)
    with errors.translated():
        await _must_be_whole(conn)
        missing = await pending(conn, migrations)
    if missing:
        are = "1 migration is" if len(missing) == 1 else f"{len(missing)} migrations are"
        raise errors.SchemaMissing(f"{are} not applied, the first is {missing[0].name}")


async def _must_be_whole(conn: Connection) -> None:
    if await relations.relkind(conn, "restore_unfinished"):
        raise errors.RestoreUnfinished


async def apply(conn: Connection, migrations: list[Migration]) -> list[str]:
    """Apply those of the migrations that are not applied, each in a transaction; returns their names."""
    await conn.execute(SQL["make_table"])
    applied = []
    for migration in await pending(conn, migrations):
        async with conn.transaction():
            await conn.execute(migration.text)
            await conn.execute(
                SQL["applied"],
                {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
            )
        applied.append(migration.name)
    return applied


async def follow(conn: Connection, result: Migrated, timezone: str | None, kinds: Kinds) -> None:
    """Bring what follows from the kinds, the time zone and the rights of roles up to the newest schema."""
    await _follow_kinds(conn, result.mode, kinds)
    await _settle_timezone(conn, result.mode, timezone, kinds)
    await roles.grant(conn, kinds)
    note = await reader.grant(conn, kinds)
    if note:
        result.notes.append(note)


def _check_encoding(conn: Connection) -> None:
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise errors.EncodingUnfit(f"it is {encoding}")


async def pending(conn: Connection, migrations: Iterable[Migration]) -> list[Migration]:
    """The migrations that are not applied, after checking those that are.

    Raises `SchemaTooNew` or `MigrationChanged`.
    """
    cursor = await conn.execute(SQL["known"])
    return lacking({row[0]: (row[1], row[2]) for row in await cursor.fetchall()}, migrations)


def lacking(known: Mapping[int, tuple[str, str]], migrations: Iterable[Migration]) -> list[Migration]:
    """The migrations that are not among the known ones, which are names and checksums by number.

    Raises `SchemaTooNew` or `MigrationChanged`.
    """
    by_number = {each.number: each for each in migrations}
    for number, (name, checksum) in known.items():
        if number not in by_number:
            raise errors.SchemaTooNew(f"it has the migration {name}")
        if by_number[number].checksum != checksum:
            raise errors.MigrationChanged(name)
    return [each for number, each in sorted(by_number.items()) if number not in known]


async def choose_mode(conn: Connection, url: str) -> Migrated:
    """The mode that the database has, else TimescaleDB where the server offers all of it; and why not."""
    notes: list[str] = []
    return Migrated(await _mode(conn, url, notes), notes=notes)


async def _mode(conn: Connection, url: str, notes: list[str]) -> str:
    if await relations.relkind(conn, "city"):
        row = await (await conn.execute(lifecycle.SQL["mode"])).fetchone()
        if row:
            return str(row[0])
    row = await (await conn.execute(CITY["extension"])).fetchone()
    created, offered = row if row else (False, False)
    if not created and not (offered and await _create_extension(url, notes)):
        return "native"
    row = await (await conn.execute(CITY["license"])).fetchone()
    if row and row[0] == "apache":
        notes.append("The server's TimescaleDB is licensed without compression and continuous aggregates: not used.")
        return "native"
    return "timescale"


async def _create_extension(url: str, notes: list[str]) -> bool:
    """Try in a session of its own, which the server ends if the library was not loaded when it started."""
    async with await connect(url, application="lamplighter migrate", statement_timeout_s=0) as conn:
        try:
            await conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.Error as error:
            notes.append(f"The server has TimescaleDB but does not let us use it: {str(error).strip().splitlines()[0]}")
            return False
    return True


async def _follow_kinds(conn: Connection, mode: str, kinds: Kinds) -> None:
    """Everything that follows from the kinds: partitions or hypertables, rollups, and the table of kinds."""
    keeper = lifecycle.KEEPERS[mode]()
    async with conn.transaction():
        for kind in kinds.values():
            await keeper.adopt(conn, kind)
            await relations.make_redelivery_index(conn, kind)
            await relations.make_receipt_index(conn, kind)
            if await relations.make_daily(conn, kind):  # whatever of its rows is still there is summed up anew
                await conn.execute(ROLLUPS["all_hours"].format(kind=kind.name), {"kind": kind.name})
            await conn.execute(CITY["kind"], {"kind": kind.name, "report_every_s": kind.wire.report_every_s})
        await relations.make_zone_daily(conn, kinds.values())


async def _settle_timezone(conn: Connection, mode: str, timezone: str | None, kinds: Kinds) -> None:
    """Keep the city's time zone; a new one makes every hour dirty, so that all local days are cut anew."""
    row = await (await conn.execute(CITY["timezone"])).fetchone()
    known = row[0] if row else None
    wanted = timezone or known or DEFAULT_TIMEZONE
    async with conn.transaction():
        await conn.execute(CITY["settle"], {"timezone": wanted, "mode": mode})
        if known is None or known == wanted:
            return
        for kind in kinds:
            await conn.execute(ROLLUPS["all_hours"].format(kind=kind), {"kind": kind})
        for name in ("zone", *kinds):
            await conn.execute(ROLLUPS["forget_days"].format(kind=name))


def check_timezone(name: str) -> None:
    """Raise `ValueError` for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone: name one like Europe/Berlin") from error
