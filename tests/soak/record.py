"""The devices' own record: what each has sent, and what it believes delivered."""

from array import array
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from firmware_sim.firmware import Uplink

_TS = slice(len(b'{"ts":'), len(b'{"ts":') + 13)
"""Where an observation has its `ts`: milliseconds since 1970, 13 digits until the year 2286."""
_SUFFIX = "/telemetry"

Moments = NDArray[np.int64]
"""Times of observations in ms since 1970 UTC, `(n,)`, each once, in order."""


class Record:
    """A witness of the fleet's (`firmware_sim.carrier.Witness`). Devices are told apart by their names."""

    def __init__(self) -> None:
        self.uplinks = self.acknowledged = self.acks_lost = 0
        self._sent: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._taken: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._pending: defaultdict[str, set[int]] = defaultdict(set)

    def sent(self, uplink: Uplink) -> None:
        """On its way; what it carries is not believed delivered until the broker says so, again if need be."""
        if uplink.kept:
            self.uplinks += 1
            moments = [int(each.text[_TS]) for each in uplink.kept]
            device = _device(uplink)
            self._sent[device].extend(moments)
            self._pending[device].update(moments)

    def taken(self, uplink: Uplink) -> None:
        """The broker has acknowledged it; the device may not have heard so."""
        if uplink.ack_lost:
            self.acks_lost += 1
        elif uplink.kept:
            self.acknowledged += 1
            moments = [int(each.text[_TS]) for each in uplink.kept]
            device = _device(uplink)
            self._taken[device].extend(moments)
            self._pending[device].difference_update(moments)

    def all_sent(self, device: str) -> Moments:
        """All that it has ever sent."""
        return np.unique(np.frombuffer(self._sent[device], np.int64)) if self._sent[device] else np.empty(0, np.int64)

    def believed(self, device: str) -> Moments:
        """What it believes delivered: acknowledged, and not under way again."""
        taken = self._taken[device]
        if not taken:
            return np.empty(0, np.int64)
        return np.setdiff1d(np.frombuffer(taken, np.int64), np.fromiter(self._pending[device], np.int64))


def _device(uplink: Uplink) -> str:
    return uplink.topic.removesuffix(_SUFFIX).rpartition("/")[2]
