"""Which kind and asset the topic of an uplink leads to, looked up for a whole batch at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from telemetry import topics
from telemetry.kinds import KINDS
from telemetry.registry import ALWAYS_US, EVER_US, Installation, Registry

STRANGE = -1
"""The number of no kind: the topic's device or kind is unknown, or the one serves nothing of the other."""

_ROUTE = np.dtype([("kind", np.int32), ("asset", np.int32)])
_SLOTS_PER_TOPIC = 4


class Routes:
    """The topics of all installations of a registry; each is learned when it is first met.

    A dictionary of a hundred thousand topics waits for memory four times a look-up. Here a topic's hash says its slot,
    and NumPy fetches the slots of a batch side by side, so that a city pays little more than a village. A slot holds
    the topic itself: only the same bytes lead to an asset, whatever hash a device may find for its own. Topics whose
    slot is taken are in a dictionary.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._numbers = {name: number for number, name in enumerate(KINDS)}
        known = sum(map(len, registry.installations.values()))
        slots = 1 << (_SLOTS_PER_TOPIC * known).bit_length()
        self._mask = slots - 1
        self._topics = np.full(slots, b"", object)
        self._routes = np.full(slots, STRANGE, np.int64)
        self._others: dict[bytes, int] = {}
        self._shifts: list[tuple[Installation, ...]] = []

    def find(self, topic_names: Sequence[bytes]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The number of each topic's kind in `KINDS`, or `STRANGE`, and its asset, both `(n,)`.

        The asset is below 0 where it depends on the time; `asset_at` tells it.
        """
        slots = np.fromiter(map(hash, topic_names), np.int64, len(topic_names)) & self._mask
        found = self._routes.take(slots)
        kept = self._topics.take(slots).tolist()
        if kept != topic_names:
            for place, name in enumerate(topic_names):
                if kept[place] != name:
                    other = self._others.get(name)
                    found[place] = self._learn(name, int(slots[place])) if other is None else other
        routes = found.view(_ROUTE)
        return routes["kind"], routes["asset"]

    def asset_at(self, asset: int, moment_us: int) -> int | None:
        """The asset that `find` could not tell, at a moment; `None` if the device served none."""
        for each in reversed(self._shifts[-1 - asset]):
            if each.served_from_us <= moment_us < each.served_to_us:
                return each.asset_id
        return None

    def newest(self, asset: int) -> int:
        """The last of the assets that `find` could not tell."""
        return self._shifts[-1 - asset][-1].asset_id

    def _learn(self, name: bytes, slot: int) -> int:
        route = self._route(name)
        if route != STRANGE:
            if not self._topics[slot]:
                self._topics[slot], self._routes[slot] = name, route
            elif self._topics[slot] != name:  # else it was learned earlier in this batch
                self._others[name] = route
        return route

    def _route(self, name: bytes) -> int:
        """Kind and asset as one number."""
        topic = topics.take_apart(name.decode("utf-8", "replace"))
        if topic is None or name != topics.telemetry(topic.kind, topic.device).encode():
            return STRANGE
        served = self._registry.served(topic.device, topic.kind)
        number = self._numbers.get(topic.kind, STRANGE)
        if not served or number == STRANGE:
            return STRANGE
        always = len(served) == 1 and served[0].served_from_us == EVER_US and served[0].served_to_us == ALWAYS_US
        if not always:
            self._shifts.append(served)
        asset = served[0].asset_id if always else -len(self._shifts)
        return int(np.array((number, asset), _ROUTE).view(np.int64))
