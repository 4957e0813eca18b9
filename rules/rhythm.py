"""How often a device reports where nobody has registered it: learned from the times of its own observations. Pure.

The interval that most gaps agree on is learned, by a majority vote (Boyer and Moore): a gap near the candidate is a
vote for it, any other takes `VOTES_AGAINST`, and a candidate without votes gives way to the next gap. So lost messages,
an edge between two heartbeats, or a night's pause change nothing, and neither does one wrong gap after a swap. A
candidate is believed once it has `VOTES_TRUSTED`; what is learned holds until another one is.

Late observations do not teach, nor do those that a device delivers long after it measured them, nor a device that a
command has told its interval. Two devices are two rhythms: a swap begins anew.
"""

from dataclasses import dataclass

import numpy as np

from rules.city import Roll
from rules.memory import Bools, CountColumn, Memory, Rows, SpanColumn, Times
from telemetry.clock import SECOND_US

VOTES_TRUSTED = 5
VOTES_MAX = 8
VOTES_AGAINST = 2
NEAR = 1.25
"""A gap agrees with a candidate that is up to so many times as long, or as short: devices jitter by a fifth."""
LEARNED_S_MIN = 60
"""A shorter interval is taken as this: nobody is called silent after less than three minutes."""
LEARNED_S_MAX = 604_800
"""A longer gap is none of a report interval: it teaches nothing (a week, as the registry's `report_every_s`)."""


@dataclass(slots=True, eq=False)
class Rhythm(Memory):
    """`learned_us`: the interval that is believed, 0 for none. `candidate_us` has so many `votes` to be the next."""

    learned_us: SpanColumn
    candidate_us: SpanColumn
    votes: CountColumn


def interval_us(rhythm: Rhythm, roll: Roll) -> Times:
    """How often each asset reports, `(n,)`: as registered, else as learned, else as its kind does."""
    learned = ~roll.interval_given & (rhythm.learned_us > 0)
    return np.where(learned, rhythm.learned_us, roll.interval_us)


def learn(rhythm: Rhythm, rows: Rows, gap_us: Times) -> bool:
    """One gap between two observations of each of these assets; says whether anything is believed anew."""
    whole = (gap_us > 0) & (gap_us <= LEARNED_S_MAX * SECOND_US)
    rows, gap_us = rows[whole], np.maximum(gap_us[whole], LEARNED_S_MIN * SECOND_US)
    candidate, votes = rhythm.candidate_us[rows], rhythm.votes[rows]
    agrees = (gap_us <= NEAR * candidate) & (candidate <= NEAR * gap_us)
    votes = np.where(agrees, np.minimum(votes + 1, VOTES_MAX), votes - VOTES_AGAINST)
    fresh = ~agrees & (votes <= 0)
    candidate = np.where(fresh, gap_us, candidate)
    rhythm.candidate_us[rows] = candidate
    rhythm.votes[rows] = np.where(fresh, 1, votes)
    believed = (votes >= VOTES_TRUSTED) & (rhythm.learned_us[rows] != candidate)
    rhythm.learned_us[rows[believed]] = candidate[believed]
    return bool(believed.any())


def forget(rhythm: Rhythm, other: Bools) -> None:
    """Begin anew with the assets that another device serves now."""
    for column in (rhythm.learned_us, rhythm.candidate_us, rhythm.votes):
        column[other] = 0
