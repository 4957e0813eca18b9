"""Every named statement is understood by the migrated database, so that no typing mistake waits for its hour."""

import re

import psycopg
import pytest

from storage import queries
from storage.pool import Connection
from tests.unit.storage.test_queries import FILES

OTHERS = {"migrate", "timescale"}
"""Files whose statements are no queries or only hold on servers of their own kind."""
STAGES = {"registry_import": ("stage", "plan_zones", "plan_assets", "plan_retiring")}
"""Statements that make the temporary tables of which the others of their file speak."""
FILLED_IN = re.compile(r"\{\w+\}")
PREPARABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES)\b", re.IGNORECASE)


def numbered(statement: str) -> str:
    """psycopg's parameters as PostgreSQL's own."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1] or f"?{len(names)}"
        return f"${names.setdefault(name, len(names) + 1)}"

    return re.sub(r"%(?:\((\w+)\))?[sbt]", number, statement).replace("%%", "%")


def statements(file: str) -> dict[str, str]:
    """Those of a file that stand on their own, by name."""
    found = queries.load(file).items()
    return {name: numbered(text) for name, text in found if PREPARABLE.match(text) and not FILLED_IN.search(text)}


@pytest.mark.parametrize("file", [file for file in FILES if file not in OTHERS and statements(file)])
async def test_the_database_understands(native: Connection, file: str) -> None:
    for stage in STAGES.get(file, ()):
        text = queries.load(file)[stage]
        await native.execute(text, {"retire_missing": False} if "%(" in text else None)
    for name, statement in statements(file).items():
        try:
            await native.execute(f"PREPARE {file}_{name} AS {statement}".encode())
        except psycopg.errors.IndeterminateDatatype:
            continue  # the type of a parameter is only known from its value
        except psycopg.Error as error:
            pytest.fail(f"{file}.{name}: {error}")
