"""Commands: made by rules or written down as overrides by people, and moved through their states (contract §1).

The state machine is `telemetry.commands.FOLLOWS`; it is handed to SQL as a table, so that it stands in one place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg.rows import class_row

from storage import queries
from storage.lots import lots
from storage.pool import Connection
from telemetry.clock import to_datetime, to_us
from telemetry.commands import FOLLOWS, Priority, Settings, State

SQL = queries.load("commands")

OVERRIDES = "lamplighter_override"
"""The channel on which overrides are announced that were written down or taken back."""

_settings = msgspec.json.Encoder().encode


class CommandRow(msgspec.Struct, frozen=True, kw_only=True, rename={"settings": "set"}):
    """A command and how far it has come; encoded as JSON it has the contract's shape. `None`: not so far, or nobody."""

    id: str
    asset: str
    device: str | None
    settings: dict[str, Any]
    reason: str
    state: str
    queued_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    verified_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None
    error: str | None
    by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A command to write down. Times are microseconds since 1970 UTC.

    `carries` is the command whose wish it carries on to another device, `None` if it has none but its own.
    """

    id: str
    asset_id: int
    asset: str
    device: str | None
    settings: Settings
    reason: Priority
    queued_us: int
    expires_us: int
    carries: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A command that comes into another state; `error` says why where that is not good."""

    id: str
    state: State
    at_us: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued command, with what is needed to send it."""

    id: str
    asset_id: int
    kind: str
    device: str | None
    settings: Settings
    reason: Priority
    expires_us: int


async def order(
    conn: Connection, orders: Sequence[Order], *, by: str | None = None, note: str | None = None
) -> list[CommandRow]:
    """Write queued commands down; `by` is who wants it, `None` for a rule. One whose id is there already is left out.

    One that carries another on is wanted by whoever wanted that. Overrides are announced (NOTIFY) at the commit; the
    rules look by themselves too.
    """
    if not orders:
        return []
    given = {
        "id": [each.id for each in orders],
        "asset_id": [each.asset_id for each in orders],
        "asset": [each.asset for each in orders],
        "device": [each.device for each in orders],
        "settings": [_settings(each.settings).decode() for each in orders],
        "reason": [each.reason for each in orders],
        "queued_at": [to_datetime(each.queued_us) for each in orders],
        "expires_at": [to_datetime(each.expires_us) for each in orders],
        "carries": [each.carries for each in orders],
    }
    rows = await _rows(conn, "order", given | {"by": by, "note": note})
    if any(each.reason == "override" for each in orders):
        await conn.execute(SQL["announce"])
    return rows


async def end_override(conn: Connection, command_id: str, *, at_us: int) -> CommandRow | None:
    """Take an override back; returns it as it is now, `None` if there is no override of this id.

    One that has ended already is left as it is. Announced like an order.
    """
    ended = await _rows(conn, "end_override", {"id": command_id, "at": to_datetime(at_us)})
    if ended:
        await conn.execute(SQL["announce"])
        return ended[0]
    found = await find(conn, command_id)
    return found if found is not None and found.reason == "override" else None


async def replaced(conn: Connection, commands: Mapping[str, int]) -> None:
    """These commands ended then, because another one took their place; they keep the state that they have come to."""
    if commands:
        moments = [to_datetime(at_us) for at_us in commands.values()]
        await conn.execute(SQL["replaced"], {"id": list(commands), "at": moments})


async def find(conn: Connection, command_id: str) -> CommandRow | None:
    """The command of this id, `None` if there is none."""
    rows = await _rows(conn, "find", {"id": command_id})
    return rows[0] if rows else None


async def page(
    conn: Connection, *, limit: int, before: tuple[datetime, str] | None = None, asset: str | None = None
) -> list[CommandRow]:
    """Up to `limit` commands, newest first; `before` is (`queued_at`, `id`) of the last one seen."""
    place = {"before": before[0] if before else None, "before_id": before[1] if before else None}
    return await _rows(conn, "page", place | {"asset": asset, "limit": limit})


async def waiting(conn: Connection, *, overrides_only: bool = False) -> list[Waiting]:
    """The commands that are queued, oldest first: those that rules have not sent, and overrides not taken up yet."""
    rows = await (await conn.execute(SQL["waiting"], {"overrides_only": overrides_only})).fetchall()
    return [
        Waiting(name, asset_id, kind, device, msgspec.convert(settings, Settings), reason, to_us(expires_at))
        for name, asset_id, kind, device, settings, reason, expires_at in rows
    ]


async def ended(conn: Connection, command_ids: Sequence[str]) -> dict[str, int]:
    """Which of these overrides have been taken back, and when."""
    rows = await (await conn.execute(SQL["ended"], {"ids": list(command_ids)})).fetchall()
    return {name: to_us(at) for name, at in rows}


async def sent(conn: Connection, commands: Mapping[str, int]) -> None:
    """The broker has these commands since then."""
    if commands:
        moments = [to_datetime(at_us) for at_us in commands.values()]
        await conn.execute(SQL["sent"], {"id": list(commands), "at": moments})


async def expire_lost(conn: Connection, known: Sequence[str], *, at_us: int) -> None:
    """End commands whose lease is over and of which the rules know nothing, as of an asset that was retired."""
    await conn.execute(SQL["expire_lost"], {"known": list(known), "at": to_datetime(at_us)})


async def move(conn: Connection, moves: Sequence[Move]) -> None:
    """Move commands in their order; what the state machine does not allow changes nothing."""
    for lot in lots(moves, lambda move: move.id):
        given: dict[str, list[Any]] = {
            "id": [each.id for each in lot],
            "state": [each.state.value for each in lot],
            "at": [to_datetime(each.at_us) for each in lot],
            "error": [each.error for each in lot],
        }
        await conn.execute(SQL["move"], given | _allowed())


async def _rows(conn: Connection, name: str, given: Mapping[str, Any]) -> list[CommandRow]:
    async with conn.cursor(row_factory=class_row(CommandRow)) as cursor:
        await cursor.execute(SQL[name], given)
        return await cursor.fetchall()


def _allowed() -> dict[str, list[str]]:
    """Which state may follow which, as two columns; who answers was sent to, whatever the broker has said so far."""
    pairs = [(old, new) for old, follows in FOLLOWS.items() for new in sorted(follows)]
    pairs += [(State.QUEUED, new) for new in sorted(FOLLOWS[State.SENT] - FOLLOWS[State.QUEUED])]
    return {"old": [old.value for old, _ in pairs], "new": [new.value for _, new in pairs]}
