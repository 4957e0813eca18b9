"""What happened, as marks on a time axis: alarms while they stood, overrides while they held."""

from datetime import datetime

import msgspec
from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("annotations")


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is `alarm` or `command`; `time_end` is `None` while it lasts; `tag` is its severity or state."""

    what: str
    id: str
    time: datetime
    time_end: datetime | None
    title: str
    tag: str
    subject: str


async def between(
    conn: Connection, since: datetime, until: datetime, limit: int, before: tuple[datetime, str] | None = None
) -> list[Annotation]:
    """Up to `limit` marks of a span, newest first; `before` is (`time`, `id`) of the last one seen."""
    place = {"before": before[0] if before else None, "before_id": before[1] if before else None}
    async with conn.cursor(row_factory=class_row(Annotation)) as cursor:
        await cursor.execute(SQL["between"], {"since": since, "until": until, "limit": limit, **place})
        return await cursor.fetchall()
