"""What a network server sends twice, and what it has never sent: frames known again, and gaps of frame counters.

Both memories are bounded: the oldest is forgotten first. A frame that is forgotten and sent again does no harm: it
bears its time, by which ingest knows it.
"""

from collections import OrderedDict
from collections.abc import Iterable

from telemetry.clock import HOUR_US

FRAMES_MAX = 100_000
"""Frames that are remembered; beyond it the oldest is forgotten."""
FRAMES_US = HOUR_US
"""For so long a frame is remembered, by the city clock: a device that has lost its counter may count anew after it."""
DEVICES_MAX = 200_000
"""Devices whose newest frame counter is remembered; beyond it the one silent for longest is forgotten."""

FRAMES_BACK_MAX = 16
"""A frame that is further behind the newest is no late one: the device counts anew in the same session."""

Key = tuple[object, ...]


class Frames:
    """Which frames have been dealt with."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def known(self, keys: Iterable[Key], now_us: int) -> bool:
        """Whether a frame has been remembered lately by any of its keys."""
        return any(now_us - self._seen.get(key, -FRAMES_US) < FRAMES_US for key in keys)

    def remember(self, keys: Iterable[Key], now_us: int) -> None:
        """A frame has been dealt with."""
        for key in keys:
            self._seen[key] = now_us
            self._seen.move_to_end(key)
        while len(self._seen) > FRAMES_MAX:
            self._seen.popitem(last=False)


class Counters:
    """The newest frame counter of each device."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def missed(self, device: str, session: str, counter: int) -> int:
        """How many frames of the session lie between the newest known and this one."""
        known = self._newest.get(device)
        if known is not None and known[0] == session and counter <= known[1]:
            if known[1] - counter > FRAMES_BACK_MAX:  # it counts anew
                self._newest[device] = session, counter
            return 0
        self._newest[device] = session, counter
        self._newest.move_to_end(device)
        if len(self._newest) > DEVICES_MAX:
            self._newest.popitem(last=False)
        return counter - known[1] - 1 if known is not None and known[0] == session else 0
