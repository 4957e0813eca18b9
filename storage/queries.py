"""Named SQL: statements live in `storage/queries/*.sql` and Python asks for them by name.

A file holds statements like this, each with a comment that says what it is for:

    -- name: version
    -- The registry's version.
    SELECT version FROM registry_version;

`SQL = queries.load("registry")` at the top of an access module, then `await conn.execute(SQL["version"], {...})`.
Parameters are psycopg's: `%(name)s`, and `%%` for a per cent sign.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_COMMENT = re.compile(r"\A(?:--[^\n]*\n)+")


@cache
def load(file: str) -> Mapping[str, str]:
    """The statements of `storage/queries/<file>.sql` by name, without their comments and the last semicolon.

    Raises `FileNotFoundError` for an unknown file and `ValueError` for one that breaks the format; asking the result
    for an unknown name is a `KeyError`.
    """
    text = (files("storage") / "queries" / f"{file}.sql").read_text(encoding="utf-8")
    return MappingProxyType(dict(parse(text)))


def parse(text: str) -> Iterator[tuple[str, str]]:
    """The named statements of a file in order.

    Raises `ValueError` for SQL before the first name, a name that is there twice, and a query without comment.
    """
    head, *parts = _NAME.split(text)
    if _COMMENT.sub("", head.lstrip() + "\n").strip():
        raise ValueError("there is SQL before the first `-- name:`")
    seen = set()
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statement = body.lstrip("\n")
        if _COMMENT.match(statement) is None:
            raise ValueError(f"the query {name} has no comment")
        statement = _COMMENT.sub("", statement).strip().rstrip(";")
        if name in seen or not statement:
            raise ValueError(f"the query {name} is {'there twice' if name in seen else 'empty'}")
        seen.add(name)
        yield name, statement
