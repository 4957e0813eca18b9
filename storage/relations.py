"""Making and widening the relations that follow the kinds: rollup tables grow a column when a kind grows a field."""

from collections.abc import Iterable, Sequence

from storage import rollups
from storage.pool import Connection
from telemetry.kind import Kind

ZONE_DAILY_KEYS = ("zone text NOT NULL", "kind text NOT NULL", "bucket timestamptz NOT NULL")
ASSET_KEYS = ("asset_id integer NOT NULL", "bucket timestamptz NOT NULL")


async def relkind(conn: Connection, name: str) -> str | None:
    """PostgreSQL's letter for what a relation is (`r` table, `p` partitioned, `v` view), `None` if there is none."""
    cursor = await conn.execute("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", (name,))
    row = await cursor.fetchone()
    return None if row is None else _letter(row[0])


async def column_names(conn: Connection, name: str) -> list[str]:
    """The columns of a relation in order."""
    cursor = await conn.execute(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (name,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def described(conn: Connection, name: str) -> list[tuple[str, str, bool]]:
    """Each column of a relation: its name, its type, and whether it may be NULL (of a view's nothing is said)."""
    cursor = await conn.execute(
        "SELECT attname, format_type(atttypid, atttypmod), relkind <> 'v' AND NOT attnotnull"
        " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (name,),
    )
    return await cursor.fetchall()


async def make_rollup(conn: Connection, name: str, keys: Sequence[str], columns: Iterable[rollups.Column]) -> bool:
    """Create the rollup table, or add the columns that it lacks; returns whether it was there and lacked any.

    Space is left in its pages, because the hours and days that are open are updated again and again.
    """
    columns = list(columns)
    key = ", ".join(each.split()[0] for each in keys)
    if await relkind(conn, name) is None:
        body = ", ".join([*keys, *(_ddl(column) for column in columns), f"PRIMARY KEY ({key})"])
        await conn.execute(f"CREATE TABLE {name} ({body}) WITH (fillfactor = 80)")
        await conn.execute(f"CREATE INDEX {name}_bucket ON {name} (bucket)")
        return False
    known = await column_names(conn, name)
    missing = [column for column in columns if column.name not in known]
    for column in missing:
        await conn.execute(f"ALTER TABLE {name} ADD COLUMN {_ddl(column)}")
    return bool(missing)


async def make_redelivery_index(conn: Connection, kind: Kind) -> None:
    """Where the writer finds observations without a time of their own by asset and `seq`; others cost nothing."""
    name = f"{kind.name}_redelivery"
    await conn.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {kind.name} (asset_id, seq) WHERE time_from_receipt")


async def make_receipt_index(conn: Connection, kind: Kind) -> None:
    """Where the ledger's check finds a day's rows: they lie in order of receipt, so a range a megabyte does."""
    name = f"{kind.name}_receipt"
    await conn.execute(
        f"CREATE INDEX IF NOT EXISTS {name} ON {kind.name} USING brin (received_at) WITH (autosummarize = on)"
    )


async def make_daily(conn: Connection, kind: Kind) -> bool:
    """`<kind>_daily`: local days, made of hours in both modes; returns whether it was widened."""
    return await make_rollup(conn, f"{kind.name}_daily", ASSET_KEYS, rollups.columns(kind))


async def make_zone_daily(conn: Connection, kinds: Iterable[Kind]) -> None:
    """`zone_daily`: local days of a zone, a row for each kind in it; NULL in the columns of other kinds."""
    assets = rollups.Column("assets", "bigint", None, "")
    await make_rollup(conn, "zone_daily", ZONE_DAILY_KEYS, [assets, *rollups.zone_columns(kinds)])


def _ddl(column: rollups.Column) -> str:
    return f"{column.name} {column.type}"


def _letter(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
