"""Alarms on the broker: retained while not normal, then the final alarm once, then nothing (contract §1).

What the broker retains is held against the database: after each connection, because a broker may forget and we may
have died between two steps, and every few seconds, because people acknowledge alarms through the API.
"""

from collections.abc import Iterable, Mapping

import msgspec

from rules.outbox import Outbox, Parcel
from telemetry import alarms, topics
from telemetry.alarms import Alarm, State

COLLECT_S = 1.5
"""Real seconds after a connection in which the broker repeats what it retains."""

Standing = tuple[str, str | None]
"""State of an alarm, and its state under shelving."""


class _Retained(msgspec.Struct):
    """What matters of an alarm that the broker retains."""

    state: str
    state_under: str | None = None


_decode = msgspec.json.Decoder(_Retained).decode


class Notices:
    """Knows what the broker retains. Times are real monotonic seconds."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._standing: dict[str, Standing | None] = {}
        self._told: dict[str, Standing | None] = {}
        self._collecting_until_s: float | None = None

    def connected(self, real_s: float) -> None:
        """The broker is about to repeat what it retains."""
        self._standing, self._told = {}, {}
        self._collecting_until_s = real_s + COLLECT_S

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message on an alarm's topic; only what the broker repeats says what it retains."""
        if not retained or not payload:
            return
        try:
            said = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = _Retained("")
        self._standing[topic.removeprefix(topics.alarm(""))] = (said.state, said.state_under)

    def tell(self, changed: Iterable[Alarm]) -> None:
        """Publish alarms as they are now, in order."""
        for alarm in changed:
            topic, document = topics.alarm(alarm.id), alarms.encode(alarm)
            if alarm.state == State.NORMAL:
                self._outbox.put(Parcel(topic, document), Parcel(topic, b"", retain=True))
                self._set(alarm.id, None)
            else:
                self._outbox.put(Parcel(topic, document, retain=True))
                self._set(alarm.id, (alarm.state, alarm.state_under))

    def forget(self, alarm_id: str) -> None:
        """The broker retains an alarm that never was: take it away."""
        self._outbox.put(Parcel(topics.alarm(alarm_id), b"", retain=True))
        self._set(alarm_id, None)

    def differing(self, active: Mapping[str, Standing], real_s: float) -> list[str]:
        """The alarms of which the broker does not say what the database does, given all that are not normal there."""
        if self._collecting_until_s is None or real_s < self._collecting_until_s:
            return []
        self._standing.update(self._told)
        self._told = {}
        known = {name: state for name, state in self._standing.items() if state is not None}
        self._standing = dict(known)
        return [name for name in known.keys() | active.keys() if known.get(name) != active.get(name)]

    def _set(self, alarm_id: str, standing: Standing | None) -> None:
        self._standing[alarm_id] = self._told[alarm_id] = standing
