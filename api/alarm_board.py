"""The alarms that are not normal, as the broker retains them, for streams of operators: known without the database."""

import msgspec
import structlog

from api.changes import Changes
from api.unconfirmed import Unconfirmed
from telemetry import alarms, topics
from telemetry.alarms import Alarm, State

ALARMS_MAX = 20_000
"""Alarms kept at a time; beyond it further ones are not shown, and the log says so."""

_log = structlog.get_logger(__name__)


class AlarmBoard:
    """Fed with the broker's topics of alarms. `changes` has an event `alarm` of each that changes, the last when it is
    normal; an event `gone` of one that was normal before anybody told us."""

    def __init__(self, *, confirm_s: float = 60.0, first_event_id: int = 1) -> None:
        """`confirm_s`: what the broker does not repeat so long after a connection has become normal meanwhile."""
        self.changes = Changes(first_event_id)
        self._unconfirmed = Unconfirmed(confirm_s)

    def receive(self, topic: str, payload: bytes) -> None:
        """A message on the topic of an alarm; what nobody understands is passed over."""
        name = topic.removeprefix(topics.alarm(""))
        self._unconfirmed.heard(name)
        if not payload:
            self._go(name)
            return
        try:
            alarm = msgspec.json.decode(payload, type=Alarm)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.warning("alarm's word refused", alarm=name, error=str(error))
            return
        if alarm.id != name:
            _log.warning("alarm's word refused", alarm=name, error=f"it speaks of {alarm.id}")
        elif alarm.state == State.NORMAL:
            self.changes.drop(name, "alarm", alarms.encode(alarm))
        elif name not in self.changes.names and len(self.changes.names) >= ALARMS_MAX:
            _log.warning("alarm not shown to streams, for there are too many", alarm=name)
        else:
            self.changes.put(name, "alarm", alarms.encode(alarm))

    def connected(self, now_s: float) -> None:
        """The broker is about to repeat all it retains; `now_s` is real and monotonic, as in `look`."""
        self._unconfirmed.connected(self.changes.names, now_s)

    def look(self, now_s: float) -> None:
        """Look at the clock, about once a second."""
        for name in self._unconfirmed.taken_away(now_s):
            self._go(name)

    def _go(self, name: str) -> None:
        if name in self.changes.names:
            self.changes.drop(name, "gone", msgspec.json.encode({"id": name}))
