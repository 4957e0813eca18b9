"""Other figures come into force between two steps: what was decided stays, what was about to be decided begins anew.

A delay that ran under a figure that has changed says nothing any more. The last level of a drain does: it is judged by
the new figures at once, so that a stage that no longer holds goes towards its end, and one that now holds towards its
alarm, each after its delay from this moment on. Whatever turns only with a report waits for the next.
"""

from dataclasses import fields

import numpy as np

from rules.city import BAYS, DRAINS, LAMPS, City
from rules.memory import NEVER_US, Bools
from rules.state import State
from rules.timing import Latch
from telemetry.figures import known
from telemetry.thresholds import Thresholds

SECTIONS: dict[str, tuple[str, ...]] = {
    DRAINS: ("drainage", "sensors"),
    LAMPS: ("lamp_faults",),
    BAYS: ("parking", "sensors"),
}
"""The sections whose figures stand behind the latches of each kind."""


def restart_delays(city: City, state: State, before: Thresholds) -> dict[str, Bools]:
    """End the delays of assets whose figures are others than `before`; returns which those are, `(n,)` by kind."""
    old = City(city.registry, before, city.sun, city.timezone)
    changed = {kind: _changed(old, city, kind) for kind in SECTIONS}
    for _, kind, memory in state.memories():
        if isinstance(memory, Latch) and changed[kind].any():
            memory.since_us[changed[kind]] = NEVER_US
    return changed


def _changed(old: City, new: City, kind: str) -> Bools:
    """The assets for which a figure of their kind's sections is another."""
    found = np.zeros(len(new.rolls[kind]), np.bool_)
    for section in SECTIONS[kind]:
        held = getattr(new.thresholds, section)
        if _plain(old, section) == _plain(new, section) and not (_own(old) or _own(new)):
            continue
        for each in fields(held):
            if known(each).own and isinstance(getattr(held, each.name), int | float):
                found |= old.figures(kind, section, each.name) != new.figures(kind, section, each.name)
    return found


def _plain(city: City, section: str) -> object:
    return getattr(city.thresholds, section)


def _own(city: City) -> bool:
    return bool(city.thresholds.zones or city.thresholds.assets)
