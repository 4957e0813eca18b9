"""The rules' own counts as Prometheus reads them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rules.counts import Counts

_PREFIX = "lamplighter_rules_"
_PLAIN = {
    "observations": "Observations that the rules have heard.",
    "refused": "Observations that the rules could not use; ingest keeps them.",
    "acks": "Answers of devices to commands.",
    "acks_misspoken": "Answers that nobody understands.",
    "steps": "Steps of the rules.",
    "records": "Transactions that made decisions durable.",
    "record_s": "Seconds spent on them.",
    "alarms_cleared": "Alarms that have cleared.",
    "zone_words": "Words on a parking zone's availability.",
}
_BY = {
    "happened": ("what", "What the rules noticed beside alarms."),
    "alarms": ("type", "Alarms raised."),
    "commands": ("state", "Commands by the state they came to."),
}


class RuleMetrics(Collector):
    """Reads `counts` whenever Prometheus asks."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All figures of this moment."""
        counts = self._counts
        for name, words in _PLAIN.items():
            yield CounterMetricFamily(_PREFIX + name, words, value=float(getattr(counts, name)))
        for name, (label, words) in _BY.items():
            family = CounterMetricFamily(_PREFIX + name, words, labels=[label])
            for value, number in getattr(counts, name).items():
                family.add_metric([str(value)], number)
            yield family
        yield GaugeMetricFamily(_PREFIX + "assets", "Assets that the rules watch.", value=counts.assets)
        yield GaugeMetricFamily(
            _PREFIX + "leading", "1 if this process decides, 0 if it stands by.", value=counts.leading
        )
