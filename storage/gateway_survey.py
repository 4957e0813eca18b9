"""What `lamplighter doctor` asks about devices behind network servers."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from storage import errors, queries
from storage.pool import Connection

SQL = queries.load("gateway_survey")


@dataclass(frozen=True, slots=True)
class Unread:
    """A device whose uplinks wait because nobody has named a codec for it; `detail` is the last refusal's."""

    device: str
    uplinks: int
    detail: str


async def without_model(conn: Connection, since: datetime) -> list[Unread]:
    """The devices that were heard since a moment and have no model, most uplinks first; raises `SchemaMissing`."""
    with errors.translated():
        async with conn.cursor(row_factory=class_row(Unread)) as cursor:
            await cursor.execute(SQL["without_model"], {"since": since})
            return await cursor.fetchall()
