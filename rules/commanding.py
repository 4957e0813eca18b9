"""The commands of a step: answers of devices, wishes of people, and what reports say about all of them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np

from rules import book as books
from rules import failing, following, leases, rhythm, silence
from rules.book import Book, Open, Pace
from rules.city import LAMPS, City
from rules.effects import Count, Effect, EndCommand, MoveCommand, SendCommand
from rules.inputs import Acked, Ended, Moment, Override
from rules.memory import NEVER_US, Bools, Reals, Rows, Times
from rules.state import State
from telemetry.alarms import asset_subject
from telemetry.commands import Priority, Settings, command_id
from telemetry.commands import State as Stage
from telemetry.guards import objection
from telemetry.registry import Asset


@dataclass(slots=True)
class Desk:
    """Where the commands of one step are dealt with: the state to change, the moment, the effects so far."""

    city: City
    state: State
    moment: Moment
    effects: list[Effect]
    before_us: int = NEVER_US
    """When the step before this one was."""
    unsent: Set[str] = frozenset()
    """Commands that are to go out and have not left yet."""

    @property
    def book(self) -> Book:
        """The open commands."""
        return self.state.book

    @property
    def pace(self) -> Pace:
        """How commands are repeated."""
        return Pace(self.city.thresholds.commanding, self.city.pace_us)

    def row(self, asset_id: int, kind: str) -> int:
        """The asset's row in the roll of its kind, −1 if it has gone."""
        return int(self.city.rolls[kind].rows(np.array([asset_id]))[0])


@dataclass(frozen=True, slots=True)
class Reports:
    """One wave of observations as reports. `level_pct`: of lamps only; `heard_us`: the last sign of life before.

    `after`: not said before an acknowledgement that came in the same batch.
    """

    kind: str
    rows: Rows
    at_us: Times
    after: Bools
    heard_us: Times
    level_pct: Reals | None


def answer(desk: Desk, ack: Acked) -> tuple[str, int] | None:
    """A device answers a command; returns kind and row of a lamp that has a new setpoint in force."""
    now_us = desk.moment.now_us
    command = desk.book.by_id.get(ack.id)
    if command is None or command.device != ack.device:
        desk.effects.append(Count("ack_unknown", now_us, 1))
        return None
    if command.state is not Stage.QUEUED:
        desk.effects.append(Count("ack_repeated", now_us, 1))
        return None
    if not ack.ok:
        rejected = books.reject(desk.book, command, now_us, ack.error)
        desk.effects.append(rejected)
        give_up(desk, command, rejected.error)
        return None
    acked_us = max(command.sent_us, min(ack.given_us, desk.moment.settled_us))
    applied, move = books.acknowledge(desk.book, command, acked_us, now_us)
    desk.effects.append(move)
    row = desk.row(command.asset_id, command.kind)
    if row < 0:
        return None
    desk.effects.extend(failing.end(desk.city.rolls[command.kind], desk.state.presence[command.kind], [row], now_us))
    every_s = command.settings.report_every_s
    if every_s is not None:
        silence.tell(desk.state.presence[command.kind], row, every_s, command.expires_us, command.id)
    if applied is None or command.settings.setpoint_pct is None:
        return None
    following.set_point(desk.state.following, row, command.settings.setpoint_pct, acked_us, command.expires_us)
    return command.kind, row


def override(desk: Desk, wish: Override) -> None:
    """Take up what a person wrote down: refused by a guard, too late, or sent."""
    now_us = desk.moment.now_us
    asset = desk.city.asset(wish.asset_id)
    if wish.expires_us <= now_us:
        error = "The override had ended before it was taken up."
        desk.effects.append(MoveCommand(wish.id, now_us, Stage.EXPIRED, error))
        return
    refusal = unserved(None) if asset is None else forbidden(desk, asset, wish.settings, wish.expires_us)
    if refusal is not None or asset is None or asset.device is None:
        desk.effects.append(MoveCommand(wish.id, now_us, Stage.FAILED, refusal))
        return
    command = Open(
        wish.id, wish.asset_id, asset.kind, asset.device, wish.settings, "override", wish.expires_us, now_us, sends=0
    )
    row = desk.row(wish.asset_id, asset.kind)
    desk.effects.extend(EndCommand(each, now_us) for each in sorted(_replaced(desk, command, row)))
    _enter(desk, command)
    if wish.settings.report_every_s is not None and desk.state.presence[asset.kind].told_until_us[row] > now_us:
        desk.state.presence[asset.kind].told_by[row] = wish.id
    setpoint = wish.settings.setpoint_pct
    if setpoint is not None:
        leases.override(desk.state.lease, row, setpoint, wish.expires_us, wish.id, asset.device)
        met(desk, row)


