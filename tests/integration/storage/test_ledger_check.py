"""The proof of the ledger: a day's account against the rows that are there, in both storage modes."""

import datetime as dt
import time

from storage import ledger
from storage.ledger import Check
from storage.ledger_check import check_day, check_due
from storage.lifecycle import Ages, maintain
from storage.pool import Connection, Pool
from telemetry.clock import to_us
from tests.integration.storage.rows import at, register, store, table

BAY = ("bay-1", "parking_bay", "south")
LAMP = ("lamp-2", "streetlight", "south")
FREE = {"occupied": False}
LIT = {"level_pct": 40.0}
NOW = at("2026-11-23 09:20")
TODAY = NOW.date()


async def book(conn: Connection, day: dt.date, **figures: int) -> None:
    """Add to a day's account, as the writer does."""
    sums = ", ".join(f"{name} = ledger.{name} + excluded.{name}" for name in figures)
    await conn.execute(
        f"INSERT INTO ledger (day, {', '.join(figures)}) VALUES (%s, {', '.join(['%s'] * len(figures))})"
        f" ON CONFLICT (day) DO UPDATE SET {sums}",
        (day, *figures.values()),
    )


async def honest_day(conn: Connection, end: dt.datetime) -> None:
    """Five rows of two kinds received before `end`, one of them for the second time; one more refused and kept."""
    moments = [end - dt.timedelta(minutes=minutes) for minutes in (1, 2, 3)]
    await store(conn, "parking_bay", [(1, moment, FREE) for moment in moments])
    await store(conn, "streetlight", [(2, moment, LIT) for moment in moments[:2]])
    await refuse(conn, moments[0])
    await book(conn, moments[0].date(), received=8, stored=5, duplicate=1, quarantined=2, unkept=1)


async def refuse(conn: Connection, moment: dt.datetime) -> None:
    await conn.execute(
        "INSERT INTO quarantine (day, received_at, topic, digest, element, reason, detail, payload)"
        " VALUES (%s, %s, 't', 'd', 0, 'wrong_type', '', '')",
        (moment.date(), moment),
    )


async def due(conn: Connection, now: dt.datetime) -> int:
    """Check what is due, without haste."""
    return await check_due(conn, to_us(now), time.monotonic() + 60)


async def differing(conn: Connection) -> list[dt.date]:
    return [each.day for each in await ledger.differing(conn)]


DEFECTS = {
    "a row is deleted": (
        "DELETE FROM streetlight WHERE observed_at = (SELECT max(observed_at) FROM streetlight)",
        "INSERT INTO streetlight (asset_id, observed_at, received_at, level_pct)"
        " VALUES (2, '2026-11-23 09:19Z', '2026-11-23 09:19Z', 40)",
        {"rows_found": 4},
    ),
    "a row comes past the writer": (
        "INSERT INTO parking_bay (asset_id, observed_at, received_at, occupied)"
        " VALUES (1, '1987-01-01 00:00Z', '2026-11-23 08:00Z', true)",
        "DELETE FROM parking_bay WHERE observed_at < '2000-01-01'",
        {"rows_found": 6},
    ),
    "a refused uplink is lost": (
        "CREATE TABLE aside AS TABLE quarantine; DELETE FROM quarantine",
        "INSERT INTO quarantine OVERRIDING SYSTEM VALUE TABLE aside",
        {"quarantine_found": 0},
    ),
    "an observation gets no fate": (
        "UPDATE ledger SET received = received + 3",
        "UPDATE ledger SET received = received - 3",
        {"without_fate": 3},
    ),
}


