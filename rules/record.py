"""What the rules decided, written down in one transaction: memory, alarms, commands, zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.city import City
from rules.effects import ClearAlarm, Effect, ForgetZone, MoveCommand, PublishZone, RaiseAlarm, SendCommand
from rules.recall import Recalled, changes
from rules.state import State
from storage import alarms, commands, errors, rule_state, zones
from storage.pool import Connection
from telemetry.alarms import Alarm


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything since the last record: two states, the effects between them, and what the broker has since when."""

    city: City
    before: State
    after: State
    effects: Sequence[Effect]
    sent: Mapping[str, int]


async def record(conn: Connection, decided: Decided) -> list[Alarm]:
    """Make it durable, all or nothing; returns the alarms that changed, each as often as it did, in order.

    Raises:
        StorageError: it is not durable, or nobody knows whether it is.
    """
    with errors.translated():
        async with conn.transaction():
            await rule_state.save(conn, [_kept(row) for row in changes(decided.city, decided.before, decided.after)])
            await rule_state.forget(conn, _gone(decided.before, decided.after))
            changed = await alarms.turn(conn, [each for each in map(alarm_change, decided.effects) if each is not None])
            await commands.order(conn, [_order(each) for each in decided.effects if _is_new(each)])
            await commands.sent(conn, decided.sent)
            await commands.move(conn, [_move(each) for each in decided.effects if isinstance(each, MoveCommand)])
            await _write_zones(conn, decided.effects)
    return changed


async def _write_zones(conn: Connection, effects: Sequence[Effect]) -> None:
    words = {each.id: each.document for each in effects if isinstance(each, PublishZone)}
    gone = [each.id for each in effects if isinstance(each, ForgetZone)]
    await zones.forget(conn, gone)
    await zones.put(conn, list(words.values()))


def _kept(row: Recalled) -> rule_state.Kept:
    return rule_state.Kept(row.asset_id, row.rule, row.position_us, row.values)


def _gone(before: State, after: State) -> list[int]:
    """The assets of which the rules have let go."""
    if before.registry is after.registry:
        return []
    here = {int(each) for ids in after.asset_id.values() for each in ids}
    return sorted({int(each) for ids in before.asset_id.values() for each in ids} - here)


def alarm_change(effect: Effect) -> alarms.Raised | alarms.Cleared | None:
    """What an effect changes about alarms, `None` for nothing."""
    if isinstance(effect, RaiseAlarm):
        return alarms.Raised(
            effect.id, effect.subject, effect.asset, effect.type, effect.at_us, effect.observed_us, effect.why
        )
    if isinstance(effect, ClearAlarm):
        return alarms.Cleared(effect.subject, effect.type, effect.at_us)
    return None


def _is_new(effect: Effect) -> bool:
    return isinstance(effect, SendCommand) and effect.by_rule and not effect.again


def _order(effect: Effect) -> commands.Order:
    assert isinstance(effect, SendCommand)
    return commands.Order(
        effect.id,
        effect.asset_id,
        effect.asset,
        effect.device,
        effect.settings,
        effect.reason,
        effect.at_us,
        effect.expires_us,
    )


def _move(effect: MoveCommand) -> commands.Move:
    return commands.Move(effect.id, effect.state, effect.at_us, effect.error)
