"""`lamplighter migrate`: in order, once, whole or not at all, and never over a newer or altered schema."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from storage import errors
from storage.migrate import MIGRATIONS, check, draft, migrate, read
from storage.pool import connect
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, table
from tests.migration.kinds import NEW

MOMENT = at("2026-11-23 09:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add to."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def test_migrations_are_numbered_without_gaps() -> None:
    assert [each.number for each in read()] == list(range(1, len(read()) + 1))


def test_every_kind_has_its_table() -> None:
    assert draft() == ""


async def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    first = await migrate(empty_database)
    assert first.mode == "native"
    assert first.applied == [each.name for each in read()]
    second = await migrate(empty_database)
    assert second.applied == []


async def test_timescaledb_is_used_where_it_is(timescale_url: str) -> None:
    assert (await migrate(timescale_url)).mode == "timescale"
    assert (await migrate(timescale_url)).applied == []


async def test_timescaledb_is_created_where_the_server_offers_it(timescale_url: str) -> None:
    async with await connect(timescale_url) as conn:
        await conn.execute("DROP EXTENSION timescaledb")
    done = await migrate(timescale_url)
    assert (done.mode, done.notes) == ("timescale", [])


async def test_a_user_who_may_not_make_roles_is_told_so(own_postgres: RunningPostgres) -> None:
    async with await connect(own_postgres.url) as conn:
        await conn.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
        await conn.execute("GRANT ALL ON SCHEMA public TO modest")
    parts = urlsplit(own_postgres.url)
    modest = parts._replace(netloc=f"modest:modest@{parts.hostname}:{parts.port}").geturl()
    done = await migrate(modest)
    assert done.notes == [
        "The role lamplighter_reader is missing and this database user may not create roles:"
        " create it and migrate again."
    ]
    assert (await migrate(modest)).applied == []


async def test_processes_that_migrate_at_once_agree(empty_database: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database) for _ in range(4)))
    assert sorted(len(each.applied) for each in done) == [0, 0, 0, len(read())]


async def test_a_migration_that_fails_leaves_no_trace(empty_database: str, folder: Path) -> None:
    (folder / "9000_broken.sql").write_text("CREATE TABLE half_done (x int); SELECT 1 / 0;")
    with pytest.raises(errors.StorageError):
        await migrate(empty_database, folder=folder)
    async with await connect(empty_database) as conn:
        assert await table(conn, "SELECT to_regclass('half_done') IS NULL") == [(True,)]
        assert await table(conn, "SELECT count(*)::int FROM schema_migration") == [(len(read()),)]


async def test_a_newer_schema_is_one_sentence(database: str, folder: Path) -> None:
    (folder / "9000_future.sql").write_text("CREATE TABLE future (x int);")
    await migrate(database, folder=folder)
    sentence = "newer Lamplighter.*it has the migration 9000_future"
    with pytest.raises(errors.SchemaTooNew, match=sentence):
        await migrate(database)
    async with await connect(database) as conn:
        with pytest.raises(errors.SchemaTooNew, match=sentence):
            await check(conn)


async def test_an_altered_migration_is_refused(database: str, folder: Path) -> None:
    first = folder / "0001_registry.sql"
    first.write_text(first.read_text() + "-- a word more\n")
    with pytest.raises(errors.MigrationChanged, match="0001_registry"):
        await migrate(database, folder=folder)


async def test_a_database_without_schema_is_known_as_such(empty_database: str, database: str) -> None:
    async with await connect(empty_database) as conn:
        with pytest.raises(errors.SchemaMissing, match="lamplighter migrate"):
            await check(conn)
    async with await connect(database) as conn:
        await check(conn)


async def test_a_kind_without_a_migration_is_refused(database: str) -> None:
    with pytest.raises(errors.KindUndrafted, match="air_quality: What an air quality station reports"):
        await migrate(database, kinds=NEW)


@pytest.mark.parametrize("name", ["Berlin", "../etc", ""])
async def test_a_time_zone_exists(empty_database: str, name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        await migrate(empty_database, timezone=name)


async def test_the_time_zone_is_kept(empty_database: str) -> None:
    for wanted, kept in [(None, "Europe/Berlin"), ("Europe/Lisbon", "Europe/Lisbon"), (None, "Europe/Lisbon")]:
        await migrate(empty_database, timezone=wanted)
        async with await connect(empty_database) as conn:
            assert await table(conn, "SELECT timezone FROM city") == [(kept,)]


async def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(errors.Unavailable):
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")


async def test_both_modes_show_the_same_columns(database: str, timescale_database: str) -> None:
    statement = (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0"
        " AND NOT c.relispartition AND c.relname NOT LIKE '%%hourly_%%' ORDER BY c.relname, a.attnum"
    )
    async with await connect(database) as one, await connect(timescale_database) as other:
        native = await table(one, statement)
        assert native == await table(other, statement)
    names = {name for name, *_ in native}
    assert {f"{kind}{suffix}" for kind in KINDS for suffix in ("", "_hourly", "_daily")} <= names