async def test_an_honest_day_balances_and_each_defect_shows_until_it_is_mended(conn: Connection) -> None:
    await register(conn, BAY, LAMP)
    await store(conn, "parking_bay", [(1, at("1987-01-02 00:00"), FREE)])  # of another day of receipt
    await honest_day(conn, NOW)
    honest = Check(NOW, 0, 5, 5, 1, 1, None)
    assert await check_day(conn, TODAY, to_us(NOW)) == honest
    for name, (defect, mend, found) in DEFECTS.items():
        await conn.execute(defect)
        first = await check_day(conn, TODAY, to_us(NOW))
        assert first.figures() == honest.figures() | found, name
        later = await check_day(conn, TODAY, to_us(NOW) + 60_000_000)
        assert not later.balances, name
        assert later.differs_since == NOW, "since when is kept"
        assert await differing(conn) == [TODAY], name
        await conn.execute(mend)
        assert (await check_day(conn, TODAY, to_us(NOW))).balances, name
        assert await differing(conn) == [], name


async def test_a_day_is_checked_by_the_hour_and_once_it_has_closed(native: Connection) -> None:
    await register(native, BAY, LAMP)
    await honest_day(native, NOW)
    assert await due(native, NOW) == 1
    assert await due(native, NOW + dt.timedelta(minutes=59)) == 0
    assert await due(native, NOW + dt.timedelta(minutes=60)) == 1
    midnight = at("2026-11-24 00:00")
    assert await due(native, midnight - dt.timedelta(minutes=5)) == 1
    assert await due(native, midnight + dt.timedelta(minutes=4)) == 0
    assert await due(native, midnight + dt.timedelta(minutes=5)) == 1
    assert await due(native, midnight + dt.timedelta(days=30)) == 0


async def test_a_closed_day_is_checked_again_where_a_batch_was_committed_late(native: Connection) -> None:
    await register(native, BAY, LAMP)
    await honest_day(native, NOW)
    closed = at("2026-11-24 00:30")
    await due(native, closed)
    await store(native, "parking_bay", [(1, at("2026-11-23 23:59"), FREE)])
    await book(native, TODAY, received=1, stored=1)
    assert await due(native, closed + dt.timedelta(hours=1)) == 1
    assert await due(native, closed + dt.timedelta(hours=3)) == 0
    assert await differing(native) == []


async def test_what_gets_no_fate_is_noticed_at_once_and_a_difference_is_looked_at_by_the_hour(
    native: Connection,
) -> None:
    await book(native, TODAY, received=1)
    await due(native, at("2026-11-25 00:00"))
    assert await differing(native) == [TODAY]
    await book(native, TODAY, quarantined=1, unkept=1)
    assert await due(native, at("2026-11-25 00:01")) == 1
    assert await differing(native) == []
    await native.execute("UPDATE ledger SET stored = 1, duplicate = -1")
    assert await due(native, at("2026-11-25 01:01")) == 1
    assert await differing(native) == [TODAY]
    await native.execute("UPDATE ledger_check SET rows_expected = 1")
    assert await due(native, at("2026-11-25 02:00")) == 0
    assert await due(native, at("2026-11-25 02:01")) == 1


async def test_what_retention_drops_and_compression_packs_is_no_difference(conn: Connection, pool: Pool) -> None:
    await register(conn, BAY)
    old = [NOW - dt.timedelta(days=days) for days in (400, 395, 60, 30)]
    await store(conn, "parking_bay", [(1, moment, FREE) for moment in old])
    await conn.execute("UPDATE parking_bay SET received_at = %s", (NOW,))
    await store(conn, "parking_bay", [(1, NOW, FREE)])
    await book(conn, TODAY, received=5, stored=5)
    done = await maintain(pool, to_us(NOW), ages=Ages(raw_days=300, compress_days=14))
    assert (done.dropped > 0, done.days_checked) == (True, 1)
    check = await check_day(conn, TODAY, to_us(NOW))
    assert (check.balances, check.rows_expected) == (True, 3)
    assert await table(conn, "SELECT rows_retired FROM ledger WHERE day = %s", TODAY) == [(2,)]
    await conn.execute("DELETE FROM parking_bay WHERE observed_at = %s", (old[-1],))
    assert not (await check_day(conn, TODAY, to_us(NOW))).balances
