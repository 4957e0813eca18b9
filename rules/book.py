"""Commands under way, from their birth until they are decided: sent, acknowledged, seen to be followed, or not.

`queued` here covers `sent`: whether the broker has a command is the runner's business. A device that reports and has
not acknowledged is sent the same command again, a few times; a repeat is harmless, for a device applies an id once.
"""

from dataclasses import dataclass, field
from zlib import crc32

import msgspec

from rules.effects import MoveCommand
from rules.memory import FOREVER_US, NEVER_US
from telemetry.clock import SECOND_US
from telemetry.commands import FOLLOW_REPORTS, FOLLOWED_POINTS, Priority, Settings, State
from telemetry.thresholds import Commanding

JITTER = 0.2
"""A device's second and later chances come up to this share sooner or later, by an accident of the command's id."""
ERROR_CHARACTERS_MAX = 500
"""A device's words on why it rejects a command are cut here."""


class Open(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that is not decided. `state` is `queued` (sent or not) or `acknowledged`.

    `sent_us` is when it last went out, `sends` how often; 0: it has waited for its turn since then. Reports measured
    after `acked_us` are held against it, until it expires or until another setpoint or device took its place at
    `moot_us`; `reports` of them did not follow.
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


@dataclass(slots=True)
class Book:
    """All open commands, by id and by asset."""

    by_id: dict[str, Open] = field(default_factory=dict)
    of_asset: dict[int, tuple[str, ...]] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)
    """Those that have not gone out yet, in the order of their coming."""

    def copy(self) -> "Book":
        """An independent copy; the commands themselves never change."""
        return Book(dict(self.by_id), dict(self.of_asset), dict(self.waiting))

    def put(self, command: Open) -> None:
        """Add a command, or replace it by a later state of itself."""
        if command.id not in self.by_id:
            self.of_asset[command.asset_id] = (*self.of_asset.get(command.asset_id, ()), command.id)
        self.by_id[command.id] = command
        if command.sends:
            self.waiting.pop(command.id, None)
        else:
            self.waiting[command.id] = None

    def drop(self, command: Open) -> None:
        """Forget a command that is decided."""
        del self.by_id[command.id]
        self.waiting.pop(command.id, None)
        left = tuple(each for each in self.of_asset[command.asset_id] if each != command.id)
        if left:
            self.of_asset[command.asset_id] = left
        else:
            del self.of_asset[command.asset_id]

    def of(self, asset_id: int) -> list[Open]:
        """The open commands of an asset, oldest first."""
        return [self.by_id[each] for each in self.of_asset.get(asset_id, ())]


def supersede(book: Book, new: Open, at_us: int) -> list[MoveCommand]:
    """Enter a new command; what it replaces before its acknowledgement is superseded, or had expired before.

    What went out again and again in vain counts for its successor: else a lease that is renewed would never fail.
    """
    moves, sends = [], 0
    for old in book.of(new.asset_id):
        if old.state is State.QUEUED and _names(old.settings) <= _names(new.settings):
            superseded = MoveCommand(old.id, at_us, State.SUPERSEDED)
            moves.append(superseded if old.expires_us > at_us else _expired(old))
            sends = old.sends if old.device == new.device else 0
            book.drop(old)
        elif replaces_setpoint(old, new) and at_us < old.moot_us:
            book.put(msgspec.structs.replace(old, moot_us=at_us))
    book.put(msgspec.structs.replace(new, sends=max(new.sends, sends)) if new.sends else new)
    return moves


def expire(book: Book, until_us: int) -> list[MoveCommand]:
    """The commands whose lease has ended by a moment before they were decided."""
    over = [each for each in book.by_id.values() if each.expires_us <= until_us]
    for each in over:
        book.drop(each)
    return [_expired(each) for each in over]


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


def let_out(book: Book, command: Open, at_us: int) -> Open:
    """It is the turn of a command that waited."""
    sent = msgspec.structs.replace(command, sends=1, sent_us=at_us)
    book.put(sent)
    return sent


def patience_us(command: Open, figures: Commanding, pace_us: int) -> int:
    """How long after it last went out a command is given to be acknowledged: twice as long each time, with jitter.

    `pace_us` is how far apart steps may lie under a fast clock.
    """
    plain_s = min(figures.retry_first_s * 2 ** (command.sends - 1), figures.retry_most_s)
    lot = crc32(f"{command.id}|{command.sends}".encode()) / 2**32
    wait_us: int = round(plain_s * SECOND_US * (1 - JITTER + 2 * JITTER * lot))
    return max(wait_us, pace_us)


def retry(book: Book, command: Open, at_us: int, sends_max: int) -> Open | MoveCommand:
    """A device reports and has not acknowledged: the command as it goes out again, or its end."""
    if command.sends >= sends_max:
        book.drop(command)
        error = f"The device reports, but did not acknowledge the command, sent {command.sends} times."
        return MoveCommand(command.id, at_us, State.FAILED, error)
    again = msgspec.structs.replace(command, sends=command.sends + 1, sent_us=at_us)
    book.put(again)
    return again


def _expired(command: Open) -> MoveCommand:
    unseen = "The lease ended before the lamp was seen to follow."
    error = "The device did not acknowledge in time." if command.state is State.QUEUED else unseen
    error = error if command.sends else "It ended before it was its turn to go out."
    return MoveCommand(command.id, command.expires_us, State.EXPIRED, error)


def _names(settings: Settings) -> set[str]:
    return {name for name in settings.__struct_fields__ if getattr(settings, name) is not None}


def replaces_setpoint(old: Open, new: Open) -> bool:
    """Whether a new command ends what an acknowledged one asks: by another setpoint, or of another device."""
    both = None not in (old.settings.setpoint_pct, new.settings.setpoint_pct)
    return both and (old.settings.setpoint_pct != new.settings.setpoint_pct or old.device != new.device)
