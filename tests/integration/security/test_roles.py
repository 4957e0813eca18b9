"""Each service has its own role in the database, and that role every right that the service needs, and no other."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from ingest import statements as written
from lamplighter.embedded.postgres import RunningPostgres
from storage import queries, roles
from telemetry.kinds import KINDS
from tests.parts import databases, reach

MAINTAINED = {"native", "timescale"}
"""Statements about old data are the owner's, but for those by which ingest comes to its partitions."""
OF_INGEST = {"lock_partitions", "partitions", "make_partition"}
OF_THE_COMMAND_LINE = {("ingest", "replayable"), ("ingest", "claim"), ("ingest", "mark_replayed"), ("ledger", "retire")}
PLACEHOLDER = re.compile(r"%\(\w+\)[sb]|%[sb]")
NOT_EXPLAINED = re.compile(r"\s*(LOCK|NOTIFY)")


@pytest.fixture(scope="module")
def served(role_server: RunningPostgres) -> Iterator[str]:
    """A database whose server knows the roles."""
    with databases.fresh_database(role_server.url) as database:
        make_roles(database)
        databases.migrate(database)
        yield database


def make_roles(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for service in roles.RIGHTS:
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (roles.role_of(service),))
            if not known.rowcount:
                connection.execute(f"CREATE ROLE {roles.role_of(service)}")  # type: ignore[arg-type]


def statements(service: str) -> Iterator[tuple[str, str]]:
    """What a service may send, by name; kinds are filled in."""
    for file, name in sorted(reach.statements(service) - OF_THE_COMMAND_LINE):
        path = reach.ROOT / "storage" / "queries" / f"{file}.sql"
        if not path.exists() or name not in queries.load(file) or (file in MAINTAINED and name not in OF_INGEST):
            continue
        text = queries.load(file)[name]
        yield f"{file} {name}", text.replace("{kind}", "streetlight").replace("{relation}", "streetlight_daily")
    if service == "ingest":
        of_kind = written.of(KINDS["streetlight"])
        yield from [("insert", of_kind.insert), ("conflicting", of_kind.conflicting)]
        yield from [("redelivered", of_kind.redelivered), ("follow", written.FOLLOW), ("conclude", written.CONCLUDE)]


NOT_PLAIN = {"registry snapshot", "history_reading acknowledged"}
"""Beside those that are whole only with more than a kind: the city of `test_city` sends them."""


@pytest.mark.parametrize("service", roles.RIGHTS)
def test_every_statement_of_a_service_is_within_its_rights(served: str, service: str) -> None:
    refused = []
    with psycopg.connect(served) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {roles.role_of(service)}")  # type: ignore[arg-type]
        for name, text in statements(service):
            plain = PLACEHOLDER.sub("NULL", text)
            verb = "" if NOT_EXPLAINED.match(plain) else "EXPLAIN "
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(verb + plain)  # type: ignore[arg-type]
            except psycopg.errors.InsufficientPrivilege as error:
                refused.append(f"{name}: {error}")
            except psycopg.ProgrammingError:
                assert "{" in text or name in NOT_PLAIN, name
    assert refused == []


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("ingest", "SELECT * FROM api_token"),
        ("ingest", "UPDATE device SET device = 'mine'"),
        ("ingest", "DELETE FROM streetlight"),
        ("ingest", "INSERT INTO command SELECT * FROM command"),
        ("ingest", "CREATE TABLE mine (x int)"),
        ("ingest", "SELECT make_partition('streetlight', 'alarm', NULL, now())"),
        ("gateway", "INSERT INTO streetlight SELECT * FROM streetlight"),
        ("gateway", "SELECT * FROM alarm"),
        ("gateway", "SELECT make_partition('streetlight', 'streetlight_2031_01', '2031-01-01', '2031-02-01')"),
        ("rules", "INSERT INTO streetlight SELECT * FROM streetlight"),
        ("rules", "DELETE FROM alarm_event"),
        ("rules", "SELECT * FROM api_token"),
        ("api", "INSERT INTO api_token SELECT * FROM api_token"),
        ("api", "UPDATE api_token SET role = 'admin'"),
        ("api", "DELETE FROM audit"),
        ("api", "UPDATE alarm SET raised_at = now()"),
        ("api", "UPDATE asset SET retired_at = now()"),
    ],
)
def test_a_service_that_was_taken_over_may_not(served: str, service: str, statement: str) -> None:
    refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)
    with psycopg.connect(served) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {roles.role_of(service)}")  # type: ignore[arg-type]
        with pytest.raises(refused):
            connection.execute(statement)  # type: ignore[arg-type]


def test_under_timescaledb_the_same_rights_suffice(timescale_database: str) -> None:
    """Chunks and aggregates are made by the owner's rights, whoever writes."""
    make_roles(timescale_database)
    databases.migrate(timescale_database)
    with psycopg.connect(timescale_database, autocommit=True) as connection:
        connection.execute("SET ROLE lamplighter_ingest")
        for month in (1, 2):
            connection.execute(
                "INSERT INTO streetlight (asset_id, observed_at, received_at, level_pct)"
                f" VALUES (1, '2026-{month:02}-03', '2026-{month:02}-03', 70) ON CONFLICT DO NOTHING RETURNING asset_id"
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT drop_chunks('streetlight', older_than => now())")
        connection.execute("SET ROLE lamplighter_api")
        for relation in ("streetlight", "streetlight_hourly", "streetlight_daily", "latest"):
            connection.execute(f"SELECT * FROM {relation}")
        connection.execute("RESET ROLE")
