"""What upkeep did, as Prometheus reads it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.lifecycle import Round
from telemetry.clock import SECOND_US, to_us

_PREFIX = "lamplighter_upkeep_"
_WORDS = {
    "days": "Local days of a kind summed up.",
    "compressed": "Pieces of observation tables compressed.",
    "dropped": "Pieces of observation tables dropped.",
    "asset_days_checked": "Asset-days whose rollups were compared with their rows at night.",
    "asset_days_left": "Touched asset-days that were not compared for want of time.",
    "asset_days_differing": "Asset-days whose rollups differed from their rows and were made anew.",
}


class UpkeepMetrics(Collector):
    """Adds up the rounds of this process."""

    def __init__(self) -> None:
        self._totals = dict.fromkeys(_WORDS, 0)
        self._checked_us: int | None = None
        self._days_left = 0

    def add(self, done: Round) -> None:
        """Another round."""
        for name in ("days", "compressed", "dropped"):
            self._totals[name] += getattr(done, name)
        self._days_left = done.days_left
        if done.check is not None:
            self._totals["asset_days_checked"] += done.check.asset_days
            self._totals["asset_days_left"] += done.check.asset_days_left
            self._totals["asset_days_differing"] += done.check.differing
            self._checked_us = to_us(done.check.checked_at)

    def collect(self) -> Iterator[Metric]:
        """All figures of this moment."""
        for name, words in _WORDS.items():
            yield CounterMetricFamily(_PREFIX + name, words, value=self._totals[name])
        yield GaugeMetricFamily(_PREFIX + "days_behind", "Local days of a kind still to be summed up.", self._days_left)
        if self._checked_us is not None:
            words = "City time of the last nightly check of rollups, seconds since 1970."
            yield GaugeMetricFamily(_PREFIX + "checked_timestamp_seconds", words, self._checked_us / SECOND_US)
