"""Backups: between storage modes, never of half a file, never over what is there."""

import datetime as dt
import io
import tarfile
from collections.abc import Iterator

import pytest

from lamplighter.embedded.postgres import RunningPostgres
from storage import errors, lifecycle
from storage.backup import archive, restoring, taking
from storage.backup.archive import Damaged, Manifest
from storage.migrate import check, migrate
from storage.pool import connect, open_pool
from telemetry.clock import to_us
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, random_rows, register, store, table
from tests.parts.databases import fresh_database

NOW = at("2026-11-23 09:20")
MADE_AT = dt.datetime(2026, 11, 23, 9, 20, tzinfo=dt.UTC)
SEEN = (
    *("zone", "asset", "device", "installation", "ledger", "raw_horizon", "rollup_dirty", "rollup_work"),
    *("latest_observation", "zone_daily"),
    *(f"{kind}{suffix}" for kind in KINDS for suffix in ("", "_hourly", "_daily")),
)


@pytest.fixture
def elsewhere(postgres: RunningPostgres) -> Iterator[str]:
    with fresh_database(postgres.url) as url:
        yield url


async def populate(url: str) -> None:
    """Two places with rows and rollups, of which the oldest month of rows is gone, and rows not yet summed up."""
    async with await connect(url) as conn:
        await register(conn, ("lamp-1", "streetlight", "north"), ("drain-1", "drain_level", "north"))
        for kind, asset in (("streetlight", 1), ("drain_level", 2)):
            for begin in ("2026-09-10 00:00", "2026-11-22 20:00"):
                await store(conn, kind, random_rows(kind, [asset], at(begin), 6, seed=asset, step_s=600))
        await conn.execute("INSERT INTO ledger (day, received) VALUES ('2026-11-22', 0)")
    async with await open_pool(url, size=2) as pool:
        await lifecycle.maintain(pool, to_us(NOW), ages=lifecycle.Ages(raw_days=30, compress_days=7))
        async with pool.connection() as conn:
            await store(conn, "streetlight", random_rows("streetlight", [1], at("2026-11-23 03:00"), 3, seed=9))


async def contents(url: str) -> dict[str, list[str]]:
    async with await connect(url) as conn:
        found = {}
        for name in SEEN:
            columns = await table(
                conn,
                "SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                name,
            )
            rows = await table(conn, f"SELECT ROW({columns[0][0]})::text FROM {name} ORDER BY 1")
            found[name] = [row for (row,) in rows]
        return found


async def backup_of(url: str) -> tuple[io.BytesIO, Manifest]:
    file = io.BytesIO()
    manifest = await taking.take(url, file, made_at=MADE_AT, files={})
    file.seek(0)
    return file, manifest


async def test_a_backup_moves_between_the_modes_and_loses_nothing(
    database: str, timescale_url: str, elsewhere: str
) -> None:
    await populate(database)
    wanted = await contents(database)
    async with await connect(database) as conn:
        gone = (
            "SELECT (SELECT min(bucket) FROM streetlight_hourly) < (SELECT min(observed_at) FROM streetlight) - '9 d'"
        )
        assert await table(conn, f"{gone}::interval") == [(True,)], "there are hours whose rows are gone"
    for source, target, mode in ((database, timescale_url, "timescale"), (timescale_url, elsewhere, "native")):
        file, manifest = await backup_of(source)
        done = await restoring.restore(target, file, manifest)
        assert done.schema.mode == mode
        found = await contents(target)
        for name in SEEN:
            if name.endswith("_hourly"):  # TimescaleDB shows hours that are not summed up yet, too
                assert set(found[name]) >= set(wanted[name]), f"{name} in {mode}"
            else:
                assert found[name] == wanted[name], f"{name} in {mode}"
        async with await connect(target) as conn:
            await check(conn)
    async with await open_pool(elsewhere, size=2) as pool:
        summed = await lifecycle.maintain(pool, to_us(NOW), ages=lifecycle.Ages(raw_days=30, compress_days=7))
    assert summed.days == 1, "what was to be summed up still is"


async def test_a_database_that_holds_anything_is_refused_and_left_as_it_is(database: str) -> None:
    file, manifest = await backup_of(database)
    with pytest.raises(errors.NotEmpty, match="restore into one that `createdb` has just made"):
        await restoring.restore(database, file, manifest)
    async with await connect(database) as conn:
        await check(conn)


async def test_services_refuse_a_database_whose_restore_was_broken_off(database: str, elsewhere: str) -> None:
    file, manifest = await backup_of(database)
    manifest.tables["asset"].rows += 1
    with pytest.raises(Damaged, match="of 1 rows of asset, 0 were restored"):
        await restoring.restore(elsewhere, file, manifest)
    async with await connect(elsewhere) as conn:
        with pytest.raises(errors.RestoreUnfinished):
            await check(conn)
    with pytest.raises(errors.RestoreUnfinished):
        await migrate(elsewhere)


async def test_a_file_that_is_not_as_it_was_written_is_refused(database: str) -> None:
    file, _ = await backup_of(database)
    whole = file.getvalue()
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        places = {entry.name: (entry.offset_data, entry.size) for entry in tar}
    for offset, size in places.values():
        bent = bytearray(whole)
        bent[offset + size // 2] ^= 1
        with pytest.raises(Damaged):
            archive.verify(io.BytesIO(bent))
        with pytest.raises(Damaged):
            archive.verify(io.BytesIO(whole[: offset + size // 2]))
        cut = whole[: offset - 512]  # as if the writer had died before this one
        with pytest.raises(Damaged, match=r"it has no end|cannot be read"):
            archive.verify(io.BytesIO(cut))
    for other in (b"", b"PGDMP", bytes(1024)):
        with pytest.raises(Damaged):
            archive.verify(io.BytesIO(other))
