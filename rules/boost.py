"""Movement has directly connected lamps give more light for a while: the lamp that saw it, and its neighbours.

A boost has to be local to be in time (a car at 40 km/h passes a pole every 3 s), so lamps behind a long-range radio get
none from here: their controllers do it by themselves. The light comes up, is held after the last movement, and goes
down in `RAMP_STEPS` steps. A lamp gives the larger of boost and program.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rules.memory import NEVER_US, Memory, Reals, Rows, TimeColumn, Times

RAMP_STEPS = 4


@dataclass(slots=True, eq=False)
class Boost(Memory):
    """`begun_us`: when the light began to come up; `held_us`: until when it is held."""

    begun_us: TimeColumn
    held_us: TimeColumn


class Boosted(Protocol):
    """What the lamps' figures must tell of a boost, each `(n,)`; `boost_pct` is 0 where there is none."""

    @property
    def boost_pct(self) -> Reals:
        """The light of a boost in %."""

    @property
    def hold_us(self) -> Times:
        """How long it is held after the last movement."""

    @property
    def ramp_up_us(self) -> Times:
        """Within how long it comes up."""

    @property
    def ramp_down_us(self) -> Times:
        """Within how long it goes down."""


def see(boost: Boost, lamps: Boosted, rows: Rows, at_us: Times) -> None:
    """Movement before these lamps, `(k,)`, several times the same lamp perhaps."""
    held_us = np.full(len(boost), NEVER_US)
    np.maximum.at(held_us, rows, at_us)
    rows = np.unique(rows)
    at_us, until_us = held_us[rows], held_us[rows] + lamps.hold_us[rows]
    fresh = boost.held_us[rows] + lamps.ramp_down_us[rows] < at_us
    boost.begun_us[rows[fresh]] = at_us[fresh]
    boost.held_us[rows] = np.maximum(boost.held_us[rows], until_us)


def raised(boost: Boost, lamps: Boosted, program_pct: Reals, now_us: int) -> tuple[Rows, Reals]:
    """The lamps that give more than their program's level `(n,)` now, and what each gives in whole %."""
    rows = np.flatnonzero((boost.held_us != NEVER_US) & (boost.held_us + lamps.ramp_down_us > now_us))
    if not len(rows):
        return rows, np.empty(0)
    up = _share(now_us - boost.begun_us[rows], lamps.ramp_up_us[rows])
    down = 1.0 - _share(now_us - boost.held_us[rows], lamps.ramp_down_us[rows])
    down = np.where(now_us < boost.held_us[rows], 1.0, down)
    extra = lamps.boost_pct[rows] - program_pct[rows]
    level = np.rint(program_pct[rows] + extra * np.minimum(up, down))
    more = level > program_pct[rows]
    return rows[more], level[more]


def _share(elapsed_us: Times, ramp_us: Times) -> Reals:
    """How much of a ramp is done, in whole steps; the first is done at once."""
    steps = np.floor(RAMP_STEPS * elapsed_us / np.maximum(ramp_us, 1)) + 1
    share: Reals = np.where(ramp_us > 0, np.clip(steps / RAMP_STEPS, 0.0, 1.0), 1.0)
    return share
