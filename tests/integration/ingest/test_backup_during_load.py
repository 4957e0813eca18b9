"""A backup taken while devices speak and alarms are raised is the state of one moment, and is restored as such."""

import asyncio
import datetime as dt
import io
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg.types.json import Jsonb

from lamplighter.embedded.postgres import RunningPostgres
from storage import ledger, migrate
from storage.backup import archive, restoring, taking
from storage.ledger_check import check_day
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.integration.ingest.conftest import City, Ingest, now
from tests.integration.storage.rows import table
from tests.parts.databases import fresh_database
from tests.parts.patience import eventually

STATES = ("unacknowledged", "acknowledged", "returned_unacknowledged", "normal", "shelved")


async def speak(city: City) -> int:
    """Send history of two lamps in arrays, as fast as they are taken, until cancelled; returns how many were sent."""
    sent = 0
    try:
        for moment in itertools.count(now() // 1000 - 10**9, 1000):
            readings = [{"ts": moment + step, "level_pct": step % 100} for step in range(200)]
            await asyncio.gather(*(city.telemetry("streetlight", lamp, readings) for lamp in ("L1", "L2")))
            sent += 2 * len(readings)
    except asyncio.CancelledError:
        pass
    return sent


async def alarm(database: str) -> None:
    """Raise alarms in all states, each with its event in one transaction, until cancelled."""
    raised = "INSERT INTO alarm (id, subject, type, severity, state, raised_at, observed_at, why)"
    async with await connect(database) as conn:
        for number in itertools.count():
            moment, state = to_datetime(now()), STATES[number % len(STATES)]
            async with conn.transaction():
                values = (f"a{number}", f"asset:{number}", "drain_high", "critical", state, moment, moment, Jsonb({}))
                await conn.execute(f"{raised} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", values)
                event = "INSERT INTO alarm_event (alarm_id, at, event, state) VALUES (%s, %s, 'raise', %s)"
                await conn.execute(event, (f"a{number}", moment, state))


@asynccontextmanager
async def under_load(city: City, database: str) -> AsyncIterator["asyncio.Task[int]"]:
    tasks = asyncio.create_task(speak(city)), asyncio.create_task(alarm(database))
    try:
        yield tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_backup_during_load_is_restored_as_it_was_at_one_moment(
    ingest: Ingest, city: City, database: str, postgres: RunningPostgres
) -> None:
    file = io.BytesIO()

    async def much_is_there() -> None:
        assert (await city.rows("SELECT count(*) > 4000 FROM streetlight")) == [(True,)]

    async with under_load(city, database) as speaking:
        await eventually(much_is_there)
        manifest = await taking.take(database, file, made_at=dt.datetime.now(dt.UTC), files={"note.txt": b"hello"})
        before = manifest.tables["streetlight"].rows
        await eventually(much_more_is_there(city, before))
    account = await city.settled(await speaking)
    assert 4000 < before < account["stored"], "it was taken in between"

    file.seek(0)
    assert archive.verify(file) == manifest
    with fresh_database(postgres.url) as elsewhere:
        file.seek(0)
        done = await restoring.restore(elsewhere, file, manifest)
        assert done.rows == {name: each.rows for name, each in manifest.tables.items() if each.rows}
        await is_one_moment(elsewhere, city, before)
    file.seek(0)
    assert dict(archive.operators_files(file)) == {"note.txt": b"hello"}


def much_more_is_there(city: City, before: int) -> Any:
    async def attempt() -> None:
        assert (await city.rows("SELECT count(*) > %s FROM streetlight", before + 2000)) == [(True,)]

    return attempt


async def is_one_moment(elsewhere: str, city: City, before: int) -> None:
    async with await connect(elsewhere) as conn:
        await migrate.check(conn)
        rows = await table(conn, "SELECT * FROM streetlight")
        assert len(rows) == before
        assert set(rows) <= set(await city.rows("SELECT * FROM streetlight")), "every row as it was"
        booked = "SELECT received = stored + duplicate + quarantined, stored FROM ledger"
        assert await table(conn, booked) == [(True, before)]
        for day in await ledger.days(conn):
            assert (await check_day(conn, day.day, now())).balances, "the account and the rows are of one moment"
        latest = "SELECT asset_id, max(observed_at) FROM streetlight GROUP BY 1 ORDER BY 1"
        assert await table(conn, latest) == await table(
            conn, "SELECT asset_id, observed_at FROM latest_observation ORDER BY 1"
        )
        alarms = await table(conn, "SELECT id, state FROM alarm ORDER BY raised_at, id")
        assert alarms == (await city.rows("SELECT id, state FROM alarm ORDER BY raised_at, id"))[: len(alarms)]
        assert alarms == await table(conn, "SELECT alarm_id, state FROM alarm_event ORDER BY at, alarm_id")
        assert {state for _, state in alarms} == set(STATES)
        await conn.execute("INSERT INTO asset (asset, kind) VALUES ('new', 'streetlight')")  # numbered on
