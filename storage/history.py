"""What an import of history has to know of the database."""

from storage import queries
from storage.pool import Connection

SQL = queries.load("history")


async def kept_since(conn: Connection) -> dict[str, int]:
    """From when on rows are kept, by kind, where any have been dropped already: older ones would be dropped as well."""
    return dict(await (await conn.execute(SQL["kept_since"])).fetchall())
