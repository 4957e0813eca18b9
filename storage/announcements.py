"""What others announce by NOTIFY, heard on a connection that has other work as well."""

from collections.abc import Sequence

from psycopg import sql

from storage import errors
from storage.pool import Connection


async def listen(conn: Connection, channels: Sequence[str]) -> None:
    """Hear these channels from now on.

    Raises:
        StorageError: the database does not answer.
    """
    with errors.translated():
        for channel in channels:
            await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


async def heard(conn: Connection) -> set[str]:
    """The channels on which something was announced since the last time; asks nothing of the database and never waits.

    Raises:
        StorageError: the connection is lost.
    """
    with errors.translated():
        return {each.channel async for each in conn.notifies(timeout=0)}
