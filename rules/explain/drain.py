"""A drain: its stage, its heights with their delays, how the water moves, the rain, and its sensor."""

import numpy as np

from rules.city import DRAINS, City
from rules.drains import blockage, outlook
from rules.drains import rain as rains
from rules.drains.belief import WORDS, Fault
from rules.explain.presence import delay
from rules.explain.words import Explanation, moment
from rules.memory import NEVER_US
from rules.overflow import Stage
from rules.state import State
from rules.timing import Latch
from telemetry.alarms import AlarmType
from telemetry.outlook import STAGES

_NAMES = {"pre_alarm_m": "the pre-alarm", "crown_m": "the crown", "ground_m": "the ground"}


def explain(told: Explanation, city: City, state: State, row: int) -> None:
    """Everything of a drain but whether it is heard."""
    _level(told, state, row)
    latches = (state.pre_alarm, state.high, state.overflow)
    for latch, stage in zip(latches, city.sewer.stages, strict=True):
        _stage(told, latch, stage, row)
    _rise(told, city, state, row)
    _rain(told, city, state, row)
    _usual(told, city, state, row)
    _belief(told, state, row)
    _sampling(told, state, row)


def _level(told: Explanation, state: State, row: int) -> None:
    stage = STAGES[int(state.drain_outlook.stage[row])]
    level_m, at_us = float(state.water.level_m[row, -1]), int(state.water.at_us[row, -1])
    if np.isnan(level_m):
        told.say("stage", f"The stage is {stage}; no level is known yet.", stage=stage)
        return
    sentence = f"The stage is {stage}: the water stood at {level_m:.3f} m at {told.clock(at_us)}."
    told.say("stage", sentence, stage=stage, level_m=round(level_m, 4), observed_at=moment(at_us))


def _stage(told: Explanation, latch: Latch, stage: Stage, row: int) -> None:
    limit_m, deadband_m = float(stage.limit_m[row]), float(stage.deadband_m[row])
    name, alarm = stage.limit_name.removesuffix("_m"), stage.type.value if stage.type else "pre_alarm"
    if np.isnan(limit_m):
        told.say(name, f"{_NAMES[stage.limit_name].capitalize()} is not registered: {alarm} is never raised.")
        return
    active, cause_us = bool(latch.active[row]), int(latch.cause_us[row])
    due_us = delay(told, latch, row, stage.delays, alarm)
    standing = f"it stands since {told.clock(cause_us)}" if active else "it does not stand"
    verb = "is over" if active else "is raised"
    running = (
        f"; its delay runs since {told.clock(int(latch.since_us[row]))}, and it {verb} at {told.clock(due_us)}"
        if due_us
        else ""
    )
    told.say(
        name,
        f"{alarm} is raised at {limit_m:.2f} m ({_NAMES[stage.limit_name]}) and cleared below"
        f" {limit_m - deadband_m:.2f} m: {standing}{running}.",
        raise_m=limit_m,
        clear_below_m=round(limit_m - deadband_m, 4),
        active=active,
        since=moment(cause_us) if active else None,
        delay_since=moment(int(latch.since_us[row])),
        turns_at=None if due_us is None else moment(due_us),
    )


def _rise(told: Explanation, city: City, state: State, row: int) -> None:
    known, latch = state.drain_outlook, state.rising
    delay(told, latch, row, outlook.delays(city.sewer), AlarmType.DRAIN_RISING_FAST)
    until_us = int(known.until_us[row])
    if until_us == NEVER_US or until_us <= told.at_us:
        told.say("outlook", "Nothing says that the water rises to the ground.", rising_fast=bool(latch.active[row]))
        return
    rate, likely_us = float(known.rate_m_h[row]), int(known.likely_us[row])
    sentence = f"The water rises by {rate:g} m/h and reaches the ground at about {told.clock(likely_us)}."
    told.say(
        "outlook",
        sentence,
        rate_m_h=rate,
        earliest_at=moment(int(known.earliest_us[row])),
        likely_at=moment(likely_us),
        latest_at=moment(int(known.latest_us[row])),
        rising_fast=bool(latch.active[row]),
    )
    told.foresee(likely_us, "the water reaches the ground, if it rises on as it does")
    told.foresee(until_us, "without another level the outlook is taken back")


def _rain(told: Explanation, city: City, state: State, row: int) -> None:
    rows, at_us = np.array([row], np.intp), np.array([told.at_us], np.int64)
    over = rains.over(state.rain, city.sewer, rows, at_us)
    mm_h = float(over.mm_h[0])
    if np.isnan(mm_h):
        told.say("rain", "The rain is unknown: no gauge has spoken within the hour.", known=False)
        return
    gauge = int(over.gauge[0])
    whose = city.rolls[DRAINS].assets[gauge].asset if gauge >= 0 else "the gauges of its zone"
    dry = bool(over.dry_for(at_us, city.sewer.span_us("blockage_dry_s")[rows])[0])
    wet_us = int(over.wet_us[0])
    last = f"; it rained last at {told.clock(wet_us)}" if wet_us != NEVER_US else ""
    told.say(
        "rain", f"The rain is {mm_h:g} mm/h, by {whose}{last}.", known=True, mm_h=mm_h, gauge=whose, dry_for_long=dry
    )


def _usual(told: Explanation, city: City, state: State, row: int) -> None:
    usual, latch = state.usual, state.blockage
    lessons, needed = (
        int(usual.lessons[row]),
        int(blockage.LESSONS_A_DAY * city.sewer.figure("blockage_learn_days")[row]),
    )
    active = bool(latch.active[row])
    due_us = delay(told, latch, row, blockage.delays(city.sewer), AlarmType.DRAIN_BLOCKAGE)
    figures = {
        "active": active,
        "lessons": lessons,
        "lessons_needed": needed,
        "turns_at": None if due_us is None else moment(due_us),
    }
    if lessons < needed:
        told.say("usual", f"Its usual level is being learned: {lessons} of {needed} levels in dry weather.", **figures)
        return
    usual_m = float(usual.usual_m[row])
    told.say("usual", f"In dry weather it usually stays below {usual_m:.3f} m.", usual_m=round(usual_m, 4), **figures)


def _belief(told: Explanation, state: State, row: int) -> None:
    belief = state.belief
    if belief.active[row]:
        fault, since_us = Fault(int(belief.fault[row])), int(belief.cause_us[row])
        sentence = f"Its sensor is not believed since {told.clock(since_us)}. {WORDS[fault]}"
        told.say("sensor", sentence, believed=False, fault=fault.name.lower(), since=moment(since_us))
    else:
        doubt = float(belief.doubt[row])
        told.say(
            "sensor",
            f"Its sensor is believed{', with some doubt' if doubt else ''}.",
            believed=True,
            doubt=round(doubt, 3),
        )


def _sampling(told: Explanation, state: State, row: int) -> None:
    until_us = int(state.sampling.until_us[row])
    if until_us > told.at_us:
        sentence = f"Its device is asked to report more often until {told.clock(until_us)}."
        told.say("sampling", sentence, until=moment(until_us), renewed_from=moment(int(state.sampling.renew_us[row])))
