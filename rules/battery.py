"""`battery_low`: a battery that stands low for a while, of any kind that reports its charge."""

import numpy as np

from rules import timing
from rules.city import City
from rules.memory import Reals, Rows, Times
from rules.timing import Delays, Latch, Turned
from telemetry.clock import SECOND_US


def measure(latch: Latch, city: City, kind: str, rows: Rows, at_us: Times, charge_pct: Reals) -> Turned:
    """One observation an asset, NaN where it says nothing of its battery.

    It turns with a report only: one low reading, and then silence, is another alarm's business.
    """
    says = ~np.isnan(charge_pct)
    rows, at_us, charge_pct = rows[says], at_us[says], charge_pct[says]
    if not len(rows):
        return Turned(rows, at_us)
    low_pct, deadband_pct, delay_s = (
        city.figures(kind, "sensors", f"battery_{name}") for name in ("low_pct", "deadband_pct", "raise_delay_s")
    )
    low = low_pct[rows]
    timing.observe(latch, rows, at_us, charge_pct, charge_pct <= low, charge_pct >= low + deadband_pct[rows])
    return timing.fire(latch, rows, at_us, Delays((delay_s * SECOND_US).astype(np.int64), 0))
