"""`python -m bench.forecast`: how well free places are forecast, on a recording; writes `docs/forecast_accuracy.md`.

Fourteen car parks of Birmingham, counted about every 30 minutes by day (Birmingham City Council, CC BY 4.0). They are
followed from October; what counts is the forecast for 30 minutes ahead in the weeks from 28 November, against what
came, on the straight line between the two counts round that moment. Nothing is tuned to a car park.
"""

import csv
import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from bench.figures import Table, Target
from bench.page import pipes
from bench.processes import ROOT
from rules.forecast import GAP_US_MAX, HORIZONS_MIN, Outlook
from rules.week import slot_of
from telemetry.availability import FORECAST_RANGE_PCT
from telemetry.clock import MINUTE_US, to_datetime, to_us
from tests.parts import recordings

RECORDING = "parking_birmingham_2016_14_car_parks.csv"
PAGE = ROOT / "docs" / "forecast_accuracy.md"
TIMEZONE = ZoneInfo("Europe/London")
FROM_US = to_us(dt.datetime(2016, 11, 28, tzinfo=TIMEZONE))
AHEAD_MIN = 30

_HEAD = """\
# How good the forecast is

Written by `python -m bench.forecast` from a recording of 14 car parks in Birmingham, 4 October to 19 December 2016,
counted about every 30 minutes from 8:00 to 16:30 (Birmingham City Council, CC BY 4.0). The forecast for 30 minutes
ahead is held against what came from 28 November on; it learns on as it would in a town. Beside it: the present stays
as it is (persistence); the mean of the same quarter of an hour of the same weekday before 28 November (weekly mean);
and the present plus the difference of those means (blend). Errors are mean absolute errors in bays; the range is meant
to hold what comes {range_pct} times of 100.
"""

Count = tuple[int, float]
"""When, and the share of bays taken."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute errors in bays of one car park, each `(n,)`, and how often and how widely the range held."""

    name: str
    capacity: int
    ours: np.ndarray
    persistence: np.ndarray
    mean: np.ndarray
    blend: np.ndarray
    within: np.ndarray
    width: np.ndarray


@lru_cache(maxsize=1 << 16)
def local(at_us: int) -> dt.datetime:
    """The wall clock in Birmingham."""
    return to_datetime(at_us).astimezone(TIMEZONE)


def counts() -> Iterator[tuple[str, int, list[Count]]]:
    """Name, capacity and counts of each car park."""
    found: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    with recordings.series(RECORDING).open() as file:
        for row in csv.DictReader(file):
            at_us = to_us(dt.datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=TIMEZONE))
            capacity = int(row["Capacity"])
            found[row["SystemCodeNumber"], capacity][at_us] = min(float(row["Occupancy"]) / capacity, 1.0)
    for (name, capacity), series in sorted(found.items()):
        yield name, capacity, sorted(series.items())


def weekly_mean(series: Sequence[Count]) -> Callable[[int], float]:
    """The mean share at a moment of the week, from the counts before the weeks that count; NaN where there is none."""
    times = np.array([at_us for at_us, _ in series])
    shares = np.array([taken for _, taken in series])
    by_slot: dict[int, list[float]] = defaultdict(list)
    for before_us, after_us in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        for slot_us in range(-(-before_us // (15 * MINUTE_US)) * 15 * MINUTE_US, after_us, 15 * MINUTE_US):
            if after_us - before_us <= GAP_US_MAX and after_us < FROM_US:
                by_slot[slot_of(local(slot_us))].append(float(np.interp(slot_us, times, shares)))
    means = {slot: float(np.mean(values)) for slot, values in by_slot.items()}

    def at(at_us: int) -> float:
        floor_us = at_us // (15 * MINUTE_US) * 15 * MINUTE_US
        here, there = (means.get(slot_of(local(each)), np.nan) for each in (floor_us, floor_us + 15 * MINUTE_US))
        share = (at_us - floor_us) / (15 * MINUTE_US)
        return float(np.nanmean([here, there])) if np.isnan(here + there) else here + (there - here) * share

    return at


def follow(name: str, capacity: int, series: Sequence[Count]) -> Errors:
    """Go through a car park's counts in order, forecasting at each of those that count."""
    mean = weekly_mean(series)
    times, shares = (np.array(column) for column in zip(*series, strict=True))
    outlook = Outlook()
    rows = []
    for place, (at_us, taken) in enumerate(series[:-1]):
        outlook = outlook.looked(at_us, taken, local)
        then_us, next_us = at_us + AHEAD_MIN * MINUTE_US, series[place + 1][0]
        if at_us < FROM_US or next_us - at_us > GAP_US_MAX:
            continue
        if then_us > next_us and (place + 2 == len(series) or series[place + 2][0] - next_us > GAP_US_MAX):
            then_us = next_us
        came = float(np.interp(then_us, times, shares))
        said = next(each for each in outlook.expect(local) if each.minutes == AHEAD_MIN)
        blend = taken + mean(then_us) - mean(at_us)
        wrong = [abs(each - came) * capacity for each in (said.taken, taken, mean(then_us), blend)]
        rows.append((*wrong, said.low <= came <= said.high, (said.high - said.low) * capacity))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Errors(name, capacity, *columns)


def table(found: Sequence[Errors]) -> Table:
    """A row a car park."""
    head = ["car park", "bays", "forecast", "persistence", "weekly mean", "blend", "within the range", "its width"]
    rows: list[Sequence[str]] = []
    for each in found:
        means = [f"{column.mean():.1f}" for column in (each.ours, each.persistence, each.mean, each.blend)]
        rows.append([each.name, str(each.capacity), *means, f"{each.within.mean():.0%}", f"{each.width.mean():.0f}"])
    return Table(head, rows)


def targets(found: Sequence[Errors]) -> list[Target]:
    """What is asked of all car parks together."""
    ours, persistence, mean, blend, within = (
        np.concatenate([getattr(each, name) for each in found])
        for name in ("ours", "persistence", "mean", "blend", "within")
    )
    return [
        Target(4, "error of persistence's", 100 * ours.mean() / persistence.mean(), 33.0, False, " %"),
        Target(4, "error of the weekly mean's", 100 * ours.mean() / mean.mean(), 16.0, False, " %"),
        Target(4, "error of the blend's", 100 * ours.mean() / blend.mean(), 100.0, False, " %"),
        Target(4, "within the range", 100 * within.mean(), 75.0, True, " %"),
        Target(4, "within the range", 100 * within.mean(), 85.0, False, " %"),
    ]


def shares(found: Sequence[Errors]) -> str:
    """The same ratios where every car park counts alike, whatever its size."""
    ours, persistence, mean = (
        np.mean([getattr(each, name).mean() / each.capacity for each in found])
        for name in ("ours", "persistence", "mean")
    )
    return (
        f"Where each car park counts alike, in shares of its capacity: {100 * ours:.2f} % of the bays, which is "
        f"{ours / persistence:.1%} of persistence's error and {ours / mean:.1%} of the weekly mean's."
    )


def main() -> int:
    """Measure, print, write the page; 1 where something asked for is missed."""
    assert AHEAD_MIN in HORIZONS_MIN
    found = [follow(*each) for each in counts()]
    asked = targets(found)
    lines = [f"- {target.text()}" for target in asked]
    text = "\n".join(
        [_HEAD.format(range_pct=FORECAST_RANGE_PCT), pipes(table(found)), "", *lines, "", shares(found), ""]
    )
    sys.stdout.write(text)
    PAGE.write_text(text, encoding="utf-8")
    return 0 if all(target.met for target in asked) else 1


if __name__ == "__main__":
    sys.exit(main())
