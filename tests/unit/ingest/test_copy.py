"""The binary forms, read back byte by byte as PostgreSQL's manual describes them."""

import struct
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.copy import Values, array, copy_payload, text_array
from storage import tables

FORMATS = {
    tables.DOUBLE: ">d",
    tables.INTEGER: ">i",
    tables.BIGINT: ">q",
    tables.TIMESTAMPTZ: ">q",
    tables.BOOLEAN: ">?",
}
SOURCES: dict[tables.SqlType, st.SearchStrategy[Any]] = {
    tables.DOUBLE: st.floats(allow_nan=False),
    tables.INTEGER: st.integers(-(2**31), 2**31 - 1),
    tables.BIGINT: st.integers(-(2**63), 2**63 - 1),
    tables.TIMESTAMPTZ: st.integers(-(2**62), 2**62),
    tables.BOOLEAN: st.booleans(),
}
Column = tuple[tables.SqlType, list[Any]]


@st.composite
def columns(draw: st.DrawFn) -> list[Column]:
    """Some columns of the same length; `None` is absent."""
    count = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from(list(FORMATS)), min_size=1, max_size=5))
    return [(kind, draw(st.lists(st.none() | SOURCES[kind], min_size=count, max_size=count))) for kind in kinds]


def encoded(column: Column) -> Values:
    kind, values = column
    present = np.array([value is not None for value in values], dtype=np.bool_)
    dtype = np.float64 if kind is tables.DOUBLE else np.int64
    data = np.array([0 if value is None else value for value in values], dtype=dtype)
    return Values(kind, data, None if present.all() else present)


def take_value(raw: bytes, at: int, kind: tables.SqlType) -> tuple[Any, int]:
    (size,) = struct.unpack_from(">i", raw, at)
    if size == -1:
        return None, at + 4
    assert size == struct.calcsize(FORMATS[kind])
    return struct.unpack_from(FORMATS[kind], raw, at + 4)[0], at + 4 + size


@given(columns())
def test_a_copy_reads_back(given_columns: list[Column]) -> None:
    raw = copy_payload([encoded(column) for column in given_columns])
    assert raw[:19] == b"PGCOPY\n\xff\r\n\x00" + bytes(8)
    at, rows = 19, []
    while (count := struct.unpack_from(">h", raw, at)[0]) != -1:
        assert count == len(given_columns)
        at += 2
        row = []
        for kind, _ in given_columns:
            value, at = take_value(raw, at, kind)
            row.append(value)
        rows.append(tuple(row))
    assert at + 2 == len(raw)
    assert rows == list(zip(*[values for _, values in given_columns], strict=True))


@given(columns())
def test_an_array_reads_back(given_columns: list[Column]) -> None:
    for column in given_columns:
        kind, values = column
        raw = bytes(array(encoded(column)))
        dimensions, with_nulls, oid, count, lower = struct.unpack_from(">iiIii", raw)
        assert (dimensions, bool(with_nulls), oid, count, lower) == (1, None in values, kind.oid, len(values), 1)
        at, found = 20, []
        for _ in values:
            value, at = take_value(raw, at, kind)
            found.append(value)
        assert (at, found) == (len(raw), values)


@given(st.lists(st.text().map(str.encode), min_size=1))
def test_an_array_of_texts_reads_back(texts: list[bytes]) -> None:
    raw = bytes(text_array(texts))
    assert struct.unpack_from(">iiIii", raw) == (1, 0, 25, len(texts), 1)
    at = 20
    for text in texts:
        (size,) = struct.unpack_from(">i", raw, at)
        assert raw[at + 4 : at + 4 + size] == text
        at += 4 + size
    assert at == len(raw)
