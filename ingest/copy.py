"""PostgreSQL's binary forms of columns, encoded by NumPy a column at a time instead of a row at a time.

The payload of `COPY … (FORMAT BINARY)`, and the arrays that `unnest` takes apart again. Absent values are NULL.
Formats: PostgreSQL's manual, COPY, "Binary Format"; the arrays as in `array_recv` of its source.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from ingest.rows import Rows
from storage import tables
from telemetry.columns import NO_SEQ

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1


@dataclass(frozen=True, slots=True)
class Values:
    """One column: `data` is `(n,)` in any numeric type, `present` `(n,)` or `None` where every row has a value."""

    type: tables.SqlType
    data: NDArray[Any]
    present: NDArray[np.bool_] | None = None


def values_of(rows: Rows) -> list[Values]:
    """The columns of the kind's table, in its order."""
    columns = rows.columns
    seq = columns.seq
    own = [
        Values(tables.TIMESTAMPTZ, columns.observed_us - tables.PG_EPOCH_US),
        Values(tables.INTEGER, columns.asset_id),
        Values(tables.TIMESTAMPTZ, rows.received_us - tables.PG_EPOCH_US),
        Values(tables.BOOLEAN, columns.from_receipt),
        Values(tables.BIGINT, seq, _unless_all(seq != NO_SEQ)),
    ]
    fields = tables.of(columns.kind).fields
    return own + [_field(column.type, data) for column, data in zip(fields, columns.fields.values(), strict=True)]


def copy_payload(values: Sequence[Values]) -> bytes:
    """All rows as `COPY … FROM STDIN (FORMAT BINARY)` takes them."""
    count = len(values[0].data)
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for index, each in enumerate(values):
        layout.append((f"size{index}", ">i4"))
        if _any_present(each):
            layout.append((f"value{index}", each.type.wire))
    records = np.empty(count, dtype=layout)
    records["fields"] = len(values)
    gaps: list[tuple[int, int, NDArray[np.bool_]]] = []
    for index, each in enumerate(values):
        if not _any_present(each):
            records[f"size{index}"] = _NULL
            continue
        records[f"value{index}"] = each.data
        records[f"size{index}"] = each.type.size if each.present is None else _sizes(each)
        if each.present is not None:
            assert records.dtype.fields is not None
            gaps.append((records.dtype.fields[f"value{index}"][1], each.type.size, each.present))
    return _HEADER + _without(records, gaps) + _TRAILER


def array(values: Values) -> "_Array":
    """One column as a parameter (`%b`) that PostgreSQL reads as an array."""
    records = np.empty(len(values.data), dtype=[("size", ">i4"), ("value", values.type.wire)])
    records["size"] = values.type.size if values.present is None else _sizes(values)
    records["value"] = values.data
    gaps = [] if values.present is None else [(4, values.type.size, values.present)]
    head = _array_head(values.type.oid, len(values.data), values.present is not None)
    return _ARRAYS[values.type](head + _without(records, gaps))


def text_array(texts: Sequence[bytes]) -> "_Array":
    """Texts in UTF-8 as a parameter (`%b`) that PostgreSQL reads as an array."""
    sizes = np.fromiter(map(len, texts), dtype=">i4", count=len(texts)).tobytes()
    heads = [sizes[place : place + 4] for place in range(0, len(sizes), 4)]
    return _TextArray(
        _array_head(_TEXT_OID, len(texts)) + b"".join(chain.from_iterable(zip(heads, texts, strict=True)))
    )


def _array_head(oid: int, count: int, with_nulls: bool = False) -> bytes:
    return struct.pack(">iiIii", 1, int(with_nulls), oid, count, 1)


def _field(kind: tables.SqlType, data: NDArray[np.float64]) -> Values:
    present = _unless_all(~np.isnan(data))
    return Values(kind, data if present is None or kind is tables.DOUBLE else np.where(present, data, 0), present)


def _unless_all(present: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return None if present.all() else present


def _any_present(values: Values) -> bool:
    return values.present is None or bool(values.present.any())


def _sizes(values: Values) -> NDArray[np.int64]:
    assert values.present is not None
    return np.where(values.present, values.type.size, _NULL)


def _without(records: NDArray[Any], gaps: Sequence[tuple[int, int, NDArray[np.bool_]]]) -> bytes:
    """The bytes of the records without absent values; a gap is (place in the record, size, rows with the value)."""
    if not gaps:
        return records.tobytes()
    raw = records.view(np.uint8).reshape(len(records), records.itemsize)
    keep = np.ones(raw.shape, dtype=np.bool_)
    for place, size, present in gaps:
        keep[:, place : place + size] = present[:, None]
    return raw[keep].tobytes()


class _Array(bytes):
    """An array in binary form; the subclass says of what."""

    __slots__ = ()


class _ArrayDumper(Dumper):
    """Hands an array that is encoded already to the driver."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return bytes(obj)


def _array_type(name: str, oid: int) -> type[_Array]:
    """A type of arrays that the driver announces with this identifier."""
    array_type = type(f"{name}Array", (_Array,), {"__slots__": ()})
    dumper = type(f"{name}ArrayDumper", (_ArrayDumper,), {"oid": oid})
    psycopg.adapters.register_dumper(array_type, dumper)
    return array_type


_ARRAYS = {
    kind: _array_type(kind.name.title().replace(" ", ""), kind.array_oid)
    for kind in (tables.TIMESTAMPTZ, tables.INTEGER, tables.BIGINT, tables.BOOLEAN, tables.DOUBLE)
}
_TEXT_OID, _TEXT_ARRAY_OID = 25, 1009
_TextArray = _array_type("Text", _TEXT_ARRAY_OID)
