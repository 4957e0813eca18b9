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
    "records": "Records that made decisions durable.",
    "record_s": "Seconds spent on these records.",
    "journaled": "Records that went into the journal, because the database was away or slow.",
    "alarms_cleared": "Alarms that have cleared.",
    "zone_words": "Words on a parking zone's availability.",
    "probes": "Probes sent into the queues of ingest.",
}
_BACKLOG = {
    "age_s": ("backlog_age_seconds", "For how long the oldest uplink has waited that ingest has not settled."),
    "messages": ("backlog_messages", "Uplinks that wait for ingest at the broker, an estimate."),
    "bytes": ("backlog_bytes", "Bytes of these uplinks, an estimate."),
    "filled_pct": ("queue_filled_pct", "How full the fullest of ingest's queues is, per cent of its bound."),
}
_LOST = {
    "lost_probes": ("lost_probes", "Probes that the broker has acknowledged and dropped, and uplinks with them."),
    "dropped_messages": ("dropped_messages", "Messages that the broker says it has dropped at a queue's bound."),
}
_OF_RULES = {
    "reloads": "How often the rule file came into force.",
    "refusals": "How often the rule file was refused.",
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
        yield from self._of_queue()
        yield self._of_people()
        yield from self._of_rules()
        yield GaugeMetricFamily(
            _PREFIX + "journal_bytes", "Bytes in the journal that wait for the database.", value=counts.journal_bytes
        )
        yield GaugeMetricFamily(_PREFIX + "assets", "Assets that the rules watch.", value=counts.assets)
        yield GaugeMetricFamily(
            _PREFIX + "leading", "1 if this process decides, 0 if it stands by.", value=counts.leading
        )

    def _of_people(self) -> Metric:
        """What became of messages to people."""
        family = CounterMetricFamily(
            _PREFIX + "notifications", "Messages to people, by sink and what became of them.", labels=["sink", "fate"]
        )
        for sink, fates in self._counts.notifications.items():
            for fate, number in fates.items():
                family.add_metric([sink, fate], number)
        return family

    def _of_rules(self) -> Iterator[Metric]:
        """What the leader says of the rules in force."""
        standing = self._counts.rules
        if standing is None:
            return
        version = GaugeMetricFamily(_PREFIX + "active_version", "1 for the version in force.", labels=["version"])
        version.add_metric([standing.version], 1.0)
        yield version
        mistakes = "Mistakes in the rule file as it is now; above 0 it is not in force."
        yield GaugeMetricFamily(_PREFIX + "file_mistakes", mistakes, value=float(standing.mistakes))
        for name, words in _OF_RULES.items():
            yield CounterMetricFamily(f"{_PREFIX}file_{name}", words, value=float(getattr(standing, name)))

    def _of_queue(self) -> Iterator[Metric]:
        """What the leader knows of ingest's queues."""
        backlog = self._counts.backlog
        if backlog is None:
            return
        for field, (name, words) in _BACKLOG.items():
            yield GaugeMetricFamily(_PREFIX + name, words, value=getattr(backlog, field))
        for field, (name, words) in _LOST.items():
            if (value := getattr(backlog, field)) is not None:
                yield CounterMetricFamily(_PREFIX + name, words, value=value)
