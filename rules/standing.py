"""The alarms that are not normal, as the database has them, kept at hand for the time while it is away.

What the statements of `storage/queries/alarms.sql` do to the rows, `take` does here: so that an alarm which goes out
without the database is the one that will be written down. Pure.
"""

from collections.abc import Iterable, Mapping

import msgspec

from rules.record import AlarmChange
from storage.alarms import Raised
from telemetry.alarms import SEVERITIES, Alarm, AlarmType, Event, Severity, State, follow
from telemetry.clock import to_datetime

_BACK = (State.RETURNED_UNACKNOWLEDGED, State.NORMAL)


class Standing:
    """At most one alarm of a subject and type is not normal."""

    def __init__(self, alarms: Iterable[Alarm] = ()) -> None:
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self.note(alarms)

    def note(self, changed: Iterable[Alarm]) -> None:
        """These alarms are now like this."""
        for alarm in changed:
            key = (alarm.subject, alarm.type)
            if alarm.state != State.NORMAL:
                self._alarms[key] = alarm
            elif key in self._alarms and self._alarms[key].id == alarm.id:
                del self._alarms[key]

    def differing(self, active: Mapping[str, tuple[str, str | None]]) -> set[str]:
        """The alarms of which the database says otherwise, given state and state under shelving of those not normal."""
        mine = {each.id: (each.state, each.state_under) for each in self._alarms.values()}
        return {name for name in mine.keys() | active.keys() if mine.get(name) != active.get(name)}

    def holding(self, subject: str) -> dict[AlarmType, Alarm]:
        """The alarms of a subject whose condition holds, whoever has seen or shelved them."""
        mine = [each for each in self._alarms.values() if each.subject == subject and each.cleared_at is None]
        return {AlarmType(each.type): each for each in mine}

    def take(self, change: AlarmChange) -> list[Alarm]:
        """Raise or clear; returns every state that comes of it, in order. A repeat changes nothing."""
        before = self._alarms.get((change.subject, change.type))
        changed = _raise(before, change) if isinstance(change, Raised) else _clear(before, change.cleared_us)
        self.note(changed)
        return changed


def _raise(before: Alarm | None, change: Raised) -> list[Alarm]:
    if before is not None and before.id == change.id:
        return _worsened(before, change)
    if before is None:
        return [_new(change)]
    if before.state == State.SHELVED and before.state_under in _BACK:
        again = dict.fromkeys(("cleared_at", "acknowledged_by", "acknowledged_at", "note"))
        return [msgspec.structs.replace(before, state_under=State.UNACKNOWLEDGED, why=dict(change.why), **again)]
    if before.state == State.RETURNED_UNACKNOWLEDGED:
        return [msgspec.structs.replace(before, state=follow(State(before.state), Event.REPLACE)), _new(change)]
    return []


def _worsened(before: Alarm, change: Raised) -> list[Alarm]:
    worse = change.severity is not None and change.severity.exceeds(Severity(before.severity))
    if not worse or before.cleared_at is not None or change.severity is None:
        return []
    return [msgspec.structs.replace(before, severity=change.severity, why=dict(change.why))]


def _clear(before: Alarm | None, cleared_us: int) -> list[Alarm]:
    if before is None:
        return []
    at = max(to_datetime(cleared_us), before.raised_at)
    stood = State(before.state_under or before.state)
    now = follow(stood, Event.CLEAR)
    if now is stood:
        return []
    if before.state == State.SHELVED:
        return [msgspec.structs.replace(before, state_under=now, cleared_at=at)]
    return [msgspec.structs.replace(before, state=now, cleared_at=at)]


def _new(change: Raised) -> Alarm:
    return Alarm(
        id=change.id,
        subject=change.subject,
        asset=change.asset,
        type=change.type,
        severity=change.severity or SEVERITIES[change.type],
        state=State.UNACKNOWLEDGED,
        state_under=None,
        shelved_until=None,
        shelved_by=None,
        shelve_reason=None,
        raised_at=to_datetime(change.raised_us),
        cleared_at=None,
        observed_at=to_datetime(change.observed_us),
        acknowledged_by=None,
        acknowledged_at=None,
        note=None,
        why=dict(change.why),
    )
