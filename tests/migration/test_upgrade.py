"""Every released schema is upgraded to today's with all that it holds, in place and by way of a backup.

A release is a prefix of the migrations. A city grows through all of them; a copy of it is taken at each.
"""

import datetime as dt
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager

from lamplighter.embedded.postgres import RunningPostgres
from storage import lifecycle, queries, relations
from storage.backup import content, restoring, taking
from storage.migrate import apply, migrate, read
from storage.pool import Connection, connect, open_pool
from telemetry.clock import to_us
from telemetry.kinds import KINDS
from tests.integration.storage.rows import at, table
from tests.migration.populations import PARTITION, POPULATIONS
from tests.parts.databases import create_database, drop_database, fresh_database, url_of

FIRST_WITH_ROWS = 5
"""Older schemas had no place for what `migrate` makes beside migrations; nobody was served by one."""
BY_BACKUP = (5, 12, 16)
CITY = queries.load("city")
MADE_ANEW = frozenset({"registry_version", "rule_lead", "kind"})
"""What a restore or the newest release writes itself."""
NOT_FILLED = frozenset({"zone_daily"})
"""What maintenance makes; a kind like another is not filled either."""
DEFINITION = """
    WITH ours AS (
        SELECT c.oid, c.relname, c.relkind, c.relacl FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
    )
    SELECT relname, 'grants', relacl::text FROM ours WHERE relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT relname, attname, format_type(atttypid, atttypmod) || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '')
    FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT relname, conname, pg_get_constraintdef(k.oid) FROM ours JOIN pg_constraint k ON conrelid = ours.oid
    UNION ALL
    SELECT relname, 'index', pg_get_indexdef(oid) FROM ours WHERE relkind IN ('i', 'I')
    UNION ALL
    SELECT relname, 'view', pg_get_viewdef(oid) FROM ours WHERE relkind = 'v'
    UNION ALL
    SELECT relname, tgname, pg_get_triggerdef(t.oid) FROM ours
    JOIN pg_trigger t ON tgrelid = ours.oid AND NOT tgisinternal
    UNION ALL
    SELECT proname, 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3
"""


async def definition(url: str) -> list[tuple[object, ...]]:
    async with await connect(url) as conn:
        return await table(conn, DEFINITION)


async def rows_of(conn: Connection) -> dict[str, list[str]]:
    """All rows of all tables, each as JSON."""
    found = {}
    for name in (*content.own_tables(read()), *content.following()):
        if name not in MADE_ANEW and await relations.relkind(conn, name):
            rows = await table(conn, f"SELECT to_jsonb(t) FROM {name} t")
            found[name] = sorted(json.dumps(row, sort_keys=True) for (row,) in rows)
    return found


async def released(conn: Connection, number: int, mode: str) -> None:
    """Bring a database from one release to the next, with rows as that release would have written them."""
    await apply(conn, [each for each in read() if each.number <= number])
    if number == FIRST_WITH_ROWS:
        for kind in KINDS.values():
            await lifecycle.KEEPERS[mode]().adopt(conn, kind)
            await relations.make_daily(conn, kind)
            if mode == "native":
                await conn.execute(PARTITION.format(kind=kind.name))
        await relations.make_zone_daily(conn, KINDS.values())
        await conn.execute(CITY["settle"], {"timezone": "Europe/Berlin", "mode": mode})
    population = POPULATIONS.get(number, "")
    if mode == "timescale":  # there hours are made of rows
        population = "\n".join(line for line in population.splitlines() if "INTO streetlight_hourly" not in line)
    await conn.execute(population)


@contextmanager
def copy_of(server: str, name: str) -> Iterator[str]:
    create_database(server, f"{name}_copy", name)
    try:
        yield url_of(server, f"{name}_copy")
    finally:
        drop_database(server, f"{name}_copy")


async def test_every_release_is_upgraded_with_all_that_it_holds(postgres: RunningPostgres, database: str) -> None:
    wanted = await definition(database)
    name, newest = "lamplighter_test_releases", read()[-1].number
    create_database(postgres.url, name)
    held: dict[int, dict[str, list[str]]] = {}
    try:
        for number in range(1, newest + 1):
            async with await connect(postgres.url_of(name)) as conn:
                await released(conn, number, "native")
            if number >= FIRST_WITH_ROWS:
                with copy_of(postgres.url, name) as url:
                    held[number] = await upgraded(postgres, url, number)
                    assert await definition(url) == wanted, f"after {number}"
    finally:
        drop_database(postgres.url, name)
    empty = {table for table, rows in held[newest].items() if not rows} - NOT_FILLED
    assert not [name for name in empty if not name.startswith(("drain_level", "parking_bay"))], "give it rows"
    for number, found in held.items():
        for name, rows in found.items():
            assert set(rows) <= set(held[newest][name]), f"{name} of release {number}"
    assert len(held[FIRST_WITH_ROWS]["rule_activation"]) == 1, "what migration 15 made of the version that was active"


async def upgraded(postgres: RunningPostgres, url: str, number: int) -> dict[str, list[str]]:
    """The rows of a database after its upgrade; a backup of it as it was comes to the same."""
    file = io.BytesIO()
    if number in BY_BACKUP:
        manifest = await taking.take(url, file, made_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC), files={})
    done = await migrate(url)
    assert done.applied == [each.name for each in read() if each.number > number]
    async with await connect(url) as conn:
        found = await rows_of(conn)
    if number in BY_BACKUP:
        file.seek(0)
        with fresh_database(postgres.url) as elsewhere:
            restored = await restoring.restore(elsewhere, file, manifest)
            assert restored.schema.applied == done.applied
            async with await connect(elsewhere) as conn:
                assert await rows_of(conn) == found
            assert await definition(elsewhere) == await definition(url)
    return found


async def test_a_city_in_service_on_timescaledb_is_upgraded_with_all_that_it_holds(timescale_url: str) -> None:
    async with await connect(timescale_url) as conn:
        for number in range(1, FIRST_WITH_ROWS + 1):
            await released(conn, number, "timescale")
    assert (await migrate(timescale_url)).applied == [each.name for each in read() if each.number > FIRST_WITH_ROWS]
    async with await open_pool(timescale_url, size=2) as pool:
        await lifecycle.maintain(pool, to_us(at("2026-11-23 11:00")))
        async with pool.connection() as conn:
            latest = "SELECT observed_at, fields FROM latest WHERE asset_id = 1"
            assert await table(conn, latest) == [(at("2026-11-22 10:00"), {"level_pct": 40.0})]
            days = await table(conn, "SELECT level_pct_avg FROM streetlight_daily ORDER BY bucket")
            assert days == [(55.0,), (40.0,)]
            checked = "SELECT rows_expected, rows_found, differs_since FROM ledger_check"
            assert await table(conn, checked) == [(1, 1, None)]
