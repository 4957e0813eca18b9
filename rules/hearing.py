"""Up to when everything that was said has been heard: timers that need silence run out only there.

Live, that is a little before now, for messages on their way. While a queue from before is worked off it is where the
queue has come to, and while the broker is away it stands still: nobody is silent because we are deaf.
"""

from rules.inputs import Moment
from rules.memory import NEVER_US
from telemetry.clock import SECOND_US

SETTLE_S = 1.0
"""Real seconds that a message may be on its way."""
QUIET_S = 0.5
"""A connection that brings nothing for this long, in real seconds, has brought all that waited."""
TRICKLE_MESSAGES_MAX = 500
"""A step that brings more is working off a queue."""
TRICKLE_S = 60.0
"""After so many real seconds of no more than a trickle, old times are the devices' wrong clocks, not a queue."""
GAP_US = 60 * SECOND_US
"""After a longer pause of ours, in city time, nobody knows whether the broker was there meanwhile; its queue tells."""
DEAF_S_MAX = 5.0
"""After a longer absence of the broker, in real seconds, devices are given time to be heard again."""


class Hearing:
    """Follows the inbox; `speed` is that of the city clock. City time is `_us`, real monotonic time `_s`."""

    def __init__(self, speed: float, settled_us: int, real_s: float) -> None:
        self._settle_us = round(SETTLE_S * speed * 1e6)
        self._settled_us = settled_us
        self._listening_us = NEVER_US
        self._caught_up = False
        self._quiet_since_s = self._trickle_since_s = real_s
        self._deaf_since_s: float | None = None
        self._met_before = False
        self._doubted_since_us = NEVER_US

    def connected(self, resumed: bool, now_us: int, real_s: float) -> None:
        """The subscription stands anew; `resumed`: the broker kept for us what came meanwhile."""
        deaf_s = 0.0 if self._deaf_since_s is None else real_s - self._deaf_since_s
        if not resumed or (self._met_before and deaf_s > DEAF_S_MAX):
            self._listening_us = now_us
        elif not self._met_before and now_us - self._settled_us > GAP_US:
            self._listening_us = self._doubted_since_us = now_us
        self._met_before, self._deaf_since_s = True, None
        self._fall_behind(real_s)

    def disconnected(self, real_s: float) -> None:
        """The subscription does not stand."""
        if self._deaf_since_s is None:
            self._deaf_since_s = real_s

    def delayed(self, real_s: float) -> None:
        """We have not been listening for a while ourselves; a queue may wait."""
        self._fall_behind(real_s)

    def moment(self, now_us: int, real_s: float, observed_us: int | None = None, messages: int = 0) -> Moment:
        """The moment of a step that brings so many messages; `observed_us` is the median time of their observations."""
        live_us = now_us - self._settle_us
        if messages:
            self._quiet_since_s = real_s
        if messages > TRICKLE_MESSAGES_MAX:
            self._trickle_since_s = real_s
        if self._deaf_since_s is not None or not self._met_before:
            return Moment(now_us, self._settled_us, self._listening_us)
        if self._doubted_since_us != NEVER_US:
            self._believe(observed_us)
        fresh = observed_us is not None and observed_us >= live_us - self._settle_us
        quiet = not messages and real_s - self._quiet_since_s >= QUIET_S
        self._caught_up = self._caught_up or fresh or quiet or real_s - self._trickle_since_s >= TRICKLE_S
        reached_us = live_us if self._caught_up else min(live_us, observed_us or NEVER_US)
        self._settled_us = max(self._settled_us, reached_us)
        return Moment(now_us, self._settled_us, self._listening_us)

    def _believe(self, observed_us: int | None) -> None:
        """A queue that brings what was observed while we were away shows that the broker was there to keep it."""
        if self._caught_up:
            self._doubted_since_us = NEVER_US
        elif observed_us is not None and self._settled_us < observed_us < self._doubted_since_us - GAP_US:
            self._listening_us = self._doubted_since_us = NEVER_US

    def _fall_behind(self, real_s: float) -> None:
        self._caught_up = False
        self._quiet_since_s = self._trickle_since_s = real_s
