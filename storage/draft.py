"""Drafting the migration for a new or changed kind by comparing the kinds with what the migrations so far make.

Only statements of the shape that a draft has are read back, so a draft can be made without a database.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from storage import tables
from telemetry.kind import Kind

_CREATE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)\n\);", re.MULTILINE | re.DOTALL)
_ALTER = re.compile(r"^ALTER TABLE (\w+) (.*?);$", re.MULTILINE)
_CHECK = re.compile(r"CONSTRAINT (\w+) CHECK \((.*)\)")


@dataclass(slots=True)
class Drawn:
    """An observation table as the migrations have made it: definitions of columns, conditions by constraint name."""

    columns: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)


def draft(migrations: Iterable[str], kinds: Iterable[Kind]) -> str:
    """The SQL that brings the tables of `migrations` (their texts, in order) to the kinds; empty if they agree.

    A field that is gone keeps its column. Raises `ValueError` where a field has changed its type: a new meaning needs a
    new name.
    """
    drawn = read(migrations)
    parts = []
    for kind in kinds:
        table = tables.of(kind)
        statements = _changes(table, drawn[kind.name]) if kind.name in drawn else [table.create_sql]
        if statements:
            parts.append("\n".join([f"-- {kind.name}: {kind.words}", *statements]))
    return "\n\n".join(parts) + "\n" if parts else ""


def read(migrations: Iterable[str]) -> dict[str, Drawn]:
    """The observation tables that the migrations make, by name."""
    drawn: dict[str, Drawn] = {}
    for text in migrations:
        for name, body in _CREATE.findall(text):
            if tables.OWN_COLUMNS[0].ddl in body:
                drawn[name] = _created(body)
        for name, change in _ALTER.findall(text):
            if name in drawn:
                _altered(drawn[name], change)
    return drawn


def number(folder: Path) -> int:
    """The number of the next migration."""
    return max((int(path.name[:4]) for path in folder.glob("[0-9]*.sql")), default=0) + 1


def write(folder: Path, kinds: Iterable[Kind]) -> Path | None:
    """Write the drafted migration into the folder as the next number; `None` if there is nothing to write."""
    kinds = list(kinds)
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("[0-9]*.sql"))]
    drawn = read(texts)
    changed = [kind for kind in kinds if draft(texts, [kind])]
    if not changed:
        return None
    word = "_and_".join(kind.name for kind in changed)
    new = all(kind.name not in drawn for kind in changed)
    path = folder / f"{number(folder):04}_{word}{'' if new else '_changed'}.sql"
    path.write_text(draft(texts, kinds), encoding="utf-8")
    return path


def _created(body: str) -> Drawn:
    drawn = Drawn()
    for line in body.split("\n"):
        entry = line.strip().rstrip(",")
        check = _CHECK.fullmatch(entry)
        if check:
            drawn.checks[check[1]] = check[2]
        elif not entry.startswith("PRIMARY KEY"):
            drawn.columns[entry.split()[0]] = entry
    return drawn


def _altered(drawn: Drawn, change: str) -> None:
    words = change.split()
    if change.startswith("ADD COLUMN "):
        drawn.columns[words[2]] = " ".join(words[2:])
    elif change.startswith("ADD CONSTRAINT "):
        check = _CHECK.fullmatch(change.removeprefix("ADD "))
        if check:
            drawn.checks[check[1]] = check[2]
    elif change.startswith("DROP CONSTRAINT "):
        drawn.checks.pop(words[2], None)
    elif change.endswith(" DROP NOT NULL"):
        drawn.columns[words[2]] = drawn.columns[words[2]].removesuffix(" NOT NULL")
    elif change.endswith(" SET NOT NULL"):
        drawn.columns[words[2]] += " NOT NULL"


def _changes(table: tables.Table, drawn: Drawn) -> list[str]:
    """The statements that bring one table to its kind."""
    statements = []
    for column in table.columns:
        known = drawn.columns.get(column.name)
        if known is None:
            statements.append(f"ADD COLUMN {column.ddl}")
        elif known != column.ddl:
            statements.append(_nullable(table, column, known))
        name = f"{table.name}_{column.name}_range"
        if drawn.checks.get(name) != column.check:
            if name in drawn.checks:
                statements.append(f"DROP CONSTRAINT {name}")
            if column.check:
                statements.append(f"ADD {table.constraint(column)}")
    for name in drawn.columns.keys() - set(table.column_names):
        if drawn.columns[name].endswith(" NOT NULL"):
            statements.append(f"ALTER COLUMN {name} DROP NOT NULL")
    return [f"ALTER TABLE {table.name} {statement};" for statement in statements]


def _nullable(table: tables.Table, column: tables.Column, known: str) -> str:
    if known.removesuffix(" NOT NULL") != column.ddl.removesuffix(" NOT NULL"):
        raise ValueError(f"{table.name}.{column.name} has changed its type: give the field a new name instead")
    return f"ALTER COLUMN {column.name} {'SET' if column.not_null else 'DROP'} NOT NULL"
