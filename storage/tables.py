"""From a kind to its observation table: columns, DDL and the layout of a binary COPY.

A row is `observed_at, asset_id, received_at, time_from_receipt, seq` and the kind's fields in the order of their
declaration; the primary key is `(asset_id, observed_at)`. How the rows live (partitions, chunks) is `lifecycle`'s.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from telemetry.kind import Kind, Property

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01 UTC: `observed_us - PG_EPOCH_US` is the binary timestamptz."""


@dataclass(frozen=True, slots=True)
class SqlType:
    """A PostgreSQL type with its binary form: `wire` is the big-endian NumPy type of one value."""

    name: str
    oid: int
    array_oid: int
    wire: str

    @property
    def size(self) -> int:
        """Bytes of one value in a binary COPY."""
        return np.dtype(self.wire).itemsize


TIMESTAMPTZ = SqlType("timestamp with time zone", 1184, 1185, ">i8")
DOUBLE = SqlType("double precision", 701, 1022, ">f8")
INTEGER = SqlType("integer", 23, 1007, ">i4")
BIGINT = SqlType("bigint", 20, 1016, ">i8")
BOOLEAN = SqlType("boolean", 16, 1000, ">u1")

SQL_TYPES = {float: DOUBLE, int: INTEGER, bool: BOOLEAN}
"""The type of a property's column by the Python type of its annotation."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `check` is the condition of its CHECK, `default` its default, `None` where there is none."""

    name: str
    type: SqlType
    not_null: bool = False
    check: str | None = None
    default: str | None = None

    @property
    def ddl(self) -> str:
        """The column's definition without its CHECK."""
        default = f" DEFAULT {self.default}" if self.default else ""
        return f"{self.name} {self.type.name}{' NOT NULL' if self.not_null else ''}{default}"


OWN_COLUMNS = (
    Column("observed_at", TIMESTAMPTZ, not_null=True),
    Column("asset_id", INTEGER, not_null=True),
    Column("received_at", TIMESTAMPTZ, not_null=True),
    Column("time_from_receipt", BOOLEAN, not_null=True, default="false"),
    Column("seq", BIGINT),
)
"""What every observation table begins with; `seq` is NULL where the device has no counter."""


@dataclass(frozen=True, slots=True)
class Table:
    """The observation table of one kind; its name is the kind's."""

    name: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """All columns in the order of the table, of COPY and of INSERT."""
        return tuple(column.name for column in self.columns)

    @property
    def fields(self) -> tuple[Column, ...]:
        """The kind's own columns, in the order of `Columns.fields`."""
        return self.columns[len(OWN_COLUMNS) :]

    @property
    def copy_sql(self) -> str:
        """`COPY … FROM STDIN` in binary, all columns in the table's order."""
        return f"COPY {self.name} ({', '.join(self.column_names)}) FROM STDIN (FORMAT BINARY)"

    @property
    def insert_sql(self) -> str:
        """INSERT of one binary array a column (`%b`)."""
        arrays = ", ".join(f"%b::{column.type.name}[]" for column in self.columns)
        names = ", ".join(self.column_names)
        return f"INSERT INTO {self.name} ({names}) SELECT * FROM unnest({arrays})"

    def constraint(self, column: Column) -> str:
        """The named CHECK of a column that has one."""
        return f"CONSTRAINT {self.name}_{column.name}_range CHECK ({column.check})"

    @property
    def create_sql(self) -> str:
        """`CREATE TABLE` as a migration writes it."""
        lines = [column.ddl for column in self.columns]
        lines += ["PRIMARY KEY (asset_id, observed_at)"]
        lines += [self.constraint(column) for column in self.columns if column.check]
        body = ",\n".join(f"    {line}" for line in lines)
        return f"CREATE TABLE {self.name} (\n{body}\n);"


@cache
def of(kind: Kind) -> Table:
    """The observation table of a kind."""
    fields = tuple(_column(kind, each) for each in kind.properties)
    return Table(kind.name, OWN_COLUMNS + fields)


def _column(kind: Kind, each: Property) -> Column:
    return Column(each.name, SQL_TYPES[each.type], each.name == kind.marked[0], _range(each))


def _range(each: Property) -> str | None:
    """A real's condition also shuts out NaN and infinity, which PostgreSQL sorts above all numbers."""
    low, high = each.measure.low, each.measure.high
    if each.type is bool:
        return None
    conditions = []
    if math.isfinite(low):
        conditions.append(f"{each.name} >= {_number(low)}")
    elif each.type is float:
        conditions.append(f"{each.name} > '-Infinity'")
    if math.isfinite(high):
        conditions.append(f"{each.name} <= {_number(high)}")
    elif each.type is float:
        conditions.append(f"{each.name} < 'Infinity'")
    return " AND ".join(conditions) or None


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