def _replaced(desk: Desk, command: Open, row: int) -> set[str]:
    """The commands in force of which an override leaves nothing: neither the setpoint nor the report interval."""
    lease, presence, now_us = desk.state.lease, desk.state.presence[command.kind], desk.moment.now_us
    lit, paced = set[str](), set[str]()
    if command.kind == LAMPS and lease.override_until_us[row] > now_us:
        lit = {str(lease.override_by[row]), str(lease.override_via[row])}
    if presence.told_until_us[row] > now_us:
        paced = {str(presence.told_by[row])}
    sets_light, sets_pace = command.settings.setpoint_pct is not None, command.settings.report_every_s is not None
    gone = (lit if sets_light else set()) | (paced if sets_pace else set())
    return gone - (set() if sets_light else lit) - (set() if sets_pace else paced) - {""}


def end(desk: Desk, ended: Ended) -> None:
    """A person takes an override back: the program resumes, a changed report interval becomes the registered one."""
    lease = desk.state.lease
    rows = leases.carried(lease, ended.id)
    for name in sorted({ended.id, *lease.override_via[rows]}):
        _withdraw(desk, replace(ended, id=name))
    for row in rows.tolist():
        leases.end_override(lease, row, ended.at_us)


def _withdraw(desk: Desk, ended: Ended) -> None:
    """Take back one of the commands that carry an override, and the report interval that it has set."""
    command = desk.book.by_id.get(ended.id)
    told_until_us, asset_id = NEVER_US, None
    if command is not None and command.state is Stage.QUEUED:
        desk.book.drop(command)
        desk.effects.append(MoveCommand(command.id, desk.moment.now_us, Stage.SUPERSEDED))
        if command.settings.report_every_s is not None:
            told_until_us, asset_id = command.expires_us, command.asset_id
    for kind, presence in desk.state.presence.items():
        for row in np.flatnonzero(presence.told_by == ended.id):
            told_until_us, asset_id = int(presence.told_until_us[row]), int(desk.city.rolls[kind].asset_id[row])
    if asset_id is not None and told_until_us > desk.moment.now_us:
        _restore_interval(desk, asset_id, told_until_us, ended)


def reports(desk: Desk, wave: Reports) -> None:
    """What reports of devices say about their open commands."""
    if not desk.book.of_asset:
        return
    roll = desk.city.rolls[wave.kind]
    asset_ids, interval_us = roll.asset_id[wave.rows], rhythm.interval_us(desk.state.rhythm[wave.kind], roll)
    patience_us = desk.city.thresholds.presence.missed_intervals * interval_us[wave.rows]
    asked = desk.book.dates.asked(asset_ids, desk.moment.settled_us, wave.heard_us, patience_us)
    for place in np.flatnonzero(asked).tolist():
        row = int(wave.rows[place])
        for command in desk.book.of(int(asset_ids[place])):
            if command.state is Stage.QUEUED:
                _unanswered(desk, roll.assets[row], command, int(wave.heard_us[place]), int(patience_us[place]))
            elif wave.level_pct is not None and wave.after[place] and _binds(command, wave.at_us[place : place + 1]):
                move = books.verify(desk.book, command, float(wave.level_pct[place]), desk.moment.now_us)
                desk.effects.extend([] if move is None else [move])


def met(desk: Desk, rows: Rows | int) -> None:
    """These lamps' devices have been told of their leases."""
    if desk.state.strange is not None:
        desk.state.strange[rows] = False


def ask(desk: Desk, asset: Asset, settings: Settings, reason: Priority, cause_us: int, expires_us: int) -> str | None:
    """Send what a rule asks of the device of an asset; returns the command's id, `None` where a guard forbids it."""
    if asset.device is None or forbidden(desk, asset, settings, expires_us) is not None:
        return None
    what = f"{reason}|{asset.device}|{settings}"
    identity = command_id(asset_subject(asset.asset), what, cause_us)
    now_us = desk.moment.now_us
    command = Open(identity, asset.asset_id, asset.kind, asset.device, settings, reason, expires_us, now_us)
    send(desk, asset, command, cause_us=cause_us)
    return identity


def depart(desk: Desk, left_us: Mapping[str, int]) -> None:
    """The broker has taken these commands: the time that their devices are given begins there."""
    for name, at_us in left_us.items():
        command = desk.book.by_id.get(name)
        if command is not None and command.state is Stage.QUEUED:
            books.depart(desk.book, command, at_us, desk.pace)


def expire(desk: Desk) -> None:
    """End what was not decided before its lease ended."""
    desk.effects.extend(books.expire(desk.book, desk.moment.settled_us, desk.unsent))


def send(desk: Desk, asset: Asset, command: Open, carries: str | None = None, cause_us: int | None = None) -> None:
    """Send a command that a rule has made; `carries` is the command whose wish it carries on to another device."""
    desk.effects.append(replace(sending(desk, asset, command), carries=carries, cause_us=cause_us))
    _enter(desk, command)


def _enter(desk: Desk, command: Open) -> None:
    """Book a command; the ones that it replaces end, and so does the setpoint in force if it is another."""
    desk.effects.extend(books.supersede(desk.book, command, desk.moment.now_us, desk.pace))
    setpoint, lamps = command.settings.setpoint_pct, desk.state.following
    if setpoint is not None:
        row = desk.row(command.asset_id, LAMPS)
        if lamps.acked_pct[row] != setpoint or desk.state.lease.device[row] != command.device:
            following.part(lamps, row, desk.moment.now_us)


