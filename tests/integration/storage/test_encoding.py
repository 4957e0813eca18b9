"""A database that does not keep UTF-8 is refused before anything is made in it."""

import psycopg
import pytest

from lamplighter.embedded.postgres import RunningPostgres
from storage import errors
from storage.migrate import migrate


@pytest.fixture
def ascii_database(postgres: RunningPostgres) -> str:
    with psycopg.connect(postgres.url, autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS ascii_city")
        conn.execute(
            "CREATE DATABASE ascii_city TEMPLATE template0 "
            "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    return postgres.url_of("ascii_city")


async def test_a_database_in_ascii_is_refused_with_the_mend(ascii_database: str) -> None:
    with pytest.raises(errors.EncodingUnfit, match="createdb --encoding=UTF8"):
        await migrate(ascii_database)
    with psycopg.connect(ascii_database) as conn:
        tables = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables is not None
    assert tables[0] in (0, b"0")
