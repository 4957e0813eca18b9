"""Every named statement is understood by the migrated database, so that no typing mistake waits for its hour."""

import re

import psycopg
import pytest

from storage import queries
from storage.pool import Connection
from tests.unit.storage.test_queries import FILES

OTHERS = {"migrate", "timescale", "survey"}
"""Files whose statements are no queries or only hold on servers of their own kind."""
FILLED_IN = re.compile(r"\{\w+\}")
PREPARABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES)\b", re.IGNORECASE)


def numbered(statement: str) -> str:
    """psycopg's parameters as PostgreSQL's own."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1] or f"?{len(names)}"
        return f"${names.setdefault(name, len(names) + 1)}"

    return re.sub(r"%(?:\((\w+)\))?[sbt]", number, statement).replace("%%", "%")


STATEMENTS = [
    pytest.param(numbered(statement), id=f"{file}.{name}")
    for file in FILES
    if file not in OTHERS
    for name, statement in queries.load(file).items()
    if PREPARABLE.match(statement) and not FILLED_IN.search(statement)
]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_database_understands(native: Connection, statement: str) -> None:
    try:
        await native.execute(f"PREPARE statement AS {statement}".encode())
    except psycopg.errors.IndeterminateDatatype:
        pytest.skip("the type of a parameter is only known from its value")
