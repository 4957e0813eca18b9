"""What a leader decided that was cut off and overtaken: handed in as history, which changes nothing of the present.

Commands and their states are added; the state machine keeps out what came too late. An alarm that the leader of today
has raised itself is that alarm; another one is written down and ends, at the latest when the new term began: if its
condition holds, today's leader sees it. Memory is left out, for today's leader has its own.
"""

from collections.abc import Sequence

from rules.record import AlarmChange, Record, write_commands
from storage import alarms, errors, rule_lead
from storage.pool import Connection


async def hand_in(conn: Connection, records: Sequence[Record], ended_us: int) -> None:
    """Write it down, all or nothing; `ended_us` is when another began to lead. A repeat changes nothing.

    Raises:
        StorageError: it is not written down, or nobody knows.
    """
    with errors.translated():
        async with conn.transaction():
            await rule_lead.hold_alarms(conn)
            await _turn(conn, [change for each in records for change in each.alarms], ended_us)
            for each in records:
                await write_commands(conn, each)


async def _turn(conn: Connection, changes: Sequence[AlarmChange], ended_us: int) -> None:
    ours: dict[tuple[str, str], alarms.Cleared] = {}
    for change in changes:
        key = (change.subject, change.type)
        if isinstance(change, alarms.Raised):
            if any(each.id == change.id for each in await alarms.turn(conn, [change])):
                ours[key] = alarms.Cleared(change.subject, change.type, ended_us)
        elif ours.pop(key, None) is not None:
            await alarms.turn(conn, [change])
    await alarms.turn(conn, list(ours.values()))
