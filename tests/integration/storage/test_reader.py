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
