"""Alarms: types, severities, and the lifecycle of ISA-18.2 as a table; everything that names a state lives here."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    def exceeds(self, other: "Severity") -> bool:
        """Whether this is worse than another."""
        order = tuple(Severity)
        return order.index(self) > order.index(other)


class State(StrEnum):
    """Where an alarm stands (ISA-18.2)."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    NORMAL = "normal"
    SHELVED = "shelved"


class Event(StrEnum):
    """What moves an alarm from state to state."""

    RAISE = "raise"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"
    REPLACE = "replace"


class AlarmType(StrEnum):
    """The closed list of contract §4."""

    DRAIN_HIGH = "drain_high"
    DRAIN_OVERFLOW = "drain_overflow"
    DRAIN_RISING_FAST = "drain_rising_fast"
    DRAIN_BLOCKAGE = "drain_blockage"
    SENSOR_FAULT = "sensor_fault"
    DEVICE_SILENT = "device_silent"
    GATEWAY_OUTAGE = "gateway_outage"
    CABINET_OUTAGE = "cabinet_outage"
    LAMP_FAULT = "lamp_fault"
    LAMP_NOT_FOLLOWING = "lamp_not_following"
    LAMP_UNEXPECTEDLY_ON = "lamp_unexpectedly_on"
    LAMP_CYCLING = "lamp_cycling"
    SUPPLY_LOSS = "supply_loss"
    BATTERY_LOW = "battery_low"
    PARKING_BAY_STUCK = "parking_bay_stuck"
    COMMAND_FAILED = "command_failed"
    LEDGER_IMBALANCE = "ledger_imbalance"
    QUEUE_FILLING = "queue_filling"


SEVERITIES = dict.fromkeys(AlarmType, Severity.WARNING) | {
    AlarmType.DRAIN_OVERFLOW: Severity.CRITICAL,
    AlarmType.GATEWAY_OUTAGE: Severity.CRITICAL,
    AlarmType.CABINET_OUTAGE: Severity.CRITICAL,
    AlarmType.LEDGER_IMBALANCE: Severity.CRITICAL,
    AlarmType.BATTERY_LOW: Severity.INFO,
    AlarmType.LAMP_UNEXPECTEDLY_ON: Severity.INFO,
    AlarmType.PARKING_BAY_STUCK: Severity.INFO,
}
"""The severity of each type; an alarm may be raised worse, and raised again worse while it stands."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NORMAL, Event.RAISE): State.UNACKNOWLEDGED,
    (State.UNACKNOWLEDGED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.UNACKNOWLEDGED, Event.CLEAR): State.RETURNED_UNACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.CLEAR): State.NORMAL,
    (State.RETURNED_UNACKNOWLEDGED, Event.ACKNOWLEDGE): State.NORMAL,
    (State.RETURNED_UNACKNOWLEDGED, Event.REPLACE): State.NORMAL,
}
"""The lifecycle without shelving, which lies over it; a pair not listed changes nothing.

A condition that comes back while its last alarm is returned but unacknowledged is a new alarm with its own cause; it
replaces the old one, so that a subject has at most one active alarm of a type.
"""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as operators, API and MQTT see it (contract §4); `None` stands for what does not apply."""

    id: str
    subject: str
    asset: str | None
    type: str
    severity: str
    state: str
    state_under: str | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelve_reason: str | None
    raised_at: datetime
    cleared_at: datetime | None
    observed_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str | None
    why: dict[str, Any]


encode = msgspec.json.Encoder().encode
"""JSON bytes of an `Alarm`; times are RFC 3339 in UTC with `Z`."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lamplighter:alarm")


def follow(state: State, event: Event) -> State:
    """The state after an event; the same state where the event means nothing in it."""
    return TRANSITIONS.get((state, event), state)


def alarm_id(subject: str, alarm_type: AlarmType, cause_us: int) -> str:
    """The id of an alarm from (subject, type, `observed_at` of the cause), so that a repeat is the same alarm."""
    return str(uuid.uuid5(_NAMESPACE, f"{subject}|{alarm_type}|{cause_us}"))


PLATFORM = "platform"
"""The subject of alarms about the platform itself."""


def gateway_subject(gateway: str) -> str:
    """The subject of an alarm about one radio gateway."""
    return f"gateway:{gateway}"


def cabinet_subject(cabinet: str) -> str:
    """The subject of an alarm about all lamps of one cabinet."""
    return f"cabinet:{cabinet}"


def asset_subject(asset: str) -> str:
    """The subject of an alarm about one asset."""
    return f"asset:{asset}"


def zone_subject(zone: str) -> str:
    """The subject of what concerns a whole zone."""
    return f"zone:{zone}"
