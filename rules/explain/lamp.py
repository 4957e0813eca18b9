"""A street light: what it is to give now and why, what changes that, and what it falls back to."""

import numpy as np

from rules import leases, photocell
from rules.city import LAMPS, City
from rules.dimming import floored
from rules.explain.words import Explanation, lasting, moment
from rules.fallback import fallback
from rules.memory import NEVER_US
from rules.state import State
from rules.wanted import segment, wanted
from telemetry.clock import HOUR_US
from telemetry.commands import PRIORITIES

CHANGES_MAX = 4
"""So many changes of the program are foreseen."""


def explain(told: Explanation, city: City, state: State, row: int) -> None:
    """Everything of a lamp but whether it is heard."""
    _wanted(told, city, state, row)
    _program(told, city, state, row)
    _guard(told, city, row)
    _sun(told, city)
    _lease(told, state, row)
    _fallback(told, state, row)


def _wanted(told: Explanation, city: City, state: State, row: int) -> None:
    lease, now = state.lease, wanted(city, state.photocell, state.boost, told.at_us)
    if leases.overridden(lease)[row] and lease.override_until_us[row] > told.at_us:
        until_us, level = int(lease.override_until_us[row]), float(lease.override_pct[row])
        command = str(lease.override_by[row])
        sentence = f"It is to give {level:g} % by override, until {told.clock(until_us)}; then the program resumes."
        told.say("wanted", sentence, level_pct=level, by="override", until=moment(until_us), command=command)
        told.foresee(until_us, "the override ends and the program resumes")
        return
    level = float(now.level_pct[row])
    if now.boosted[row]:
        held_us = int(state.boost.held_us[row])
        sentence = f"It is to give {level:g} % by sensor: movement holds the light until {told.clock(held_us)}."
        told.say("wanted", sentence, level_pct=level, by="sensor", until=moment(held_us))
        told.foresee(held_us, "the light goes down to the program if nothing moves")
        return
    told.say("wanted", f"It is to give {level:g} % by program.", level_pct=level, by="program")


def _program(told: Explanation, city: City, state: State, row: int) -> None:
    """The step that decides, and what the next ones want."""
    beat, at_us = city.lamps.beats[city.lamps.beat[row]], told.at_us
    window = photocell.window(city.clock, city.sun, city.thresholds.lighting, at_us) if beat.cell >= 0 else None
    now = segment(city, state.photocell, beat, window, at_us)
    program, level = beat.program.name, _lawful(city, row, now.level_pct, now.lit or city.sun.dark_at(at_us))
    raised = f", raised to {level:g} % by its floor" if level != now.level_pct else ""
    told.say(
        "program",
        f"Its program {program} wants {now.level_pct:g} %{raised}, because of its step {now.because!r},"
        f" from {told.clock(now.start_us)} to {told.clock(now.end_us)}.",
        program=program,
        step=now.because,
        level_pct=now.level_pct,
        lawful_pct=level,
        since=moment(now.start_us),
        until=moment(now.end_us),
    )
    if beat.cell >= 0:
        cell = city.rolls[LAMPS].assets[beat.cell].asset
        decides = "may decide now" if window else "does not decide now, for it is not near dusk or dawn"
        told.say("photocell", f"The photocell {cell} {decides}.", asset=cell, decides=window is not None)
    end_us = now.end_us
    for _ in range(CHANGES_MAX):
        after = beat.program.at(end_us)
        then = _lawful(city, row, after.level_pct, after.lit or city.sun.dark_at(end_us))
        if then != level:
            told.foresee(end_us, f"the program wants {then:g} % ({after.because})")
        level, end_us = then, after.end_us


def _lawful(city: City, row: int, level_pct: float, dark: bool) -> float:
    lamps, level = city.lamps, np.array([level_pct])
    found = floored(level, np.array([dark]), lamps.floor_pct[row : row + 1], lamps.may_be_off[row : row + 1])
    return float(found[0])


def _guard(told: Explanation, city: City, row: int) -> None:
    floor_pct, may_be_off = float(city.lamps.floor_pct[row]), bool(city.lamps.may_be_off[row])
    least = f"In the dark it gives at least {floor_pct:g} %"
    off = ", or is off" if may_be_off else "; it is never off then"
    lighting_class = getattr(city.rolls[LAMPS].assets[row].attributes, "lighting_class", None)
    told.say("guard", f"{least}{off}.", floor_pct=floor_pct, may_be_off=may_be_off, lighting_class=lighting_class)


def _sun(told: Explanation, city: City) -> None:
    dark, change_us = city.clock.dark_at(told.at_us), city.clock.next_change_us(told.at_us)
    what = "dawn" if dark else "dusk"
    told.say(
        "sun",
        f"It is {'night' if dark else 'day'}; {what} is at {told.clock(change_us)}.",
        dark=dark,
        next=moment(change_us),
    )


def _lease(told: Explanation, state: State, row: int) -> None:
    """What its device was told last."""
    lease, renew_us = state.lease, int(state.lease.renew_us[row])
    if lease.reason[row] == leases.NOTHING:
        told.say("lease", "Its device has been told nothing yet.")
    else:
        level, reason = float(lease.setpoint_pct[row]), PRIORITIES[lease.reason[row]]
        again = f"; that is said again from {told.clock(renew_us)} on" if renew_us != NEVER_US else ""
        sentence = f"Its device {lease.device[row]} was last told {level:g} % by {reason}{again}."
        told.say("lease", sentence, setpoint_pct=level, by=reason, renewed_from=moment(renew_us))
    for each in state.book.last(int(state.asset_id[LAMPS][row])):
        sent = "once" if each.sends == 1 else f"{each.sends} times"
        said = f"A command is {each.state} since {told.clock(each.sent_us)}, sent {sent}"
        told.say("command", f"{said}; it ends at {told.clock(each.expires_us)}.", id=each.id, state=each.state.value)


def _fallback(told: Explanation, state: State, row: int) -> None:
    """What becomes of it if nobody reaches it any more."""
    after = fallback(state, row, told.at_us)
    default = "its controller's own default: full light from dusk to dawn, none by day"
    if after.setpoint_pct is None:
        sentence = f"Without contact it goes by {default}; no setpoint that it has acknowledged is in force."
    else:
        sentence = f"Without contact it keeps {after.setpoint_pct:g} % until {told.clock(after.at_us)}, then {default}."
    later = (
        after.latest_us if after.latest_us - after.at_us < 1_000 * HOUR_US and after.latest_us != after.at_us else None
    )
    told.say(
        "fallback",
        sentence,
        setpoint_pct=after.setpoint_pct,
        at=moment(after.at_us) if after.setpoint_pct is not None else None,
        at_the_latest=None if later is None else moment(later),
    )
    if after.setpoint_pct is not None:
        told.foresee(
            after.at_us,
            f"without contact until then, it goes by its own default after {lasting(after.at_us - told.at_us)}",
        )
