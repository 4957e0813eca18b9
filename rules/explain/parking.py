"""A parking bay and a parking zone: what is shown and about to count, opening hours, status, forecast."""

from rules import zones
from rules.city import BAYS, City
from rules.explain.presence import silent_from_us
from rules.explain.words import Explanation, moment
from rules.forecast import Outlook
from rules.memory import FOREVER_US, NEVER_US
from rules.occupancy import FREE, OCCUPIED, UNKNOWN
from rules.rhythm import interval_us
from rules.state import State
from telemetry.clock import SECOND_US

WORDS = {UNKNOWN: "unknown", FREE: "free", OCCUPIED: "occupied"}


def explain(told: Explanation, city: City, state: State, row: int) -> None:
    """Everything of a bay but whether its device is heard."""
    bays, parking = state.occupancy, city.thresholds.parking
    counts, raw = int(bays.state[row]), int(bays.raw[row])
    told.say("state", f"The bay is {WORDS[counts]}.", state=WORDS[counts], shown=WORDS[int(bays.shown[row])])
    since_us = int(bays.since_us[row])
    if since_us != NEVER_US:
        dwell_s = parking.dwell_in_s if raw == OCCUPIED else parking.dwell_out_s
        due_us = since_us + dwell_s * SECOND_US
        sentence = f"Its sensor says {WORDS[raw]} since {told.clock(since_us)}; that counts after {dwell_s} s."
        told.say("dwell", sentence, says=WORDS[raw], since=moment(since_us), counts_at=moment(due_us))
        told.foresee(due_us, f"the bay counts as {WORDS[raw]}")
    unknown_us = silent_from_us(city, state, BAYS, row, told.at_us)
    if counts != UNKNOWN and unknown_us != FOREVER_US:
        told.foresee(unknown_us, "if nothing is heard of it by then, the bay is unknown")
    if state.stuck.stuck[row]:
        stuck_us = int(state.stuck.cause_us[row])
        told.say(
            "stuck", f"It seems stuck since {told.clock(stuck_us)}: the bays about it change.", since=moment(stuck_us)
        )
    zone = city.rolls[BAYS].assets[row].zone
    if zone is not None:
        explain_zone(told, city, state, zone)


def explain_zone(told: Explanation, city: City, state: State, zone: str) -> None:
    """A zone with bays."""
    number, at_us = city.bays.zones.index(zone), told.at_us
    closed = city.opening.closed(zone, at_us)
    every_us = interval_us(state.rhythm[BAYS], city.rolls[BAYS])
    said = zones.word(city, number, state.occupancy, state.heard_us(BAYS), every_us, at_us, closed=closed)
    status = zones.CLOSED if closed else zones.filled(said, state.status.get(zone, zones.OPEN), city.thresholds.parking)
    told.say(
        "zone",
        f"The zone {zone} is {status.replace('_', ' ')}: {said.free} of {said.capacity} bays are free,"
        f" {said.occupied} occupied, {said.unknown} unknown, {said.closed} closed; it is {said.trend}.",
        zone=zone,
        status=status,
        free=said.free,
        capacity=said.capacity,
        occupied=said.occupied,
        unknown=said.unknown,
        closed=said.closed,
        trend=said.trend,
    )
    parking = city.thresholds.parking
    told.say(
        "status",
        f"It is full from {parking.full_pct:g} % of its known bays on until below {parking.full_clear_pct:g} %,"
        f" almost full from {parking.almost_full_pct:g} % until below {parking.almost_full_clear_pct:g} %.",
    )
    change_us = city.opening.next_change_us(zone, at_us)
    if change_us is not None:
        told.foresee(change_us, f"the zone {zone} {'opens' if closed else 'closes'}")
    for each in zones.expectations(state.outlooks.get(zone, Outlook()), said.capacity, at_us, city):
        within = "how sure that is, is still being learned" if each.learning else f"{each.free_low} to {each.free_high}"
        sentence = f"In {each.minutes} min {each.free} free bays are expected ({within})."
        told.say(
            "forecast", sentence, minutes=each.minutes, free=each.free, free_low=each.free_low, free_high=each.free_high
        )
