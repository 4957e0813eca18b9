"""Commands under way, from their birth until they are decided: sent, acknowledged, seen to be followed, or not.

`queued` here covers `sent`: whether the broker has a command is the runner's business. A device that reports and has
not acknowledged is sent the same command again, a few times; a repeat is harmless, for a device applies an id once.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Self
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from rules.effects import EndCommand, MoveCommand
from rules.memory import FOREVER_US, NEVER_US, Bools, Times
from telemetry.clock import SECOND_US
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS, Priority, Settings, State
from telemetry.thresholds import Commanding

JITTER = 0.2
"""A device's second and later chances come up to this share sooner or later, by an accident of the command's id."""
ERROR_CHARACTERS_MAX = 500
"""A device's words on why it rejects a command are cut here."""


class Open(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that is not decided. `state` is `queued` (sent or not) or `acknowledged`.

    `sent_us` is when it last went out, or was to, `sends` how often; 0: it has waited for its turn since then. Reports
    measured after `acked_us` are held against it, until it expires or until another setpoint or device took its place
    at `moot_us`; `reports` of them did not follow. It goes out again at a report from `again_us` on.
    """

    id: str
    asset_id: int
    kind: str
    device: str
    settings: Settings
    reason: Priority
    expires_us: int
    sent_us: int
    state: State = State.QUEUED
    sends: int = 1
    reports: int = 0
    acked_us: int = NEVER_US
    moot_us: int = FOREVER_US
    again_us: int = NEVER_US


@dataclass(slots=True)
class Dates:
    """When open commands want to be looked at, by number of the asset; for all assets at once.

    `end_us`: the first of them ends. `look_us`: from then on a report matters to one of them. `sent_us`: the last that
    is not acknowledged went out.
    """

    end_us: Times
    look_us: Times
    sent_us: Times

    @classmethod
    def none(cls) -> Self:
        """Of no command."""
        return cls(*(np.empty(0, np.int64) for _ in range(3)))

    def copy(self) -> "Dates":
        """An independent copy."""
        return Dates(self.end_us.copy(), self.look_us.copy(), self.sent_us.copy())

    def note(self, asset_id: int, commands: Sequence[Open]) -> None:
        """These are now the open commands of an asset."""
        if asset_id >= len(self.end_us):
            more = asset_id + 1 - len(self.end_us) + len(self.end_us) // 2
            self.end_us = np.concatenate((self.end_us, np.full(more, FOREVER_US)))
            self.look_us = np.concatenate((self.look_us, np.full(more, FOREVER_US)))
            self.sent_us = np.concatenate((self.sent_us, np.full(more, NEVER_US)))
        queued = [each for each in commands if each.state is State.QUEUED and each.sends]
        held = NEVER_US if any(each.state is not State.QUEUED for each in commands) else FOREVER_US
        self.end_us[asset_id] = min((each.expires_us for each in commands), default=FOREVER_US)
        self.look_us[asset_id] = min((each.again_us for each in queued), default=held) if held > NEVER_US else held
        self.sent_us[asset_id] = max((each.sent_us for each in queued), default=NEVER_US)

    def look_anew(self) -> None:
        """Have every open command looked at with its device's next report."""
        self.look_us[self.sent_us != NEVER_US] = NEVER_US

    def asked(self, asset_ids: NDArray[np.int32], until_us: int, heard_us: Times, patience_us: Times) -> Bools:
        """For which of these assets a report matters, or that it is heard again after a command went out in vain."""
        known = asset_ids < len(self.end_us)
        if not known.all():
            found = np.zeros(len(asset_ids), np.bool_)
            found[known] = self.asked(asset_ids[known], until_us, heard_us[known], patience_us[known])
            return found
        sent_us = self.sent_us[asset_ids]
        away = (sent_us != NEVER_US) & ((heard_us == NEVER_US) | (heard_us + patience_us <= sent_us))
        matters: Bools = (self.look_us[asset_ids] <= until_us) | away
        return matters

    def ended(self, until_us: int) -> list[int]:
        """The assets of which a command has ended by a moment."""
        found: list[int] = np.flatnonzero(self.end_us <= until_us).tolist()
        return found


@dataclass(slots=True)
class Book:
    """All open commands, by id and by asset."""

    by_id: dict[str, Open] = field(default_factory=dict)
    of_asset: dict[int, tuple[str, ...]] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)
    """Those that have not gone out yet, in the order of their coming."""
    dates: Dates = field(default_factory=Dates.none)

    def copy(self) -> "Book":
        """An independent copy; the commands themselves never change."""
        return Book(dict(self.by_id), dict(self.of_asset), dict(self.waiting), self.dates.copy())

    def put(self, command: Open) -> None:
        """Add a command, or replace it by a later state of itself."""
        if command.id not in self.by_id:
            self.of_asset[command.asset_id] = (*self.of_asset.get(command.asset_id, ()), command.id)
        self.by_id[command.id] = command
        if command.sends:
            self.waiting.pop(command.id, None)
        else:
            self.waiting[command.id] = None
        self.dates.note(command.asset_id, self.of(command.asset_id))

    def drop(self, command: Open) -> None:
        """Forget a command that is decided."""
        del self.by_id[command.id]
        self.waiting.pop(command.id, None)
        left = tuple(each for each in self.of_asset[command.asset_id] if each != command.id)
        if left:
            self.of_asset[command.asset_id] = left
        else:
            del self.of_asset[command.asset_id]
        self.dates.note(command.asset_id, self.of(command.asset_id))

    def of(self, asset_id: int) -> list[Open]:
        """The open commands of an asset, oldest first."""
        return [self.by_id[each] for each in self.of_asset.get(asset_id, ())]

    def last(self, asset_id: int) -> list[Open]:
        """Those of its open commands of which no later one, open or decided, sets the same; oldest first."""
        found = self.of(asset_id)
        return [
            each
            for place, each in enumerate(found)
            if each.moot_us == FOREVER_US
            and not any(_names(each.settings) <= _names(later.settings) for later in found[place + 1 :])
        ]


