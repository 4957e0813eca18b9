"""The rules' own memory, an asset and rule a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from sys import intern

from storage import queries
from storage.pool import Connection

SQL = queries.load("rule_state")

FETCHED_AT_ONCE = 2_000
"""Rows: an answer with those of all assets at once would take several times the memory of what is in them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one rule remembers of one asset, as JSON; `position_us` is `None` for a rule that keeps no position."""

    asset_id: int
    rule: str
    position_us: int | None
    state: bytes


async def load(conn: Connection) -> list[Kept]:
    """Everything that is remembered."""
    async with conn.transaction(), conn.cursor("rule_state") as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        await cursor.execute(SQL["load"])
        return [Kept(asset_id, intern(rule), at_us, state.encode()) async for asset_id, rule, at_us, state in cursor]


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
