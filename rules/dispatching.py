"""What goes out to lamps in a step: overrides that wait for their turn, and what program and boost want, at a pace."""

import numpy as np

from rules import book as books
from rules import leases, pacing
from rules.book import Open
from rules.city import LAMPS
from rules.commanding import Desk, forbidden, give_up, met, readdressed, send, sending, unserved
from rules.effects import Count, MoveCommand
from rules.leases import Due
from rules.memory import NEVER_US
from rules.wanted import wanted
from telemetry.alarms import asset_subject
from telemetry.commands import PRIORITIES, Settings, command_id
from telemetry.commands import State as Stage
from telemetry.guards import objection


def dispatch(desk: Desk) -> None:
    """Send what is due, at the pace that radio networks bear: overrides that wait, then what lamps are to be told."""
    state, now_us, lamps = desk.state, desk.moment.now_us, desk.city.lamps
    leases.end_overrides(state.lease, now_us)
    strange = leases.strange(state.lease, desk.city) if state.strange is None else state.strange
    state.strange = strange
    for row in leases.unlawful(state.lease, desk.city).tolist():
        _end_unlawful(desk, row)
    for row in leases.stranded(state.lease, desk.city, strange).tolist():
        _hand_over(desk, row)
    wishes = [each for each in map(desk.book.by_id.__getitem__, desk.book.waiting) if each.expires_us > now_us]
    now_wanted = wanted(desk.city, state.photocell, state.boost, now_us)
    due = leases.due(state.lease, desk.city, now_wanted, strange, now_us)
    if not wishes and not len(due.rows):
        return
    asset_of, number = desk.city.asset, desk.city.zone_number
    zones = [number.get(None if (asset := asset_of(each.asset_id)) is None else asset.zone, 0) for each in wishes]
    turn = pacing.take(
        pacing.room(*desk.city.commands_per_s, desk.before_us, now_us, desk.city.pace_us),
        np.concatenate((np.array(zones, np.int32), lamps.zone[due.rows])),
        np.concatenate((np.full(len(wishes), NEVER_US), due.waits_us)),
        np.concatenate((np.arange(len(wishes)), lamps.order[due.rows])),
    )
    for place in turn[turn < len(wishes)].tolist():
        _let_out(desk, wishes[place])
    _tell(desk, due.take(turn[turn >= len(wishes)] - len(wishes)))


def _let_out(desk: Desk, wish: Open) -> None:
    """An override that waited for its turn goes out, unless a guard forbids it by now."""
    asset = desk.city.asset(wish.asset_id)
    refusal = unserved(None) if asset is None else forbidden(desk, asset, wish.settings, wish.expires_us)
    if refusal is not None or asset is None or asset.device != wish.device:
        desk.book.drop(wish)
        desk.effects.append(MoveCommand(wish.id, desk.moment.now_us, Stage.FAILED, refusal))
        give_up(desk, wish)
        return
    sent = books.let_out(desk.book, wish, desk.moment.now_us, desk.pace)
    desk.effects.append(sending(desk, asset, sent, by_rule=False))


def _tell(desk: Desk, due: Due) -> None:
    """Tell lamps what is wanted of them now."""
    now_us, roll = desk.moment.now_us, desk.city.rolls[LAMPS]
    dark = {until_us: desk.city.sun.dark_between(now_us, until_us) for until_us in set(due.expires_us.tolist())}
    refused = 0
    columns = (due.rows, due.level_pct, due.reason, due.cause_us, due.expires_us)
    for row, level, reason, cause, until_us in zip(*(each.tolist() for each in columns), strict=True):
        asset = roll.assets[row]
        assert asset.device is not None
        settings, why = Settings(setpoint_pct=level), PRIORITIES[reason]
        if objection(asset, settings, dark[until_us], desk.city.thresholds.lighting.class_min_pct) is not None:
            refused += 1
            continue
        what = f"{why}|{asset.device}|setpoint_pct={level:g}"
        identity = command_id(asset_subject(asset.asset), what, cause)
        send(desk, asset, Open(identity, asset.asset_id, LAMPS, asset.device, settings, why, until_us, now_us))
    leases.tell(desk.state.lease, due, desk.city)
    met(desk, due.rows)
    if refused:
        desk.effects.append(Count("program_refused", now_us, refused))


def _hand_over(desk: Desk, row: int) -> None:
    """Tell a new device what remains of the override of its lamp; the program resumes where a guard forbids it."""
    lease, asset = desk.state.lease, desk.city.rolls[LAMPS].assets[row]
    carrier = str(lease.override_via[row] or lease.override_by[row])
    old = desk.book.by_id.get(carrier)
    settings = Settings(setpoint_pct=float(lease.override_pct[row])) if old is None else old.settings
    until_us = int(lease.override_until_us[row])
    refusal = forbidden(desk, asset, settings, until_us)
    if refusal is not None:
        if old is not None and old.state is Stage.QUEUED:
            desk.book.drop(old)
            desk.effects.append(MoveCommand(carrier, desk.moment.now_us, Stage.FAILED, refusal))
        leases.end_override(lease, row, desk.moment.now_us)
        return
    command = readdressed(desk, asset, carrier, settings, until_us)
    leases.hand_over(lease, row, command.id, command.device)
    met(desk, row)


def _end_unlawful(desk: Desk, row: int) -> None:
    """An override of a lamp whose floor has been raised meanwhile ends where a guard forbids it now."""
    lease, asset = desk.state.lease, desk.city.rolls[LAMPS].assets[row]
    until_us = int(lease.override_until_us[row])
    dark = desk.city.sun.dark_between(desk.moment.now_us, until_us)
    settings = Settings(setpoint_pct=float(lease.override_pct[row]))
    refusal = objection(asset, settings, dark, desk.city.thresholds.lighting.class_min_pct)
    if refusal is None:
        return
    command = desk.book.by_id.get(str(lease.override_via[row]))
    if command is not None and command.state is Stage.QUEUED:
        desk.book.drop(command)
        desk.effects.append(MoveCommand(command.id, desk.moment.now_us, Stage.FAILED, refusal))
    leases.end_override(lease, row, desk.moment.now_us)