@dataclass(frozen=True, slots=True)
class Pace:
    """How commands are repeated; `steps_us` is how far apart steps may lie under a fast clock."""

    figures: Commanding
    steps_us: int

    def dated(self, command: Open) -> Open:
        """A command with the time from which on it may go out again."""
        return msgspec.structs.replace(
            command, again_us=command.sent_us + patience_us(command, self.figures, self.steps_us)
        )


def patience_us(command: Open, figures: Commanding, steps_us: int) -> int:
    """How long after it last went out a command is given to be acknowledged: twice as long each time, with jitter."""
    plain_s = min(figures.retry_first_s * 2 ** (command.sends - 1), figures.retry_most_s)
    lot = crc32(f"{command.id}|{command.sends}".encode()) / 2**32
    wait_us: int = round(plain_s * SECOND_US * (1 - JITTER + 2 * JITTER * lot))
    return max(wait_us, steps_us)


def supersede(book: Book, new: Open, at_us: int, pace: Pace) -> list[MoveCommand | EndCommand]:
    """Enter a new command; what it replaces before its acknowledgement is superseded, or had expired before.

    What a device has acknowledged keeps its state and ends now; whether an override does is not decided here, for it
    may have set a report interval too, or be carried on. What went out again and again in vain counts for its
    successor: else a lease that is renewed would never fail.
    """
    moves: list[MoveCommand | EndCommand] = []
    sends = 0
    for old in book.of(new.asset_id):
        if old.state is State.QUEUED and _names(old.settings) <= _names(new.settings):
            superseded = MoveCommand(old.id, at_us, State.SUPERSEDED)
            moves.append(superseded if old.expires_us > at_us else _expired(old))
            sends = old.sends if old.device == new.device else 0
            book.drop(old)
        elif replaces_setpoint(old, new) and at_us < old.moot_us:
            book.put(msgspec.structs.replace(old, moot_us=at_us))
            if old.state is State.ACKNOWLEDGED and old.reason != "override":
                moves.append(EndCommand(old.id, min(at_us, old.expires_us)))
    book.put(pace.dated(msgspec.structs.replace(new, sends=max(new.sends, sends))) if new.sends else new)
    return moves


def depart(book: Book, command: Open, at_us: int, pace: Pace) -> None:
    """A command has left; if it had to wait for that, its device's time to answer begins now."""
    if at_us - command.sent_us > pace.steps_us:
        book.put(pace.dated(msgspec.structs.replace(command, sent_us=at_us)))


