"""The rules' own memory, an asset and rule a row, the rule versions, and who may lead."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage import errors, queries
from storage.pool import Connection, Pool
from telemetry.clock import to_datetime

SQL = queries.load("rule_state")


@dataclass(frozen=True, slots=True)
class Kept:
    """What one rule remembers of one asset, as JSON; `position_us` is `None` for a rule that keeps no position."""

    asset_id: int
    rule: str
    position_us: int | None
    state: bytes


async def load(conn: Connection) -> list[Kept]:
    """Everything that is remembered."""
    rows = await (await conn.execute(SQL["load"])).fetchall()
    return [Kept(asset_id, rule, position_us, state.encode()) for asset_id, rule, position_us, state in rows]


async def save(conn: Connection, rows: Sequence[Kept]) -> None:
    """Keep these rows in place of older ones; `rows` names an asset and rule once."""
    if rows:
        given = {
            "asset_id": [row.asset_id for row in rows],
            "rule": [row.rule for row in rows],
            "position_us": [row.position_us for row in rows],
            "state": [row.state.decode() for row in rows],
        }
        await conn.execute(SQL["save"], given)


async def forget(conn: Connection, asset_ids: Sequence[int]) -> None:
    """Remember nothing of these assets."""
    if asset_ids:
        await conn.execute(SQL["forget"], {"ids": list(asset_ids)})


async def put_version(conn: Connection, *, version: str, content: str, author: str, at_us: int) -> None:
    """Keep a rule version; its moment stays that of the first time."""
    given = {"version": version, "content": content, "author": author, "at": to_datetime(at_us)}
    await conn.execute(SQL["put_version"], given)


async def lead(pool: Pool) -> Connection | None:
    """A connection of the pool that leads the rules, `None` while another does; to be given back by `step_down`.

    Leading lasts as long as the connection: it writes what the rules decide, so that nobody writes who does not lead.

    Raises:
        StorageError: the database does not answer.
    """
    with errors.translated():
        conn = await pool.getconn()
        try:
            row = await (await conn.execute(SQL["lead"])).fetchone()
        except BaseException:
            await step_down(pool, conn)
            raise
        if row and row[0]:
            return conn
        await pool.putconn(conn)
        return None


async def step_down(pool: Pool, conn: Connection) -> None:
    """Lead no more; never raises for a database that is away."""
    try:
        with errors.translated():
            await conn.execute(SQL["step_down"])
    except errors.StorageError:
        await conn.close()
    await pool.putconn(conn)
