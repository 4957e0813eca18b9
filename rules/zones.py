"""A parking zone's word: its bays counted at one moment (contract §3)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from rules.city import OPEN_TO_ALL, RESERVATIONS, City
from rules.forecast import GAP_US_MAX, Outlook
from rules.memory import NEVER_US, Bools, Codes, Rows, Times
from rules.occupancy import FREE, OCCUPIED, UNKNOWN, Moves, Occupancy, net_filled, show
from rules.state import State
from telemetry.availability import Bays, Expectation, Status, Trend, ZoneAvailability
from telemetry.clock import MINUTE_US, SECOND_US, to_rfc3339
from telemetry.thresholds import Parking

OPEN: Final = "open"
ALMOST_FULL: Final = "almost_full"
FULL: Final = "full"
CLOSED: Final = "closed"

KNOWN_SHARE_MIN = 0.8
"""Where less than this share of a zone's bays is known, nothing is learned of its coming and going."""

WORDS_PER_STEP_MAX = 8
"""A zone says at most so much at once; of a longer history the latest moments are told."""

QUIET_US = 30 * SECOND_US
"""Moves of a zone within this time are told together."""


def settle(
    city: City, state: State, heard_us: Times, interval_us: Times, settled_us: int
) -> list[tuple[int, ZoneAvailability]]:
    """Show the moves up to the settled moment; returns what zones have to say, and for which moment.

    A zone speaks when one of its bays moved, when it opens or closes, and otherwise when its last word is getting old.
    Where a step covers a long time, as in a fast replay, it speaks for each moment after which it was quiet for a
    while, not only the last.
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
        old = settled_us - state.said_us.get(name, NEVER_US) >= city.zone_refresh_us
        turned = city.opening.closed(name, settled_us) != (state.status.get(name) == CLOSED)
        if zone in moved:
            lots = _lots(moves.take(zone_of_move == zone))
        elif old or turned:
            lots = [Moves.none()]
        else:
            continue
        for number, lot in enumerate(lots, 1):
            show(state.occupancy, lot)
            at_us = settled_us if number == len(lots) else int(lot.at_us[-1])
            if at_us > state.said_us.get(name, NEVER_US) or number == len(lots):
                words.append((at_us, _speak(city, state, zone, heard_us, interval_us, at_us)))
        state.said_us[name] = settled_us
    show(state.occupancy, moves.take(zone_of_move < 0))
    return words


def _speak(city: City, state: State, zone: int, heard_us: Times, interval_us: Times, at_us: int) -> ZoneAvailability:
    """A zone's word with what it remembers of itself: its status, and what is to be expected."""
    name = city.bays.zones[zone]
    closed = city.opening.closed(name, at_us)
    said = word(city, zone, state.occupancy, heard_us, interval_us, at_us, closed=closed)
    status = CLOSED if closed else filled(said, state.status.get(name, OPEN), city.thresholds.parking)
    state.status[name] = status
    known = said.free + said.occupied
    outlook = state.outlooks.get(name, Outlook())
    if not closed and known >= KNOWN_SHARE_MIN * max(said.capacity, 1) and outlook.is_due(at_us):
        outlook = outlook.looked(at_us, said.occupied / known, city.local)
        state.outlooks[name] = outlook
    expected = () if closed else tuple(expectations(outlook, said.capacity, at_us, city))
    return msgspec.structs.replace(said, status=status, forecast=expected)


def looked_at(city: City, state: State, at_us: int) -> Iterator[Rows]:
    """The bays of each zone whose coming and going was looked at just now, in lots that are for the same people."""
    for zone, name in enumerate(city.bays.zones):
        outlook = state.outlooks.get(name)
        if outlook is not None and outlook.looks and outlook.looks[-1].at_us == at_us:
            members = city.bays.members[zone]
            for category in np.unique(city.bays.category[members]):
                yield members[city.bays.category[members] == category]


def filled(said: ZoneAvailability, before: Status, parking: Parking) -> Status:
    """Whether a zone is full or almost full, by the share of its known bays that are taken; both with a deadband."""
    known = said.free + said.occupied
    taken_pct = 100 * said.occupied / known if known else 0.0
    if taken_pct >= (parking.full_clear_pct if before == FULL else parking.full_pct):
        return FULL
    was_almost = before in (ALMOST_FULL, FULL)
    return (
        ALMOST_FULL if taken_pct >= (parking.almost_full_clear_pct if was_almost else parking.almost_full_pct) else OPEN
    )


def expectations(outlook: Outlook, capacity: int, at_us: int, city: City) -> Iterator[Expectation]:
    """What is expected as of the last look, in bays; nothing where that is too long ago."""
    if not outlook.looks or at_us - outlook.looks[-1].at_us > GAP_US_MAX or not capacity:
        return
    for each in outlook.expect(city.local):
        low, free, high = (round(capacity * (1 - taken)) for taken in (each.high, each.taken, each.low))
        then = to_rfc3339(outlook.looks[-1].at_us + each.minutes * MINUTE_US)
        yield Expectation(each.minutes, then, free, low, high, round(each.error * capacity, 1), each.learning)


def _lots(moves: Moves) -> list[Moves]:
    """Moves of one zone, at least one, cut where nothing moved for a while; at most the last few cuts."""
    cuts = (np.flatnonzero(np.diff(moves.at_us) > QUIET_US) + 1)[-(WORDS_PER_STEP_MAX - 1) :]
    edges = [0, *cuts.tolist(), len(moves)]
    return [moves.take(np.arange(start, end)) for start, end in pairwise(edges)]


def word(
    city: City, zone: int, bays: Occupancy, heard_us: Times, interval_us: Times, at_us: int, *, closed: bool = False
) -> ZoneAvailability:
    """The availability of the zone with this index at a moment, all of its bays closed or none.

    `heard_us` and `interval_us` `(bays,)` are the last signs of life, and how often each bay reports.
    """
    plan = city.bays
    members = plan.members[zone]
    rows = members[:0] if closed else members
    category = plan.category[rows]
    fresh = heard_us[rows] > at_us - interval_us[rows]
    open_rows = category == OPEN_TO_ALL
    common = _count(bays.shown[rows][open_rows], fresh[open_rows])
    restricted = {}
    for name, code in RESERVATIONS.items():
        counted = _count(bays.shown[rows][category == code], fresh[category == code])
        all_of_them = int((plan.category[members] == code).sum())
        restricted[name] = msgspec.structs.replace(counted, closed=all_of_them - counted.capacity)
    known = rows[(bays.shown[rows] != UNKNOWN) & (heard_us[rows] != NEVER_US)]
    oldest_us = min(int(heard_us[known].min()), at_us) if len(known) else NEVER_US
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
        closed=len(members) - len(rows),
        restricted=restricted,
        trend=_trend(city, rows[open_rows], bays, at_us),
        verified_at=None if oldest_us == NEVER_US else to_rfc3339(oldest_us),
        stale=False,
        updated_at=to_rfc3339(at_us),
        registry_changed_at=_since(plan.changed_us[zone]),
    )


def _since(changed_us: int) -> str | None:
    """When the registry changed, to the second; `None` where nobody knows."""
    return to_rfc3339(changed_us // SECOND_US * SECOND_US) if changed_us else None


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
