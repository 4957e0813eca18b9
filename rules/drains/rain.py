"""Rain over a drain: that of its gauge, else the largest in its zone within the hour, else unknown.

Unknown is neither dry nor wet. A drain is its own zone's gauge as soon as it reports rain.
"""

from dataclasses import dataclass

import numpy as np

from rules.drains.sewer import Sewer
from rules.memory import FOREVER_US, NEVER_US, Bools, FlagColumn, Memory, RealColumn, Reals, Rows, TimeColumn, Times
from telemetry.clock import HOUR_US

FRESH_US = HOUR_US
"""So long a gauge's word holds."""


@dataclass(slots=True, eq=False)
class Rain(Memory):
    """What each gauge said last, and since when its word has no gap.

    `wet_us` and `heavy_us`: when it last rained, and rained heavily. `escalated`: the drain's silence has been called
    critical because of the rain.
    """

    rain_mm_h: RealColumn
    at_us: TimeColumn
    known_us: TimeColumn
    wet_us: TimeColumn
    heavy_us: TimeColumn
    escalated: FlagColumn


@dataclass(frozen=True, slots=True)
class Rainfall:
    """Rain over some drains at a moment, `(k,)`: `mm_h` is NaN where unknown, and `known_us` then after all time.

    `gauge` is the row of the drain's own gauge, −1 where its zone's gauges speak for it.
    """

    mm_h: Reals
    known_us: Times
    wet_us: Times
    heavy_us: Times
    gauge: Rows

    def dry_for(self, at_us: Times, span_us: Times) -> Bools:
        """Which are known to have been dry for so long."""
        since = at_us - span_us
        dry: Bools = ~np.isnan(self.mm_h) & (self.known_us <= since) & (self.wet_us < since)
        return dry


def report(rain: Rain, sewer: Sewer, rows: Rows, at_us: Times, mm_h: Reals) -> None:
    """One observation a drain; those that say nothing of rain are left aside."""
    says = ~np.isnan(mm_h)
    if not says.any():
        return
    rows, at_us, mm_h = rows[says], at_us[says], mm_h[says]
    gap = at_us - rain.at_us[rows] > FRESH_US
    rain.known_us[rows[gap]] = at_us[gap]
    wet, heavy = (mm_h >= sewer.figure(name)[rows] for name in ("rain_wet_mm_h", "rain_heavy_mm_h"))
    rain.wet_us[rows[wet]] = at_us[wet]
    rain.heavy_us[rows[heavy]] = at_us[heavy]
    rain.rain_mm_h[rows], rain.at_us[rows] = mm_h, at_us


def over(rain: Rain, sewer: Sewer, rows: Rows, at_us: Times) -> Rainfall:
    """The rain over these drains, each at its moment."""
    own = sewer.gauge[rows]
    speaks = (own >= 0) & (rain.at_us[own] >= at_us - FRESH_US)
    zone = _of_zones(rain, sewer, sewer.zone[rows], at_us)
    return Rainfall(
        np.where(speaks, rain.rain_mm_h[own], zone.mm_h),
        np.where(speaks, rain.known_us[own], zone.known_us),
        np.where(speaks, rain.wet_us[own], zone.wet_us),
        np.where(speaks, rain.heavy_us[own], zone.heavy_us),
        np.where(speaks, own, -1),
    )


def _of_zones(rain: Rain, sewer: Sewer, zone: Rows, at_us: Times) -> Rainfall:
    """The largest of each zone's gauges that have spoken within the hour, `(k,)`."""
    gauges = np.flatnonzero((rain.at_us != NEVER_US) & (sewer.zone >= 0))
    count = len(sewer.zones) + 1  # the last one stands for no zone
    mm_h, known = np.full(count, -1.0), np.full(count, FOREVER_US)
    wet, heavy = np.full(count, NEVER_US), np.full(count, NEVER_US)
    where = sewer.zone[gauges]
    np.maximum.at(wet, where, rain.wet_us[gauges])
    np.maximum.at(heavy, where, rain.heavy_us[gauges])
    fresh = rain.at_us[gauges] >= at_us.min(initial=FOREVER_US) - FRESH_US
    np.maximum.at(mm_h, where[fresh], rain.rain_mm_h[gauges[fresh]])
    np.minimum.at(known, where[fresh], rain.known_us[gauges[fresh]])
    mm_h[mm_h < 0] = np.nan
    return Rainfall(mm_h[zone], known[zone], wet[zone], heavy[zone], np.full(len(zone), -1, np.intp))