def expire(book: Book, until_us: int, unsent: Set[str] = frozenset()) -> list[MoveCommand | EndCommand]:
    """The commands whose lease has ended by a moment before they were decided; `unsent` ones are still to leave.

    One that had been acknowledged and then replaced could not be followed any more: it keeps its state.
    """
    over = [each for asset in book.dates.ended(until_us) for each in book.of(asset) if each.expires_us <= until_us]
    for each in over:
        book.drop(each)
    return [
        EndCommand(each.id, each.expires_us)
        if each.state is State.ACKNOWLEDGED and each.moot_us < FOREVER_US
        else _expired(each, each.id in unsent)
        for each in over
    ]


def acknowledge(book: Book, command: Open, acked_us: int, at_us: int) -> tuple[Open | None, MoveCommand]:
    """The device has applied a command; one with a setpoint stays open until the lamp is seen to follow.

    What was measured up to `acked_us` says nothing about that.
    """
    if command.settings.setpoint_pct is None:
        book.drop(command)
        return None, MoveCommand(command.id, at_us, State.ACKNOWLEDGED)
    applied = msgspec.structs.replace(command, state=State.ACKNOWLEDGED, acked_us=acked_us)
    book.put(applied)
    return applied, MoveCommand(command.id, at_us, State.ACKNOWLEDGED)


def reject(book: Book, command: Open, at_us: int, error: str | None) -> MoveCommand:
    """The device refuses a command."""
    book.drop(command)
    said = (error or "").replace("\0", "").encode("utf-8", "replace").decode()
    words = said or "The device rejects the command without saying why."
    return MoveCommand(command.id, at_us, State.REJECTED, words[:ERROR_CHARACTERS_MAX])


def verify(book: Book, command: Open, level_pct: float, at_us: int) -> MoveCommand | None:
    """Hold one report against an acknowledged command: verified, failed after the last chance, or not decided."""
    setpoint = command.settings.setpoint_pct
    assert setpoint is not None
    if abs(level_pct - setpoint) <= FOLLOWED_POINTS:
        book.drop(command)
        return MoveCommand(command.id, at_us, State.VERIFIED)
    seen = msgspec.structs.replace(command, reports=command.reports + 1)
    if seen.reports < FOLLOW_REPORTS:
        book.put(seen)
        return None
    book.drop(command)
    error = f"The lamp gave {level_pct:g} % in its report number {seen.reports} after acknowledging {setpoint:g} %."
    return MoveCommand(command.id, at_us, State.FAILED, error)


def let_out(book: Book, command: Open, at_us: int, pace: Pace) -> Open:
    """It is the turn of a command that waited."""
    sent = pace.dated(msgspec.structs.replace(command, sends=1, sent_us=at_us))
    book.put(sent)
    return sent


def retry(book: Book, command: Open, at_us: int, pace: Pace) -> Open | MoveCommand:
    """A device reports and has not acknowledged: the command as it goes out again, or its end."""
    if command.sends >= pace.figures.sends_max:
        book.drop(command)
        error = f"The device reports, but did not acknowledge the command, sent {command.sends} times."
        return MoveCommand(command.id, at_us, State.FAILED, error)
    again = pace.dated(msgspec.structs.replace(command, sends=command.sends + 1, sent_us=at_us))
    book.put(again)
    return again


def _expired(command: Open, unsent: bool = False) -> MoveCommand:
    unseen = "The lease ended before the lamp was seen to follow."
    error = "The device did not acknowledge in time." if command.state is State.QUEUED else unseen
    error = error if command.sends else "It ended before it was its turn to go out."
    if unsent and command.sends == 1:
        error = "The broker did not take it in time."
    return MoveCommand(command.id, command.expires_us, State.EXPIRED, error)


def _names(settings: Settings) -> set[str]:
    return {name for name in settings.__struct_fields__ if getattr(settings, name) is not None}


def replaces_setpoint(old: Open, new: Open) -> bool:
    """Whether a new command ends what an acknowledged one asks: by another setpoint, or of another device."""
    both = None not in (old.settings.setpoint_pct, new.settings.setpoint_pct)
    return both and (old.settings.setpoint_pct != new.settings.setpoint_pct or old.device != new.device)
