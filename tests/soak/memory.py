"""How much each process holds, again and again, and whether that grows (Linux)."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_EVERY_S = 5.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
WARM_S = 60.0
"""What a process takes to get everything that it needs, in real seconds."""
CALM_AFTER_S = 30.0
"""What the last strike entails is over so much later, in real seconds."""
GROWTH_MIB_MAX = 10.0
"""Flat is what holds at the end no more than so much above what it held after its first minutes."""


@dataclass(frozen=True)
class Held:
    """One process from when it was warm: how long it was watched, mean of its first and last fifth, and the slope.

    `calm_mib_per_h` is the slope after the last strike.
    """

    name: str
    seconds: float
    first_mib: float
    last_mib: float
    most_mib: float
    mib_per_h: float
    calm_mib_per_h: float

    @property
    def flat(self) -> bool:
        """Whether it has not grown."""
        return self.last_mib - self.first_mib <= GROWTH_MIB_MAX


class Memory:
    """Samples by process.

    `pids` says which process has which ids at the moment, `calm_s` when nothing strikes any more, after the beginning.
    """

    def __init__(self, pids: Callable[[], Mapping[str, list[int]]], calm_s: float) -> None:
        self._pids, self._calm_s, self._begun_s = pids, calm_s, time.monotonic()
        self._samples: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)

    def begins(self) -> None:
        """The devices begin to live."""
        self._begun_s = time.monotonic()

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            now_s = time.monotonic()
            for name, pids in self._pids().items():
                if pids:
                    self._samples[name, pids[0]].append((now_s, resident_mib(pids)))
            await asyncio.sleep(SAMPLE_EVERY_S)

    def held(self) -> list[Held]:
        """The last process of each name."""
        last = dict(sorted(self._samples, key=lambda key: self._samples[key][-1][0]))
        calm_s = self._begun_s + self._calm_s + CALM_AFTER_S
        return [_held(name, self._samples[name, pid], calm_s) for name, pid in last.items()]


def _held(name: str, samples: list[tuple[float, float]], calm_s: float) -> Held:
    warm = [each for each in samples if each[0] - samples[0][0] >= WARM_S]
    at_s, mib = np.array(warm if len(warm) >= 5 else samples).T
    fifth = max(1, len(mib) // 5)
    first, last = float(mib[:fifth].mean()), float(mib[-fifth:].mean())
    calm = at_s >= calm_s
    slopes = _mib_per_h(at_s, mib), _mib_per_h(at_s[calm], mib[calm])
    return Held(name, float(at_s[-1] - at_s[0]), first, last, float(mib.max()), *slopes)


def _mib_per_h(at_s: NDArray[np.float64], mib: NDArray[np.float64]) -> float:
    return 3600 * float(np.polyfit(at_s - at_s[0], mib, 1)[0]) if len(mib) > 1 else 0.0


def resident_mib(pids: Iterable[int]) -> float:
    """What processes hold in memory; what they share, once."""
    own = shared = 0
    for pid in pids:
        with suppress(OSError):
            resident, together = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
            own, shared = own + resident - together, max(shared, together)
    return (own + shared) * PAGE_BYTES / 2**20


def family(pid: int | None) -> list[int]:
    """A process and its children, grandchildren and so on."""
    if pid is None:
        return []
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found
