"""What the rules decided, as the database is to have it: plain data, written down in one transaction.

A record has its number within its leader's term. It goes into the database or, while that is away, into the journal,
and from there into the database later: the number sees to it that it is there once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from rules.city import City
from rules.effects import ClearAlarm, Effect, EndCommand, ForgetZone, MoveCommand, PublishZone, RaiseAlarm, SendCommand
from rules.recall import follow, outlooks
from rules.state import State
from storage import alarms, commands, errors, rule_lead, rule_state, zones
from storage.pool import Connection
from telemetry.alarms import Alarm
from telemetry.availability import ZoneAvailability

AlarmChange = alarms.Raised | alarms.Cleared

STATEMENT_ROWS_MAX = 1_000
"""One statement writes so many rows: it holds its values several times over, and a city after an outage has many."""

Row = TypeVar("Row")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything since the record before. `gone` are assets that left; `sent` says since when the broker has commands.

    `rows` names an asset and rule once, `words` a zone once; `outlooks` are those of zones, by name. `replaced` are the
    commands that ended in the state they had come to, and when first: a lease that has ended expires later on as well.
    """

    number: int
    rows: list[rule_state.Kept]
    gone: list[int]
    alarms: list[AlarmChange]
    orders: list[commands.Order]
    sent: dict[str, int]
    moves: list[commands.Move]
    words: list[ZoneAvailability]
    zones_gone: list[str]
    outlooks: dict[str, bytes] = {}
    replaced: dict[str, int] = {}


def record(
    number: int, city: City, before: State, after: State, effects: Sequence[Effect], sent: Mapping[str, int]
) -> tuple[Record, State]:
    """What lies between two states of the rules, and a copy of the later, for which the earlier is used up.

    `effects` names a zone at most once.
    """
    gone, known = _gone(before, after), outlooks(before, after)
    rows, copy = follow(city, before, after)
    decided = Record(
        number=number,
        rows=[rule_state.Kept(row.asset_id, row.rule, row.position_us, row.values) for row in rows],
        gone=gone,
        alarms=[change for change in map(alarm_change, effects) if change is not None],
        orders=[_order(each) for each in effects if isinstance(each, SendCommand) and each.by_rule and not each.again],
        sent=dict(sent),
        moves=[_move(each) for each in effects if isinstance(each, MoveCommand)],
        words=[each.document for each in effects if isinstance(each, PublishZone)],
        zones_gone=[each.id for each in effects if isinstance(each, ForgetZone)],
        outlooks=known,
        replaced={each.id: each.at_us for each in reversed(effects) if isinstance(each, EndCommand)},
    )
    return decided, copy


def fold(records: Sequence[Record]) -> Record:
    """Several records in a row as one: of rows and words the last of each stays, all else stays in order."""
    rows: dict[tuple[int, str], rule_state.Kept] = {}
    words: dict[str, ZoneAvailability] = {}
    known: dict[str, bytes] = {}
    sent: dict[str, int] = {}
    replaced: dict[str, int] = {}
    for each in records:
        gone, silent = set(each.gone), set(each.zones_gone)
        rows = {key: row for key, row in rows.items() if key[0] not in gone} if gone else rows
        words = {zone: word for zone, word in words.items() if zone not in silent}
        rows |= {(row.asset_id, row.rule): row for row in each.rows}
        known = {zone: outlook for zone, outlook in known.items() if zone not in silent} | each.outlooks
        words |= {word.zone: word for word in each.words}
        sent = each.sent | sent
        replaced = each.replaced | replaced
    return Record(
        number=records[-1].number,
        rows=list(rows.values()),
        gone=[asset for each in records for asset in each.gone],
        alarms=[change for each in records for change in each.alarms],
        orders=[order for each in records for order in each.orders],
        sent=sent,
        moves=[move for each in records for move in each.moves],
        words=list(words.values()),
        zones_gone=[zone for each in records for zone in each.zones_gone],
        outlooks=known,
        replaced=replaced,
    )


async def write_down(conn: Connection, term: int, decided: Record) -> list[Alarm]:
    """Make it durable, all or nothing; returns the alarms that changed, each as often as it did, in order.

    A record that is there already changes nothing.

    Raises:
        Overtaken: another leads by now.
        StorageError: it is not durable, or nobody knows whether it is.
    """
    with errors.translated():
        async with conn.transaction():
            if not await rule_lead.count(conn, term, decided.number):
                return []
            await rule_state.forget(conn, decided.gone)
            for rows in _portions(decided.rows):
                await rule_state.save(conn, rows)
            changed = await alarms.turn(conn, decided.alarms)
            await write_commands(conn, decided)
            await zones.forget(conn, decided.zones_gone)
            await zones.put(conn, decided.words)
            await zones.put_outlooks(conn, decided.outlooks)
    return changed


async def write_commands(conn: Connection, decided: Record) -> None:
    """Only what it says of commands."""
    for orders in _portions(decided.orders):
        await commands.order(conn, orders)
    for sent in _portions(list(decided.sent.items())):
        await commands.sent(conn, dict(sent))
    for replaced in _portions(list(decided.replaced.items())):
        await commands.replaced(conn, dict(replaced))
    for moves in _portions(decided.moves):
        await commands.move(conn, moves)


def alarm_change(effect: Effect) -> AlarmChange | None:
    """What an effect changes about alarms, `None` for nothing."""
    if isinstance(effect, RaiseAlarm):
        return alarms.Raised(
            effect.id,
            effect.subject,
            effect.asset,
            effect.type,
            effect.at_us,
            effect.observed_us,
            effect.why,
            effect.severity,
        )
    if isinstance(effect, ClearAlarm):
        return alarms.Cleared(effect.subject, effect.type, effect.at_us)
    return None


def _portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + STATEMENT_ROWS_MAX] for start in range(0, len(rows), STATEMENT_ROWS_MAX))


def _gone(before: State, after: State) -> list[int]:
    """The assets of which the rules have let go."""
    if before.registry is after.registry:
        return []
    here = {int(each) for ids in after.asset_id.values() for each in ids}
    return sorted({int(each) for ids in before.asset_id.values() for each in ids} - here)


def _order(effect: SendCommand) -> commands.Order:
    return commands.Order(
        effect.id,
        effect.asset_id,
        effect.asset,
        effect.device,
        effect.settings,
        effect.reason,
        effect.at_us,
        effect.expires_us,
        effect.carries,
    )


def _move(effect: MoveCommand) -> commands.Move:
    return commands.Move(effect.id, effect.state, effect.at_us, effect.error)
