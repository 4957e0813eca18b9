"""The role that Grafana connects as reads the contract's relations and nothing else."""

import psycopg
import pytest

from storage import reader
from storage.pool import Connection
from telemetry.kinds import KINDS
from tests.integration.storage.rows import table

READABLE = {
    *("zone", "asset", "device", "installation", "zone_daily", "latest", "report_interval", "parking_zone_now"),
    *("alarm", "alarm_event", "command", "quarantine", "ledger", "ledger_check", "rule_version", "rule_activation"),
    *("rollup_check", "ingest_instance", "self_probe"),
    *(f"{kind}{suffix}" for kind in KINDS for suffix in ("", "_hourly", "_daily")),
}


async def test_the_reader_may_select_from_the_contracts_relations_only(conn: Connection) -> None:
    rows = await table(
        conn,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT relispartition AND has_table_privilege('lamplighter_reader', oid, 'SELECT')",
    )
    assert {name for (name,) in rows} == READABLE


async def test_the_reader_reads_them(conn: Connection) -> None:
    await conn.execute("SET ROLE lamplighter_reader")
    try:
        for relation in sorted(READABLE):
            await conn.execute(f"SELECT * FROM {relation} LIMIT 1")
    finally:
        await conn.execute("RESET ROLE")


async def test_a_zones_word_grows_stale_as_it_does_in_the_api(conn: Connection) -> None:
    """Once the rules had stopped, SQL told the last free places for ever as if they had just been counted."""

    async def stale() -> list[tuple[object, ...]]:
        return await table(conn, "SELECT zone, stale FROM parking_zone_now ORDER BY zone")

    await conn.execute(
        "INSERT INTO zone_availability (zone, updated_at, document)"
        " SELECT zone, now() - age * interval '1 second', jsonb_build_object('stale', said)"
        " FROM (VALUES ('fresh', 30, false), ('old', 90, false), ('unsure', 0, true)) AS z (zone, age, said)"
    )
    await conn.execute("SET ROLE lamplighter_reader")
    try:
        assert await stale() == [("fresh", False), ("old", True), ("unsure", True)]
    finally:
        await conn.execute("RESET ROLE")
    await conn.execute("UPDATE city SET ttl_s = 120")
    assert await stale() == [("fresh", False), ("old", False), ("unsure", True)]
    await conn.execute("UPDATE city SET ttl_s = 20")
    await conn.execute("INSERT INTO city_clock (start_at, anchor_at, speed) VALUES (now(), now(), 20)")
    assert await stale() == [("fresh", False), ("old", False), ("unsure", True)], "20 s of a fast clock are a moment"
    await conn.execute("DELETE FROM city_clock")


async def test_the_reader_may_not_write_or_look_elsewhere(conn: Connection) -> None:
    await conn.execute("SET ROLE lamplighter_reader")
    try:
        for statement in (
            "INSERT INTO zone VALUES ('x', 'X')",
            "DELETE FROM alarm",
            "SELECT * FROM api_token",
            "SELECT * FROM audit",
            "CREATE TABLE mine (x int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(statement)
    finally:
        await conn.execute("RESET ROLE")


async def test_nobody_can_log_in_before_a_password_is_set(native: Connection) -> None:
    assert await table(
        native, "SELECT rolcanlogin, rolpassword, rolsuper FROM pg_authid WHERE rolname = %s", reader.ROLE
    ) == [(True, None, False)]
