"""Where versions of the rules run in a backtest: within the process, or each in a process of its own.

A process gets windows through a queue of a few, so that whoever reads waits for who decides. It ends with its parent,
however that ends.
"""

import multiprocessing
import pickle
import queue
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from rules.backtest.replay import Outcome, Replay, Window
from rules.city import City

QUEUED_MAX = 4
"""So many windows wait for a process."""
LOOK_S = 1.0
"""So often either side looks whether the other is still there."""


class LaneBroken(Exception):
    """A process of the backtest has ended before its time."""


class Lanes(Protocol):
    """Versions of the rules that run side by side."""

    def take(self, window: Window) -> None:
        """Have each go on to the end of a window."""
        ...

    def outcomes(self) -> list[Outcome]:
        """What came of each, in their order."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


class Inline:
    """All of them within this process, one after the other."""

    def __init__(self, cities: Sequence[City], since_us: int, chosen: frozenset[str] | None) -> None:
        self._replays = [Replay(city, since_us, chosen) for city in cities]

    def take(self, window: Window) -> None:
        """Have each go on to the end of a window."""
        for each in self._replays:
            each.take(window)

    def outcomes(self) -> list[Outcome]:
        """What came of each, in their order."""
        return [each.outcome() for each in self._replays]

    def close(self) -> None:
        """There is nothing to leave behind."""


class Processes:
    """Each in a process of its own.

    Raises:
        LaneBroken: from any call, where one of them has ended.
    """

    def __init__(self, cities: Sequence[City], since_us: int, chosen: frozenset[str] | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._windows = [context.Queue(QUEUED_MAX) for _ in cities]
        self._results = [context.Queue() for _ in cities]
        self._processes = [
            context.Process(target=_work, args=(city, since_us, chosen, windows, results), daemon=True)
            for city, windows, results in zip(cities, self._windows, self._results, strict=True)
        ]
        for each in self._processes:
            each.start()

    def take(self, window: Window) -> None:
        """Have each go on to the end of a window."""
        self._put(pickle.dumps(window, pickle.HIGHEST_PROTOCOL))

    def outcomes(self) -> list[Outcome]:
        """What came of each, in their order."""
        self._put(b"")
        found = []
        for results in self._results:
            while True:
                with suppress(queue.Empty):
                    found.append(results.get(timeout=LOOK_S))
                    break
                self._look()
        return found

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for each in self._processes:
            each.terminate()
        for each in self._processes:
            each.join()
        for waiting in (*self._windows, *self._results):
            waiting.cancel_join_thread()
            waiting.close()

    def _put(self, window: bytes) -> None:
        for windows in self._windows:
            while True:
                with suppress(queue.Full):
                    windows.put(window, timeout=LOOK_S)
                    break
                self._look()

    def _look(self) -> None:
        if any(each.exitcode not in (None, 0) for each in self._processes):
            raise LaneBroken


def _work(
    city: City,
    since_us: int,
    chosen: frozenset[str] | None,
    windows: "multiprocessing.Queue[bytes]",
    results: "multiprocessing.Queue[Outcome]",
) -> None:
    """The whole life of a process: window after window, then the outcome. Ctrl-C is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    replay = Replay(city, since_us, chosen)
    while parent is None or parent.is_alive():
        try:
            window = windows.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if not window:
            results.put(replay.outcome())
            return
        replay.take(pickle.loads(window))