def sending(desk: Desk, asset: Asset, command: Open, by_rule: bool = True, again: bool = False) -> SendCommand:
    """The effect that sends a command now, or `again`; `by_rule`: a rule has made it."""
    return SendCommand(
        command.id,
        desk.moment.now_us,
        command.asset_id,
        asset.asset,
        command.kind,
        command.device,
        command.settings,
        command.reason,
        command.expires_us,
        by_rule,
        again,
    )


def readdressed(desk: Desk, asset: Asset, carrier: str, settings: Settings, until_us: int) -> Open:
    """Send the remainder of an override to the device that serves its asset now, in place of the command before."""
    assert asset.device is not None
    now_us = desk.moment.now_us
    identity = command_id(asset_subject(asset.asset), f"override|{asset.device}|{carrier}", now_us)
    command = Open(identity, asset.asset_id, asset.kind, asset.device, settings, "override", until_us, now_us)
    send(desk, asset, command, carries=carrier)
    return command


def forbidden(desk: Desk, asset: Asset, settings: Settings, until_us: int) -> str | None:
    """Why an asset must not be told this until then, or cannot be; `None` if it may."""
    dark = desk.city.sun.dark_between(desk.moment.now_us, until_us)
    return objection(asset, settings, dark, desk.city.thresholds.lighting.class_min_pct) or unserved(asset)


def _astray(desk: Desk, asset: Asset, command: Open) -> None:
    """A command waits for a device that serves its asset no more: an override goes to the new one, others end."""
    if command.reason == "override" and forbidden(desk, asset, command.settings, command.expires_us) is None:
        readdressed(desk, asset, command.id, command.settings, command.expires_us)
    if command.id in desk.book.by_id:
        desk.book.drop(command)
        desk.effects.append(MoveCommand(command.id, desk.moment.now_us, Stage.SUPERSEDED))


def _unanswered(desk: Desk, asset: Asset, command: Open, heard_us: int, patience_us: int) -> None:
    """A device reports and has not acknowledged: if it has had the time, or was away when it was sent, send again."""
    moment = desk.moment
    if command.expires_us <= moment.now_us or not command.sends or command.id in desk.unsent:
        return
    if command.device != asset.device:
        if command.settings.setpoint_pct is None:
            _astray(desk, asset, command)
        return
    was_away = heard_us == NEVER_US or heard_us + patience_us <= command.sent_us
    if not was_away and moment.settled_us < command.again_us:
        return
    refusal = forbidden(desk, asset, command.settings, command.expires_us)
    again = books.retry(desk.book, command, moment.now_us, desk.pace) if refusal is None else None
    if again is None:
        desk.book.drop(command)
        again = MoveCommand(command.id, moment.now_us, Stage.FAILED, refusal)
    if isinstance(again, Open):
        desk.effects.append(sending(desk, asset, again, by_rule=command.reason != "override", again=True))
        return
    desk.effects.append(again)
    give_up(desk, command, again.error)


def _binds(command: Open, at_us: Times) -> bool:
    """Whether the one report of this time says anything about an acknowledged command."""
    return bool(following.speaks(at_us, command.acked_us, min(command.expires_us, command.moot_us))[0])


def give_up(desk: Desk, command: Open, error: str | None = None) -> None:
    """A command came to nothing: an override of it no longer stands in the way; `error` is worth an alarm."""
    lease, row = desk.state.lease, desk.row(command.asset_id, command.kind)
    mine = command.reason == "override" and command.kind == LAMPS and row >= 0
    if mine and command.id in (lease.override_by[row], lease.override_via[row]):
        leases.end_override(lease, row, desk.moment.now_us)
    if error is not None and row >= 0:
        presence, now_us = desk.state.presence[command.kind], desk.moment.now_us
        desk.effects.extend(failing.begin(desk.city, command, row, presence, error, now_us))


def _restore_interval(desk: Desk, asset_id: int, until_us: int, ended: Ended) -> None:
    asset = desk.city.asset(asset_id)
    if asset is None:
        return
    row = desk.row(asset.asset_id, asset.kind)
    presence = desk.state.presence[asset.kind]
    presence.told_until_us[row] = NEVER_US
    presence.told_by[row] = ""
    if asset.device is None:
        return
    settings = Settings(report_every_s=asset.report_every_s)
    what = f"default|{asset.device}|report_every_s={asset.report_every_s}|{ended.id}"
    identity = command_id(asset_subject(asset.asset), what, ended.at_us)
    now_us = desk.moment.now_us
    if forbidden(desk, asset, settings, until_us) is not None:
        return
    send(desk, asset, Open(identity, asset.asset_id, asset.kind, asset.device, settings, "default", until_us, now_us))


def unserved(asset: Asset | None) -> str | None:
    """Why nothing can be sent to an asset, `None` if it can."""
    if asset is None:
        return "The asset is not in service any more."
    return None if asset.device is not None else f"No device serves {asset.asset}."
