"""How many bays will be free soon: a zone's learned week, blended with what today is like.

A forecast starts from the present, follows the slope of the learned week (`rules.week`), and adds what a small linear
model has learned of how a day that deviates from its week goes on: recursive least squares with slow forgetting, a
model for each horizon. Its range are two quantiles of the errors made so far, moved a little after every error, so that
the range holds in the long run however the errors are spread (adaptive conformal inference, Gibbs and Candès 2021).

Shares of taken bays are 0 to 1 here. Until enough forecasts of a horizon have been held against what came, its range
is everything from nobody to full: how fast a zone turns over is not known before it has been seen, and that holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rules.memory import Reals
from rules.week import Local, Week, slot_of, slots_between
from telemetry.availability import FORECAST_RANGE_PCT
from telemetry.clock import MINUTE_US

HORIZONS_MIN = (15, 30, 60)
"""How far ahead, in minutes."""
SAMPLE_US = 3 * MINUTE_US
"""A zone is looked at no more often than this."""
GAP_US_MAX = 45 * MINUTE_US
"""Between two looks further apart nothing is taken as known."""
KEEP_US = 75 * MINUTE_US
"""Looks are remembered so long."""
LEARN_AFTER_US = 120 * MINUTE_US
"""A look enters the week after this time, so that a forecast never leans on the day it is made for."""
SCORED_MIN = 20
"""A horizon's range means something after so many forecasts have been held against what came."""
FORGETTING = 0.998
RIDGE = 30.0
STEP = 0.1
"""After an error an end of the range moves by this part of the mean error."""
FEATURE_SCALE = np.array([0.05, 0.02, 0.02, 0.03, 0.01])
"""Usual sizes of the features, so that the ridge weighs them alike."""
TAIL = (1 - FORECAST_RANGE_PCT / 100) / 2
"""The share of errors beyond each end."""
LEAST_ERROR = 0.001


@dataclass(frozen=True, slots=True)
class Look:
    """The share of taken bays at a moment, and by how much it differs from the week's; NaN without a week."""

    at_us: int
    taken: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Promise:
    """A forecast that waits for its moment: its start, its features, what the model added to it, of which horizon."""

    due_us: int
    horizon: int
    start: float
    features: Reals
    added: float


@dataclass(frozen=True, slots=True)
class Model:
    """What one horizon has learned: the normal equations, the range's two ends, and its mean absolute error."""

    normal: Reals
    moment: Reals
    low: float = -0.02
    high: float = 0.02
    error: float = 0.0
    scored: int = 0

    def addition(self, features: Reals) -> float:
        """What is to be added to a forecast with these features."""
        return float(features @ np.linalg.solve(self.normal, self.moment))

    def taught(self, features: Reals, added: float, missing: float) -> "Model":
        """The model after what came was `missing` above the start of a forecast to which `added` was added."""
        error = missing - added
        step = STEP * max(self.error, LEAST_ERROR)
        scored = self.scored + 1
        return Model(
            FORGETTING * self.normal + (1 - FORGETTING) * RIDGE * np.eye(len(features)) + np.outer(features, features),
            FORGETTING * self.moment + features * missing,
            self.low + step * (TAIL - (error < self.low)),
            self.high + step * ((error > self.high) - TAIL),
            self.error + (abs(error) - self.error) / min(scored, 1 / (1 - FORGETTING)),
            scored,
        )


def _blank_models() -> tuple[Model, ...]:
    size = len(FEATURE_SCALE)
    return tuple(Model(RIDGE * np.eye(size), np.zeros(size)) for _ in HORIZONS_MIN)


