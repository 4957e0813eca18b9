"""A new or changed kind is one file and the migration that is drafted from it."""

import datetime as dt
import shutil
from pathlib import Path

import psycopg
import pytest

from storage import migrate as schema
from storage.lifecycle import KEEPERS
from storage.migrate import MIGRATIONS, draft, migrate, write_draft
from storage.pool import Connection, connect
from telemetry.kind import Kind
from tests.integration.storage.rows import at, table
from tests.migration.kinds import LATER, NEW, RETYPED, AirQualityLater

MOMENT = at("2026-11-23 09:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations that a draft is written to."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


@pytest.fixture(params=["empty_database", "timescale_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


async def definition(conn: Connection, name: str) -> list[tuple[object, ...]]:
    """Columns and constraints of a table as PostgreSQL spells them."""
    columns = await table(
        conn,
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attname",
        name,
    )
    checks = await table(
        conn,
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('c', 'p') ORDER BY conname",
        name,
    )
    return [*columns, *checks]


def test_nothing_new_drafts_nothing(folder: Path) -> None:
    assert draft(folder) == ""
    assert write_draft(folder) is None


def test_the_observations_of_today_are_as_drafted(tmp_path: Path) -> None:
    committed = (MIGRATIONS / "0004_observations.sql").read_text()
    assert committed.endswith(draft(tmp_path))


def test_a_drafted_kind_needs_no_other_draft(folder: Path) -> None:
    path = write_draft(folder, NEW)
    assert path is not None
    number = schema.read()[-1].number
    assert path.name == f"{number + 1:04}_air_quality.sql"
    assert draft(folder, NEW) == ""
    assert write_draft(folder, NEW) is None


def test_a_changed_kind_is_altered(folder: Path) -> None:
    write_draft(folder, NEW)
    path = write_draft(folder, LATER)
    assert path is not None
    assert path.name.endswith("_air_quality_changed.sql")
    assert path.read_text().splitlines() == [
        "-- air_quality: What an air quality station reports.",
        "ALTER TABLE air_quality DROP CONSTRAINT air_quality_pm2_5_ug_m3_range;",
        "ALTER TABLE air_quality ADD CONSTRAINT air_quality_pm2_5_ug_m3_range"
        " CHECK (pm2_5_ug_m3 >= 0 AND pm2_5_ug_m3 <= 2000);",
        "ALTER TABLE air_quality ADD COLUMN no2_ug_m3 double precision;",
        "ALTER TABLE air_quality ADD CONSTRAINT air_quality_no2_ug_m3_range"
        " CHECK (no2_ug_m3 >= 0 AND no2_ug_m3 <= 500);",
        "ALTER TABLE air_quality ADD COLUMN runtime_h double precision;",
        "ALTER TABLE air_quality ADD CONSTRAINT air_quality_runtime_h_range"
        " CHECK (runtime_h >= 0 AND runtime_h < 'Infinity');",
    ]
    assert draft(folder, LATER) == ""


def test_a_field_that_is_gone_keeps_its_column(folder: Path) -> None:
    write_draft(folder, LATER)
    assert draft(folder, NEW).splitlines()[1:] == [
        "ALTER TABLE air_quality DROP CONSTRAINT air_quality_pm2_5_ug_m3_range;",
        "ALTER TABLE air_quality ADD CONSTRAINT air_quality_pm2_5_ug_m3_range"
        " CHECK (pm2_5_ug_m3 >= 0 AND pm2_5_ug_m3 <= 1000);",
    ]


def test_a_field_keeps_its_type(folder: Path) -> None:
    write_draft(folder, NEW)
    with pytest.raises(ValueError, match=r"air_quality.pm2_5_ug_m3 has changed its type: give the field a new name"):
        draft(folder, RETYPED)


async def test_a_drafted_kind_is_kept_like_the_others(url: str, folder: Path) -> None:
    write_draft(folder, NEW)
    mode = (await migrate(url, folder=folder, kinds=NEW)).mode
    async with await connect(url) as conn:
        await put(conn, mode, "pm2_5_ug_m3, humid", "11.5, true")
        columns = "count, pm2_5_ug_m3_avg, humid_true_count"
        for relation in ("air_quality_hourly", "air_quality_daily"):
            await conn.execute(f"SELECT asset_id, bucket, {columns} FROM {relation}")
        await conn.execute("SELECT pm2_5_ug_m3_max, humid_n FROM zone_daily")
        assert await table(conn, "SELECT report_every_s FROM kind WHERE kind = 'air_quality'") == [(600,)]
        assert await table(
            conn, "SELECT has_table_privilege('lamplighter_reader', 'air_quality_hourly', 'SELECT')"
        ) == [(True,)]


async def test_a_kind_may_grow_while_it_has_rows(url: str, folder: Path) -> None:
    write_draft(folder, NEW)
    mode = (await migrate(url, folder=folder, kinds=NEW)).mode
    async with await connect(url) as conn:
        await put(conn, mode, "pm2_5_ug_m3", "11.5")
        await hourly(conn, mode)
    write_draft(folder, LATER)
    await migrate(url, folder=folder, kinds=LATER)
    async with await connect(url) as conn:
        await put(conn, mode, "pm2_5_ug_m3, no2_ug_m3", "1500, 40", minutes=1)
        with pytest.raises(psycopg.errors.CheckViolation):
            await put(conn, mode, "pm2_5_ug_m3, no2_ug_m3", "1500, 501", minutes=2)
        await hourly(conn, mode)
        (row,) = await table(
            conn, "SELECT count, pm2_5_ug_m3_max, no2_ug_m3_avg, runtime_h_delta FROM air_quality_hourly"
        )
        assert row == (2, 1500.0, 40.0, None)


async def test_hours_whose_rows_are_gone_outlive_the_widening(timescale_url: str, folder: Path) -> None:
    write_draft(folder, NEW)
    await migrate(timescale_url, folder=folder, kinds=NEW)
    async with await connect(timescale_url) as conn:
        await put(conn, "timescale", "pm2_5_ug_m3", "11.5", minutes=-60 * 24 * 30)
        await put(conn, "timescale", "pm2_5_ug_m3", "12.5")
        await hourly(conn, "timescale")
        await conn.execute("SELECT drop_chunks('air_quality', older_than => %s)", (MOMENT - dt.timedelta(days=10),))
        await conn.execute(
            "INSERT INTO raw_horizon VALUES ('air_quality', %s, %s)", (MOMENT - dt.timedelta(days=10), MOMENT)
        )
    write_draft(folder, LATER)
    await migrate(timescale_url, folder=folder, kinds=LATER)
    async with await connect(timescale_url) as conn:
        keeper, kind = KEEPERS["timescale"](), LATER["air_quality"]
        await keeper.refresh(conn, kind, MOMENT - dt.timedelta(days=10), MOMENT + dt.timedelta(hours=1))
        rows = await table(conn, "SELECT pm2_5_ug_m3_avg, no2_ug_m3_n FROM air_quality_hourly ORDER BY bucket")
        assert rows == [(11.5, None), (12.5, 0)]


async def test_a_table_that_grew_is_as_one_that_was_made_so(postgres_pair: tuple[str, str], folder: Path) -> None:
    grown, made = postgres_pair
    write_draft(folder, NEW)
    write_draft(folder, LATER)
    await migrate(grown, folder=folder, kinds=LATER)
    fresh = folder.parent / "fresh"
    shutil.copytree(MIGRATIONS, fresh)
    write_draft(fresh, LATER)
    await migrate(made, folder=fresh, kinds=LATER)
    async with await connect(grown) as one, await connect(made) as other:
        assert await definition(one, "air_quality") == await definition(other, "air_quality")


async def put(conn: Connection, mode: str, names: str, values: str, minutes: int = 0) -> None:
    """Store one row of air quality by hand."""
    if mode == "native":
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS air_quality_2026_11 PARTITION OF air_quality"
            " FOR VALUES FROM ('2026-11-01 00:00Z') TO ('2026-12-01 00:00Z')"
        )
    moment = MOMENT + dt.timedelta(minutes=minutes)
    await conn.execute(
        "INSERT INTO asset (asset, kind) VALUES ('air-1', 'air_quality') ON CONFLICT DO NOTHING",
    )
    await conn.execute(
        f"INSERT INTO air_quality (asset_id, observed_at, received_at, {names}) VALUES (1, %s, %s, {values})",
        (moment, moment),
    )


async def hourly(conn: Connection, mode: str) -> None:
    """Bring the hours of air quality up to date."""
    kind = Kind(AirQualityLater) if await _has_no2(conn) else NEW["air_quality"]
    keeper = KEEPERS[mode]()
    await keeper.refresh(conn, kind, None, MOMENT + dt.timedelta(hours=1))
    await keeper.sum_up(conn, kind, [MOMENT])


async def _has_no2(conn: Connection) -> bool:
    rows = await table(
        conn, "SELECT FROM pg_attribute WHERE attrelid = 'air_quality'::regclass AND attname = 'no2_ug_m3'"
    )
    return bool(rows)
