"""Fresh migrated databases for tests on a real PostgreSQL server."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

TEMPLATE = "lamplighter_template"
_numbers = itertools.count(1)

FAST_AND_CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "log_checkpoints": "off",
    "max_wal_size": "256MB",
    "max_connections": "200",
}
"""Server settings of a database whose machine never loses power, because it lives for one test run."""


def url_of(server_url: str, database: str) -> str:
    """The connection string of another database of the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema, as `lamplighter migrate` does."""
    from storage.migrate import migrate as storage_migrate

    asyncio.run(storage_migrate(url))


@contextmanager
def fresh_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """A database of its own, copied from `template` if one is given; dropped at the end, whoever is connected."""
    name = f"lamplighter_test_{os.getpid()}_{next(_numbers)}"
    create_database(server_url, name, template)
    try:
        yield url_of(server_url, name)
    finally:
        drop_database(server_url, name)


def create_database(server_url: str, name: str, template: str | None = None) -> None:
    """Create the database `name`, in place of one that a killed run may have left."""
    drop_database(server_url, name)
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        copied = sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        statement = statement + copied
    _execute(server_url, statement)


def drop_database(server_url: str, name: str) -> None:
    """Drop the database `name` if it is there, whoever is connected."""
    _execute(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
