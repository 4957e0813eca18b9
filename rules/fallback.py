"""What a lamp falls back to when nobody reaches it any more, and when: known beforehand, for a command is a lease.

After its lease a lamp goes by its own default: its controller's clock, which gives full light from dusk to dawn and
none by day. Contact that comes back before renews the lease, and nothing is seen of it.
"""

from dataclasses import dataclass

from rules.city import LAMPS
from rules.memory import NEVER_US
from rules.state import State


@dataclass(frozen=True, slots=True)
class Fallback:
    """Without contact the lamp keeps `setpoint_pct` until `at_us`, then its own default; `None`: it has that already.

    `latest_us` is later than that where a command is on its way that the lamp may have without our knowing.
    """

    setpoint_pct: float | None
    at_us: int
    latest_us: int


def fallback(state: State, row: int, now_us: int) -> Fallback:
    """What becomes of a lamp of which nothing is heard from a moment on."""
    lamps = state.following
    held_us = int(lamps.acked_until_us[row])
    holds = held_us > now_us and lamps.acked_pct[row] == lamps.acked_pct[row]
    at_us = held_us if holds else now_us
    open_us = [each.expires_us for each in state.book.of(int(state.asset_id[LAMPS][row])) if each.sends]
    return Fallback(float(lamps.acked_pct[row]) if holds else None, at_us, max(at_us, *open_us, NEVER_US))
