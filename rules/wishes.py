"""What people have written down for the rules: overrides, and what they ordered for whole zones."""

from rules.inputs import Ended, Inputs, Override
from rules.measures import Measure
from rules.state import State
from storage import commands, measures
from storage.pool import Connection
from telemetry.clock import to_us

CHANNELS = (commands.OVERRIDES, measures.CHANGED)
"""Where the database announces that somebody wrote something down."""


class Wishes:
    """Knows what has been taken up already, and keeps its last copy of what is ordered for zones."""

    def __init__(self) -> None:
        self.measures: tuple[Measure, ...] = ()
        self._taken: set[str] = set()
        self._ended: set[str] = set()

    async def overrides(self, conn: Connection, state: State) -> Inputs | None:
        """Overrides that people wrote down or took back since the last time, `None` for none."""
        waiting = await commands.waiting(conn, overrides_only=True)
        found = [each for each in waiting if each.id not in state.book.by_id]
        fresh = [each for each in found if each.id not in self._taken]
        self._taken = {each.id for each in found}
        standing = _standing(state) - self._ended
        ended = await commands.ended(conn, sorted(standing)) if standing else {}
        self._ended |= ended.keys()
        if not fresh and not ended:
            return None
        wishes = [Override(each.id, each.asset_id, each.settings, each.expires_us) for each in fresh]
        return Inputs(overrides=wishes, ended=[Ended(name, at_us) for name, at_us in ended.items()])

    async def look_at_zones(self, conn: Connection, now_us: int) -> bool:
        """Read what is ordered for zones, now and later; returns whether it is something else than before."""
        before = self.measures
        self.measures = tuple(
            Measure(each.id, each.zone, each.what, to_us(each.from_at), to_us(each.until_at), each.note, each.by)
            for each in await measures.standing(conn, now_us)
        )
        return self.measures != before


def _standing(state: State) -> set[str]:
    """The overrides that would have something to end."""
    standing = {str(name) for names in (state.lease.override_by, state.lease.override_via) for name in names if name}
    for presence in state.presence.values():
        standing |= {str(name) for name in presence.told_by[presence.told_until_us > state.now_us]}
    return standing | {name for name, each in state.book.by_id.items() if each.reason == "override"}