@dataclass(frozen=True, slots=True)
class Expected:
    """A forecast in shares of taken bays: the value, its range, and the horizon's mean absolute error so far.

    While `learning`, the range is everything, and the error the largest possible.
    """

    minutes: int
    taken: float
    low: float
    high: float
    error: float
    learning: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """All that is known of one zone's coming and going. Immutable: `looked` gives the next one."""

    week: Week = field(default_factory=Week.blank)
    models: tuple[Model, ...] = field(default_factory=_blank_models)
    looks: tuple[Look, ...] = ()
    unlearned: tuple[tuple[int, float], ...] = ()
    promises: tuple[Promise, ...] = ()

    def is_due(self, at_us: int) -> bool:
        """Whether it is time for another look."""
        return not self.looks or at_us - self.looks[-1].at_us >= SAMPLE_US

    def looked(self, at_us: int, taken: float, local: Local) -> "Outlook":
        """After a look at a later moment: what has come due is scored, the week learns, new forecasts wait."""
        before = self.looks[-1] if self.looks and at_us - self.looks[-1].at_us <= GAP_US_MAX else None
        models = self.models if before is None else self._scored(before, at_us, taken)
        unlearned, week = self._learned(before, at_us, taken, local)
        looks = tuple(each for each in self.looks if at_us - each.at_us <= KEEP_US)
        seen = Look(at_us, taken, taken - week.at(at_us, at_us, local))
        after = Outlook(week, models, (*looks, seen), unlearned)
        waiting = tuple(each for each in self.promises if each.due_us > at_us) if before is not None else ()
        return replace(after, promises=waiting + tuple(after._promised(local)))

    def expect(self, local: Local, horizons_min: Sequence[int] = HORIZONS_MIN) -> list[Expected]:
        """What is expected after the last look; nothing before the first."""
        found = []
        for model, minutes in zip(self.models, horizons_min if self.looks else (), strict=False):
            start, features = self._start(minutes, local)
            taken = start + model.addition(features)
            low, middle, high = np.clip(np.sort([taken + model.low, taken, taken + model.high]), 0, 1).tolist()
            if model.scored >= SCORED_MIN:
                found.append(Expected(minutes, middle, low, high, model.error))
            else:
                found.append(Expected(minutes, middle, 0.0, 1.0, max(middle, 1 - middle), learning=True))
        return found

    def _start(self, minutes: int, local: Local) -> tuple[float, Reals]:
        """The present and the week's slope, and what may be added to that, each in its usual size."""
        look = self.looks[-1]
        here = self.week.at(look.at_us, look.at_us, local)
        there = self.week.at(look.at_us + minutes * MINUTE_US, look.at_us, local)
        if np.isnan(here) or np.isnan(there):
            return look.taken, np.zeros(len(FEATURE_SCALE))
        slope = there - here
        deviation = look.taken - here
        half, hour = self._deviation_before(30, deviation), self._deviation_before(60, deviation)
        fuller = float(np.clip(look.taken / max(here, 0.02) - 1, -1, 1))
        features = np.array([deviation, deviation - half, half - hour, slope, slope * fuller])
        return look.taken + slope, features / FEATURE_SCALE

    def _deviation_before(self, minutes: int, otherwise: float) -> float:
        """The deviation at the look nearest to so long ago."""
        then_us = self.looks[-1].at_us - minutes * MINUTE_US
        known = [each for each in self.looks[:-1] if not np.isnan(each.deviation)]
        return min(known, key=lambda each: abs(each.at_us - then_us)).deviation if known else otherwise

    def _promised(self, local: Local) -> Iterator[Promise]:
        for number, minutes in enumerate(HORIZONS_MIN):
            start, features = self._start(minutes, local)
            added = self.models[number].addition(features)
            yield Promise(self.looks[-1].at_us + minutes * MINUTE_US, number, start, features, added)

    def _scored(self, before: Look, at_us: int, taken: float) -> tuple[Model, ...]:
        """The models after the forecasts that came due since the look before."""
        models = list(self.models)
        for each in self.promises:
            if before.at_us < each.due_us <= at_us:
                came = _between(before, at_us, taken, each.due_us)
                models[each.horizon] = models[each.horizon].taught(each.features, each.added, came - each.start)
        return tuple(models)

    def _learned(
        self, before: Look | None, at_us: int, taken: float, local: Local
    ) -> tuple[tuple[tuple[int, float], ...], Week]:
        """What is still to be learned, and the week after what is old enough has entered it."""
        new = (
            ()
            if before is None
            else tuple(
                (slot_us, _between(before, at_us, taken, slot_us)) for slot_us in slots_between(before.at_us, at_us)
            )
        )
        unlearned = (*self.unlearned, *new)
        ripe = sum(1 for slot_us, _ in unlearned if slot_us < at_us - LEARN_AFTER_US)
        week = self.week
        if ripe:
            week = week.learned([(slot_of(local(slot_us)), slot_us, value) for slot_us, value in unlearned[:ripe]])
        return unlearned[ripe:], week


def _between(before: Look, at_us: int, taken: float, then_us: int) -> float:
    """The share at a moment between two looks, on the straight line."""
    return before.taken + (taken - before.taken) * (then_us - before.at_us) / (at_us - before.at_us)
