"""What the database does not have yet of the platform's own alarms, in order, and what the broker has been told of it.

These alarms matter most while the database is away: they go out at once then, and are written down once when it is
back. What is kept meanwhile is bounded; should the process die before, a condition that still holds is a new alarm.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from rules.effects import RaiseAlarm
from rules.platform_alarms import Change, Fact, Standing, after, turn
from rules.record import alarm_change
from storage import alarms
from storage.pool import Connection
from telemetry.alarms import PLATFORM, Alarm, AlarmType

UNRECORDED_MAX = 64
"""So many changes may wait for the database; beyond it facts wait until it is back."""


class PlatformRecord:
    """Keeps what stands and what is not recorded; `version` names the rules."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._standing: Standing = {}
        self._untold: list[Alarm] = []
        self.unrecorded: list[Change] = []
        """Changes that the database does not have, in order."""

    def take(self, facts: Iterable[Fact], now_us: int) -> None:
        """Take facts in at a moment of the city clock."""
        if len(self.unrecorded) >= UNRECORDED_MAX:
            return
        for change in turn(self._standing, facts, self._version, now_us):
            self._standing, alarm = after(self._standing, change)
            self.unrecorded.append(change)
            self._untold.append(alarm)

    def untold(self) -> list[Alarm]:
        """Each state that has not been told without the database, in order; it counts as told now."""
        untold, self._untold = self._untold, []
        return untold

    async def catch_up(self, conn: Connection) -> list[Alarm]:
        """Write down what is not recorded, each thing once, and read what stands; returns the alarms that changed.

        Raises:
            StorageError: it stays unrecorded, or nobody knows; the next attempt sets it right.
        """
        raised = [each.id for each in self.unrecorded if isinstance(each, RaiseAlarm)]
        self._skip({each.id for each in await alarms.of_ids(conn, raised)})
        ours = [change for change in map(alarm_change, self.unrecorded) if change is not None]
        async with conn.transaction():
            changed = await alarms.turn(conn, ours)
            standing = await alarms.standing(conn, PLATFORM)
        self.recorded(len(ours))
        self._standing = {AlarmType(each.type): each for each in standing}
        return changed

    def _skip(self, known: Collection[str]) -> None:
        """The database has these alarms after all, and so everything that was decided before them."""
        for place in reversed(range(len(self.unrecorded))):
            if isinstance(self.unrecorded[place], RaiseAlarm) and self.unrecorded[place].id in known:
                del self.unrecorded[: place + 1]
                return

    def recorded(self, number: int) -> None:
        """The first `number` changes are durable, and the broker is told from what the database says."""
        del self.unrecorded[:number]
        self._untold.clear()

    def refresh(self, active: Mapping[str, tuple[str, str | None]]) -> None:
        """What people did meanwhile to the alarms that stand: state and state under shelving, by id."""
        self._standing = {
            kind: msgspec.structs.replace(each, state=active[each.id][0], state_under=active[each.id][1])
            if each.id in active
            else each
            for kind, each in self._standing.items()
        }
