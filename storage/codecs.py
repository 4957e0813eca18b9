"""Makers' own codecs as operators gave them: their text, where it is from, and under which licence."""

from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg.rows import class_row

from storage import queries
from storage.pool import Connection

SQL = queries.load("codecs")


@dataclass(frozen=True, slots=True)
class StoredCodec:
    """One model's codec.

    Attributes:
        model: `vendor/device`, in lower case.
        source: the text of the file.
        sha256: of the file as it was given, in hexadecimal.
        origin: where it was got from, in the operator's words.
        licence: as SPDX spells it; `NOASSERTION` where nobody knows.
        mapping: the text of its mapping file. `None`: nobody has said what its values mean.
        reused: its context is kept from one message to the next.
        added_at: real time.
        added_by: who gave it.
    """

    model: str
    source: str
    sha256: str
    origin: str
    licence: str
    mapping: str | None
    reused: bool
    added_at: datetime
    added_by: str


async def put(conn: Connection, codec: StoredCodec) -> str | None:
    """Keep a codec; returns the digest of the one that it replaces, `None` where there was none."""
    before = await (await conn.execute(SQL["digest"], {"model": codec.model})).fetchone()
    await conn.execute(SQL["put"], asdict(codec))
    return before[0] if before else None


async def load(conn: Connection) -> list[StoredCodec]:
    """Every codec, by model."""
    async with conn.cursor(row_factory=class_row(StoredCodec)) as cursor:
        await cursor.execute(SQL["all"])
        return await cursor.fetchall()


async def remove(conn: Connection, model: str) -> bool:
    """Forget a model's codec; False where there is none."""
    return (await conn.execute(SQL["remove"], {"model": model})).rowcount == 1
