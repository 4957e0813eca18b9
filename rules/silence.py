"""When a device is silent: no sign of life for a number of its report intervals.

Any observation is a sign of life, a late one too. Its time is the observation's own where that is credible, else the
time of arrival, so that a device with a wrong clock, or one that delivers an old backlog, counts as alive.

Decided: an asset is watched once it has been heard. One that was registered and never reported is `unknown` to
everybody who looks, but no alarm: a registry is imported before the hardware is mounted, and a thousand alarms on that
day would bury the one that matters.

Street lights hang on circuits that are switched off by day, so a lamp is expected to report only when it is dark
(setting `lamps_silent_by_day`): its intervals are counted from dusk at the earliest, and run out at dawn at the latest.
"""

from dataclasses import dataclass

import numpy as np

from rules.memory import NEVER_US, Bools, FlagColumn, Memory, NameColumn, Rows, SpanColumn, TimeColumn, Times
from rules.sun import Night
from telemetry.clock import SECOND_US


@dataclass(slots=True, eq=False)
class Presence(Memory):
    """`position_us`: the newest observation processed; `heard_us`: the last sign of life.

    `silent`: the alarm stands, raised because of nothing since `cause_us`. `told_us`: a longer report interval that a
    command has set until `told_until_us`; `told_by` is that command. `excused_us`: until when nothing was expected of
    it, because its cabinet was out (`rules.cabinets`); `unheard_us`: because the radio gateways that hear it were
    (`rules.radio`). `failing_us`: the cause of the alarm that its
    commands come to nothing, while that stands (`rules.failing`).
    """

    position_us: TimeColumn
    heard_us: TimeColumn
    silent: FlagColumn
    cause_us: TimeColumn
    told_us: SpanColumn
    told_until_us: TimeColumn
    told_by: NameColumn
    excused_us: TimeColumn
    unheard_us: TimeColumn
    failing_us: TimeColumn


@dataclass(frozen=True, slots=True)
class Watch:
    """What counts as silent at the moment, for one kind.

    `interval_us` `(n,)` is how often each reports (`rules.rhythm`), `served` `(n,)` the registry's. `listening_us` is
    since when anything could be heard at all. `night` is given for assets that report only in the dark.
    """

    interval_us: Times
    served: Bools
    missed_intervals: int
    listening_us: int
    night: Night | None = None


def patience_us(presence: Presence, rows: Rows, watch: Watch, until_us: Times | int) -> Times:
    """How long each asset may keep silent, `(k,)`: a number of its intervals, longer if a command said so."""
    told = np.where(presence.told_until_us[rows] > until_us, presence.told_us[rows], 0)
    return watch.missed_intervals * np.maximum(watch.interval_us[rows], told)


def sign_of_life_us(observed_us: Times, patience: Times, now_us: int, settled_us: int) -> Times:
    """When each observation says that its device was alive, `(k,)`."""
    credible = observed_us >= settled_us - patience
    return np.where(credible, np.minimum(observed_us, now_us), settled_us)


def listened_since_us(presence: Presence, rows: Rows, listening_us: int) -> Times:
    """Since when each asset could have been heard and was not, `(k,)`; never while nothing is expected of it."""
    excused = np.maximum(presence.excused_us[rows], presence.unheard_us[rows])
    return np.maximum(np.maximum(presence.heard_us[rows], listening_us), excused)


def fall_silent(presence: Presence, rows: Rows, watch: Watch, until_us: Times | int) -> tuple[Rows, Times]:
    """The assets among `rows` that have fallen silent by `until_us`, and when."""
    heard = presence.heard_us[rows]
    may = ~presence.silent[rows] & (heard != NEVER_US) & watch.served[rows]
    since = listened_since_us(presence, rows, watch.listening_us)
    if watch.night is not None:
        since = np.maximum(since, watch.night.dusk_us)
        until_us = np.minimum(until_us, watch.night.dawn_us)
    due = since + patience_us(presence, rows, watch, until_us)
    fallen = may & (due <= until_us)
    gone = rows[fallen]
    presence.silent[gone] = True
    presence.cause_us[gone] = listened_since_us(presence, gone, NEVER_US)
    return gone, due[fallen]


def hear(presence: Presence, rows: Rows, life_us: Times) -> tuple[Rows, Times]:
    """Note signs of life, several a row perhaps; returns the assets that were silent and no longer are, since when."""
    before = presence.silent[rows]
    np.maximum.at(presence.heard_us, rows, life_us)
    back = np.unique(rows[before & (life_us > presence.cause_us[rows])])
    presence.silent[back] = False
    for until_us in (presence.excused_us, presence.unheard_us):
        over = (until_us[rows] != NEVER_US) & (until_us[rows] < life_us)
        until_us[rows[over]] = NEVER_US
    return back, presence.heard_us[back]


def unwatch(presence: Presence, watch: Watch) -> tuple[Rows, Rows]:
    """Let go of the assets that no device serves any more: the next device is watched once it has been heard.

    Returns the assets whose alarms are over by that, and all that were let go.
    """
    gone = np.flatnonzero(~watch.served & (presence.heard_us != NEVER_US))
    over = gone[presence.silent[gone]]
    presence.silent[gone] = False
    presence.heard_us[gone] = NEVER_US
    presence.excused_us[gone] = presence.unheard_us[gone] = NEVER_US
    return over, gone


def tell(presence: Presence, row: int, every_s: int, until_us: int, command: str) -> None:
    """A command has set how often an asset reports."""
    presence.told_us[row] = every_s * SECOND_US
    presence.told_until_us[row] = until_us
    presence.told_by[row] = command
