"""What each lamp is to give now: the larger of boost and program, where an override does not stand above both.

Lamps that switch together share a program and perhaps a photocell; what these say is worked out once for all of them.
"""

from dataclasses import dataclass

import numpy as np

from rules import boost as boosts
from rules import photocell
from rules.boost import Boost
from rules.city import LAMPS, City
from rules.dimming import Segment, floored
from rules.lamps import Beat
from rules.memory import FOREVER_US, Bools, Reals, Times
from rules.photocell import Photocell, Window
from telemetry.clock import SECOND_US


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of each lamp `(n,)`: its level in %, since when, and until when at most a command may hold.

    `boosted`: the level is a boost's. `lit`: it is a time at which the lamp burns.
    """

    level_pct: Reals
    since_us: Times
    until_us: Times
    lit: Bools
    boosted: Bools


def wanted(city: City, cell: Photocell, boost: Boost, now_us: int) -> Wanted:
    """What the town wants of its lamps at a moment; guards are kept, and where they will hold soon a wish ends."""
    lamps = city.lamps
    window = photocell.window(city.clock, city.sun, city.thresholds.lighting, now_us) if lamps.is_cell.any() else None
    segments = [segment(city, cell, beat, window, now_us) for beat in lamps.beats]
    dark, dusk_us = city.sun.dark_at(now_us), city.sun.next_change_us(now_us)
    ends = [FOREVER_US if each.lit else each.end_us if dark else min(each.end_us, dusk_us) for each in segments]
    beat = lamps.beat
    lit = np.array([each.lit for each in segments], np.bool_)[beat]
    program = np.array([each.level_pct for each in segments], np.float64)[beat]
    level = floored(program, lit | dark, lamps.floor_pct, lamps.may_be_off)
    boosted = np.zeros(len(level), np.bool_)
    rows, more = boosts.raised(boost, lamps, level, now_us)
    burning = lit[rows]
    level[rows[burning]], boosted[rows[burning]] = more[burning], True
    since, until = (np.array(each, np.int64)[beat] for each in ([each.start_us for each in segments], ends))
    return Wanted(level, since, until, lit, boosted)


def segment(city: City, cell: Photocell, beat: Beat, window: Window | None, now_us: int) -> Segment:
    """What the program of some lamps wants now, switched by their photocell where it may decide, else by the sun."""
    if window is not None and beat.cell >= 0:
        said = photocell.lit(
            cell, beat.cell, window, city.lamps.cell_limits(beat.cell, patience_us(city, beat.cell)), now_us
        )
        if said is not None:
            return beat.program.wanted(now_us, *said)
    return beat.program.at(now_us)


def patience_us(city: City, row: int) -> int:
    """How long a photocell may keep silent before the sun decides in its place."""
    return city.thresholds.presence.missed_intervals * int(city.rolls[LAMPS].interval_us[row]) + SECOND_US
