"""Commands to devices: their shape on the wire, their states and how one follows another (contract §1)."""

import uuid
from enum import StrEnum
from typing import Any, Literal

import msgspec

Priority = Literal["override", "sensor", "program", "default"]
PRIORITIES: tuple[Priority, ...] = ("override", "sensor", "program", "default")
"""Reasons of a command, strongest first."""

FOLLOWED_POINTS = 5.0
"""A lamp follows when its level is within this many percentage points of the setpoint."""
FOLLOW_REPORTS = 3
"""A lamp has this many reports after its acknowledgement to follow."""


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a command sets; at least one is given. `setpoint_pct` is for street lights only."""

    setpoint_pct: float | None = None
    report_every_s: int | None = None


class Command(msgspec.Struct, frozen=True, rename={"settings": "set"}):
    """A command as the device receives it: a lease that ends at `expires_at`."""

    id: str
    ts: str
    settings: Settings
    expires_at: str
    reason: Priority


encode = msgspec.json.Encoder().encode
"""JSON bytes of a `Command`."""


class Ack(msgspec.Struct, frozen=True):
    """A device's answer to a command."""

    id: str
    ok: bool
    applied: dict[str, Any] | None = None
    error: str | None = None


class Status(msgspec.Struct, frozen=True):
    """A device's retained word on itself; also its Will with `online` false."""

    online: bool
    firmware: str | None = None


class State(StrEnum):
    """States of a command; see `FOLLOWS` for the order."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    SUPERSEDED = "superseded"


FOLLOWS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENT, State.EXPIRED, State.FAILED, State.SUPERSEDED}),
    State.SENT: frozenset({State.ACKNOWLEDGED, State.REJECTED, State.EXPIRED, State.FAILED, State.SUPERSEDED}),
    State.ACKNOWLEDGED: frozenset({State.VERIFIED, State.FAILED, State.EXPIRED}),
    State.VERIFIED: frozenset(),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
    State.FAILED: frozenset(),
    State.SUPERSEDED: frozenset(),
}
"""The whole state machine: which states may follow each."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lamplighter:command")


def command_id(subject: str, settings_of: str, cause_us: int) -> str:
    """The id of a command from (subject, what it sets and why, time of the cause), so that a repeat is the same."""
    return str(uuid.uuid5(_NAMESPACE, f"{subject}|{settings_of}|{cause_us}"))
