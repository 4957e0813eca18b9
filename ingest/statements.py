"""The statements that follow from a kind's table, beside the named ones in `storage/queries/ingest.sql`."""

from dataclasses import dataclass
from functools import cache

from storage import lifecycle, queries, tables
from telemetry.kind import Kind

SQL = queries.load("ingest")
FOLLOW = f"WITH marked AS ({lifecycle.MARK_DIRTY}) {SQL['latest']}"
"""What new rows entail, in one statement: the hours to be summed up again, and the latest of each asset."""
CONCLUDE = f"WITH booked AS ({SQL['book']}) {SQL['settle']}"
"""Book a batch and settle it."""


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL for one observation table. All but `copy` take one binary array a column, in the table's order.

    `copy` and `insert` raise `UniqueViolation` where a row is there already. `merge` leaves such rows alone and returns
    (asset_id, microseconds since 1970) of those that were not.
    `conflicting` counts rows whose stored values differ. `redelivered` returns, of rows without a time of their own,
    (place from 1, whether the stored values differ) of those that are there under the same `seq`; it takes the time
    that this is remembered, in seconds, as last parameter.
    """

    copy: str
    insert: str
    merge: str
    conflicting: str
    redelivered: str


@cache
def of(kind: Kind) -> Statements:
    """The statements for a kind's table."""
    table = tables.of(kind)
    names = ", ".join(table.column_names)
    arrays = ", ".join(f"%b::{column.type.name}[]" for column in table.columns)
    stored = ", ".join(f"t.{column.name}" for column in table.fields)
    new = ", ".join(f"n.{column.name}" for column in table.fields)
    differ = f"ROW({stored}) IS DISTINCT FROM ROW({new})"
    return Statements(
        copy=table.copy_sql,
        insert=table.insert_sql,
        merge=f"""
            {table.insert_sql} ON CONFLICT DO NOTHING
            RETURNING asset_id, (extract(epoch FROM observed_at) * 1000000)::bigint""",
        conflicting=f"""
            SELECT count(*) FROM unnest({arrays}) AS n ({names})
            JOIN {table.name} t ON t.asset_id = n.asset_id AND t.observed_at = n.observed_at
            WHERE {differ}""",
        redelivered=f"""
            SELECT n.place, {differ} FROM unnest({arrays}) WITH ORDINALITY AS n ({names}, place)
            CROSS JOIN LATERAL (
                SELECT * FROM {table.name} k
                WHERE k.asset_id = n.asset_id AND k.seq = n.seq AND k.time_from_receipt
                  AND k.observed_at > n.received_at - %s * interval '1 second'
                  AND k.observed_at < n.received_at + %s * interval '1 second'
                LIMIT 1
            ) t""",
    )
