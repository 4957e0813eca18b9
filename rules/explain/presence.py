"""Whether an asset is heard, and when it will count as silent; its delays towards an alarm."""

import numpy as np

from rules import rhythm, silence
from rules.city import LAMPS, City
from rules.explain.words import Explanation, lasting, moment
from rules.memory import FOREVER_US, NEVER_US
from rules.silence import Watch
from rules.state import State
from rules.timing import Delays, Latch
from telemetry.alarms import AlarmType
from telemetry.clock import SECOND_US


def heard(told: Explanation, city: City, state: State, row: int) -> None:
    """When it was heard last, and until when it may keep silent."""
    roll, presence = city.rolls[told.kind], state.presence[told.kind]
    device = roll.assets[row].device
    if device is None:
        told.say("presence", "No device serves it: nothing is expected of it.")
        return
    heard_us = int(presence.heard_us[row])
    if heard_us == NEVER_US:
        told.say(
            "presence", f"Its device {device} has not been heard yet; it is watched once it has been.", device=device
        )
        return
    due_us = silent_from_us(city, state, told.kind, row, told.at_us)
    every_us = int(rhythm.interval_us(state.rhythm[told.kind], roll)[row])
    figures = {"device": device, "heard_at": moment(heard_us), "report_every_s": every_us // SECOND_US}
    last = f"Its device {device} was heard last at {told.clock(heard_us)}, and reports every {lasting(every_us)}"
    if presence.silent[row]:
        told.say("presence", f"{last}: it is silent.", silent=True, **figures)
    elif due_us == FOREVER_US:
        told.say("presence", f"{last}; its silence does not count at present.", silent=False, **figures)
    else:
        told.say("presence", f"{last}.", silent=False, silent_from=moment(due_us), **figures)
        told.foresee(due_us, "if nothing is heard of it by then, it is silent (device_silent)")


def silent_from_us(city: City, state: State, kind: str, row: int, at_us: int) -> int:
    """When it falls silent if nothing more is heard of it; never where its silence does not count."""
    roll, presence, figures = city.rolls[kind], state.presence[kind], city.thresholds.presence
    rows = np.array([row], np.intp)
    watch = Watch(rhythm.interval_us(state.rhythm[kind], roll), roll.served, figures.missed_intervals, NEVER_US)
    since_us = int(silence.listened_since_us(presence, rows, NEVER_US)[0])
    if since_us >= FOREVER_US:
        return FOREVER_US
    patience_us = int(silence.patience_us(presence, rows, watch, at_us)[0])
    if kind == LAMPS and figures.lamps_silent_by_day:
        night = city.clock.night(at_us)
        due_us = max(since_us, night.dusk_us) + patience_us
        return due_us if at_us < night.dawn_us and due_us <= night.dawn_us else FOREVER_US
    return since_us + patience_us


def delay(told: Explanation, latch: Latch, row: int, delays: Delays, alarm: AlarmType | str) -> int | None:
    """Foresee when a latch turns whose delay is running; returns when, `None` if none runs."""
    since_us, rows = int(latch.since_us[row]), np.array([row], np.intp)
    if since_us == NEVER_US:
        return None
    due_us = since_us + int(delays.of(rows, latch.active[rows])[0])
    told.foresee(due_us, f"if it stays so, {alarm} is {'over' if latch.active[row] else 'raised'}")
    return due_us
