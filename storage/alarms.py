"""Alarms: raised and cleared by rules, acknowledged by people, read by everybody (contract §4).

The lifecycle is `telemetry.alarms.TRANSITIONS`; it is handed to SQL as a table, so that it stands in one place. An
alarm that is shelved moves underneath.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.rows import class_row
from psycopg.types.json import set_json_loads

from storage import queries
from storage.lots import lots
from storage.pool import Connection
from telemetry.alarms import SEVERITIES, TRANSITIONS, Alarm, AlarmType, Event, Severity
from telemetry.clock import to_datetime, to_us

SQL = queries.load("alarms")

_why = msgspec.json.Decoder(dict[str, Any]).decode
"""Names that many alarms' reasons share are in memory once: rules keep those of all alarms that stand."""


class Raised(msgspec.Struct, frozen=True, tag_field="change", tag=True):
    """An alarm to raise, or to make worse. Times are microseconds since 1970 UTC; no severity is that of its type."""

    id: str
    subject: str
    asset: str | None
    type: AlarmType
    raised_us: int
    observed_us: int
    why: Mapping[str, Any]
    severity: Severity | None = None


class Cleared(msgspec.Struct, frozen=True, tag_field="change", tag=True):
    """An alarm to clear: whichever is active of this subject and type."""

    subject: str
    type: AlarmType
    cleared_us: int


async def turn(conn: Connection, changes: Sequence[Raised | Cleared]) -> list[Alarm]:
    """Raise and clear alarms in their order; returns every state that came of it, in order. For use in a transaction.

    A repeat changes nothing, unless it is worse. An alarm that comes back while its last one is returned and
    unacknowledged replaces it.
    """
    states: list[Alarm] = []
    for lot in lots(changes, lambda change: (change.subject, change.type)):
        raised = [each for each in lot if isinstance(each, Raised)]
        cleared = [each for each in lot if isinstance(each, Cleared)]
        if raised:
            states += await _rows(conn, "replace", _raised(raised) | _moves(Event.REPLACE))
            states += await _rows(conn, "raise", _raised(raised) | {"severities": [each.value for each in Severity]})
        if cleared:
            states += await _rows(conn, "clear", _cleared(cleared) | _moves(Event.CLEAR))
    return states


async def acknowledge(conn: Connection, alarm_id: str, *, by: str, note: str | None, at_us: int) -> Alarm | None:
    """An operator has seen an alarm; returns it as it is now, `None` if there is none of this id.

    Who acknowledged first stays; a normal alarm is left as it is.
    """
    given = {"id": alarm_id, "by": by, "note": note, "at": to_datetime(at_us)}
    changed = await _rows(conn, "acknowledge", given | _moves(Event.ACKNOWLEDGE))
    return changed[0] if changed else await find(conn, alarm_id)


async def shelve(conn: Connection, alarm_id: str, *, until_us: int, by: str, reason: str, at_us: int) -> Alarm | None:
    """An operator puts an alarm aside until a moment; returns it as it is now, `None` if there is none of this id.

    What happens to it meanwhile happens underneath. A normal alarm is left as it is; a shelved one gets the new end.
    """
    given = {"id": alarm_id, "by": by, "reason": reason, "at": to_datetime(at_us), "until": to_datetime(until_us)}
    changed = await _rows(conn, "shelve", given)
    return changed[0] if changed else await find(conn, alarm_id)


async def unshelve(conn: Connection, alarm_id: str, *, by: str, at_us: int) -> Alarm | None:
    """An operator takes a shelved alarm back; returns it as it is now, `None` if there is none of this id."""
    changed = await _rows(conn, "unshelve", {"id": alarm_id, "by": by, "at": to_datetime(at_us)})
    return changed[0] if changed else await find(conn, alarm_id)


async def unshelve_due(conn: Connection, at_us: int) -> list[Alarm]:
    """Every alarm that was put aside until now or before stands again; returns them as they are now."""
    return await _rows(conn, "unshelve", {"id": None, "by": None, "at": to_datetime(at_us)})


async def find(conn: Connection, alarm_id: str) -> Alarm | None:
    """The alarm of this id, `None` if there is none."""
    found = await of_ids(conn, [alarm_id])
    return found[0] if found else None


async def of_ids(conn: Connection, alarm_ids: Sequence[str]) -> list[Alarm]:
    """The alarms of these ids that there are."""
    return await _rows(conn, "of_ids", {"ids": list(alarm_ids)})


async def page(
    conn: Connection,
    *,
    limit: int,
    before: tuple[datetime, str] | None = None,
    state: str | None = None,
    type: str | None = None,
    asset: str | None = None,
) -> list[Alarm]:
    """Up to `limit` alarms, newest first; `before` is (`raised_at`, `id`) of the last one seen.

    `state` is one of the lifecycle or `active`, all but normal; `None` for all.
    """
    chosen = {"state": state, "type": type, "asset": asset, "limit": limit}
    place = {"before": before[0] if before else None, "before_id": before[1] if before else None}
    return await _rows(conn, "page", chosen | place)


async def standing(conn: Connection, subject: str) -> list[Alarm]:
    """The alarms of a subject whose condition holds, whoever has seen or shelved them."""
    return await _rows(conn, "standing", {"subject": subject})


async def active(conn: Connection) -> dict[str, tuple[str, str | None]]:
    """State and state under shelving of every alarm that is not normal, by id."""
    rows = await (await conn.execute(SQL["active"])).fetchall()
    return {alarm_id: (state, under) for alarm_id, state, under in rows}


async def stray(conn: Connection) -> list[Cleared]:
    """What would clear the alarms that stand about assets which have been retired."""
    rows = await (await conn.execute(SQL["stray"])).fetchall()
    return [Cleared(subject, AlarmType(kind), to_us(at)) for subject, kind, at in rows]


async def _rows(conn: Connection, name: str, given: Mapping[str, Any]) -> list[Alarm]:
    async with conn.cursor(row_factory=class_row(Alarm)) as cursor:
        set_json_loads(_why, cursor)
        await cursor.execute(SQL[name], given)
        return await cursor.fetchall()


def _moves(event: Event) -> dict[str, list[str]]:
    """What an event does to each state, as two columns."""
    moves = [(old, new) for (old, moved_by), new in TRANSITIONS.items() if moved_by is event]
    return {"old": [old.value for old, _ in moves], "new": [new.value for _, new in moves]}


def _raised(alarms: Sequence[Raised]) -> dict[str, list[Any]]:
    return {
        "id": [each.id for each in alarms],
        "subject": [each.subject for each in alarms],
        "asset": [each.asset for each in alarms],
        "type": [each.type.value for each in alarms],
        "severity": [(each.severity or SEVERITIES[each.type]).value for each in alarms],
        "at": [to_datetime(each.raised_us) for each in alarms],
        "observed_at": [to_datetime(each.observed_us) for each in alarms],
        "why": [msgspec.json.encode(each.why).decode() for each in alarms],
    }


def _cleared(alarms: Sequence[Cleared]) -> dict[str, list[Any]]:
    return {
        "subject": [each.subject for each in alarms],
        "type": [each.type.value for each in alarms],
        "at": [to_datetime(each.cleared_us) for each in alarms],
    }
