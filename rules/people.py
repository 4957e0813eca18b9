"""The people who hear of alarms, as the runner meets them: told by the rules in force, remembered by the database."""

from collections.abc import Sequence

from rules.city import City
from rules.measures import MAINTENANCE, in_force
from rules.notifying import Notifier
from rules.telling import Circumstances, circumstances
from storage import alarms_told
from storage.pool import Connection
from telemetry.alarms import Alarm


class People:
    """Tells them through a notifier. Times are microseconds of city time."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._kept: set[alarms_told.Told] = set()

    async def load(self, conn: Connection, active: Sequence[Alarm]) -> None:
        """Take up who was told of the alarms that stand."""
        self._kept = await alarms_told.load(conn)
        self._notifier.remember(active, sorted(self._kept))

    async def keep(self, conn: Connection) -> None:
        """Write down who was told, if that has changed."""
        told = self._notifier.told()
        if told != self._kept:
            await alarms_told.keep(conn, told)
            self._kept = told

    def adopt(self, city: City) -> None:
        """Go by the rules of this city from now on."""
        self._notifier.adopt(city.thresholds.notifications.sinks)

    def take(self, changed: Sequence[Alarm], city: City, now_us: int) -> None:
        """These alarms have just changed, in order."""
        if changed:
            self._notifier.take(changed, _circumstances(city, now_us))

    def remind(self, city: City, now_us: int) -> None:
        """Tell what time alone makes due."""
        self._notifier.look(_circumstances(city, now_us))


def _circumstances(city: City, now_us: int) -> Circumstances:
    maintained = in_force(city.measures, MAINTENANCE, now_us)
    return circumstances(city.thresholds.notifications, city.hours, maintained, city.zone_of, now_us)
