"""A parking zone's word: its bays counted at one moment (contract §3)."""

from itertools import pairwise

import numpy as np

from rules.city import OPEN_TO_ALL, RESERVATIONS, City
from rules.memory import NEVER_US, Bools, Codes, Rows, Times
from rules.occupancy import FREE, OCCUPIED, UNKNOWN, Moves, Occupancy, net_filled, show
from rules.state import State
from telemetry.availability import Bays, Trend, ZoneAvailability
from telemetry.clock import SECOND_US, to_rfc3339

WORDS_PER_STEP_MAX = 8
"""A zone says at most so much at once; of a longer history the latest moments are told."""

QUIET_US = 30 * SECOND_US
"""Moves of a zone within this time are told together."""


def settle(
    city: City, state: State, heard_us: Times, interval_us: Times, settled_us: int
) -> list[tuple[int, ZoneAvailability]]:
    """Show the moves up to the settled moment; returns what zones have to say, and for which moment.

    A zone speaks when one of its bays moved, and otherwise when its last word is getting old. Where a step covers a
    long time, as in a fast replay, it speaks for each moment after which it was quiet for a while, not only the last.
    """
    ripe = state.moves.at_us <= settled_us
    moves = state.moves.take(ripe)
    moves = moves.take(np.argsort(moves.at_us, kind="stable"))
    if len(moves):
        state.moves = state.moves.take(~ripe)
    zone_of_move = city.bays.zone[moves.row]
    moved = set(zone_of_move.tolist())
    words: list[tuple[int, ZoneAvailability]] = []
    for zone, name in enumerate(city.bays.zones):
        if zone in moved:
            lots = _lots(moves.take(zone_of_move == zone))
        elif settled_us - state.said_us.get(name, NEVER_US) >= city.zone_refresh_us:
            lots = [Moves.none()]
        else:
            continue
        for number, lot in enumerate(lots, 1):
            show(state.occupancy, lot)
            at_us = settled_us if number == len(lots) else int(lot.at_us[-1])
            if at_us > state.said_us.get(name, NEVER_US) or number == len(lots):
                words.append((at_us, word(city, zone, state.occupancy, heard_us, interval_us, at_us)))
        state.said_us[name] = settled_us
    show(state.occupancy, moves.take(zone_of_move < 0))
    return words


def _lots(moves: Moves) -> list[Moves]:
    """Moves of one zone, at least one, cut where nothing moved for a while; at most the last few cuts."""
    cuts = (np.flatnonzero(np.diff(moves.at_us) > QUIET_US) + 1)[-(WORDS_PER_STEP_MAX - 1) :]
    edges = [0, *cuts.tolist(), len(moves)]
    return [moves.take(np.arange(start, end)) for start, end in pairwise(edges)]


def word(city: City, zone: int, bays: Occupancy, heard_us: Times, interval_us: Times, at_us: int) -> ZoneAvailability:
    """The availability of the zone with this index at a moment.

    `heard_us` and `interval_us` `(bays,)` are the last signs of life, and how often each bay reports.
    """
    plan = city.bays
    rows = plan.members[zone]
    category = plan.category[rows]
    fresh = heard_us[rows] > at_us - interval_us[rows]
    open_rows = category == OPEN_TO_ALL
    common = _count(bays.shown[rows][open_rows], fresh[open_rows])
    restricted = {
        name: _count(bays.shown[rows][category == code], fresh[category == code])
        for name, code in RESERVATIONS.items()
        if (category == code).any()
    }
    counted = rows[(bays.shown[rows] != UNKNOWN) & (heard_us[rows] != NEVER_US)]
    oldest_us = min(int(heard_us[counted].min()), at_us) if len(counted) else NEVER_US
    return ZoneAvailability(
        zone=plan.zones[zone],
        name=plan.names[zone],
        lat=plan.lat[zone],
        lon=plan.lon[zone],
        capacity=common.capacity,
        free=common.free,
        free_min=common.free_min,
        free_max=common.free_max,
        occupied=common.occupied,
        unknown=common.unknown,
        closed=0,
        restricted=restricted,
        trend=_trend(city, rows[open_rows], bays, at_us),
        verified_at=None if oldest_us == NEVER_US else to_rfc3339(oldest_us),
        stale=False,
        updated_at=to_rfc3339(at_us),
    )


def _count(shown: Codes, fresh: Bools) -> Bays:
    free = shown == FREE
    unknown = int((shown == UNKNOWN).sum())
    return Bays(
        capacity=len(shown),
        free=int(free.sum()),
        free_min=int((free & fresh).sum()),
        free_max=int(free.sum()) + unknown,
        occupied=int((shown == OCCUPIED).sum()),
        unknown=unknown,
    )


def _trend(city: City, rows: Rows, bays: Occupancy, at_us: int) -> Trend:
    parking = city.thresholds.parking
    net = net_filled(bays, rows, at_us, parking.trend_window_s * SECOND_US)
    least = max(parking.trend_bays_min, parking.trend_pct / 100 * len(rows))
    if abs(net) < least:
        return "steady"
    return "filling" if net > 0 else "emptying"
