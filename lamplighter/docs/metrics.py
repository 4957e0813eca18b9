"""`docs/metrics.md`, every figure for Prometheus, written from the code.

Each service's figures are made as it makes them, and asked once what they are.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.backlog import Waiting
from api.self_probe import Sighting
from gateway.figures import Figures
from ingest.ledger import Ledger
from ingest.probes import Probes
from lamplighter.clock import real_now
from lamplighter.docs.unconnected import application
from lamplighter.rule_metrics import RuleMetrics
from lamplighter.upkeep_metrics import UpkeepMetrics
from rules.counts import Counts
from rules.rulefile.active import RuleStanding
from storage.lifecycle import Round
from storage.rollup_check import Check
from telemetry.backlog import Backlog, Probe, encode
from telemetry.clock import to_datetime, to_rfc3339

_HEAD = """\
# Metrics

What `GET /metrics` tells Prometheus ([HTTP](http.md)): all figures of the process that answers, so of `up` those of all
services. A process without the API tells its own on the port of 127.0.0.1 that `--metrics-port` names. A counter's name
ends in `_total`; a histogram has `_bucket`, `_sum` and `_count`. Times are real, unless city time is said.
[`deploy/prometheus/alerts.yaml`](../deploy/prometheus/alerts.yaml) has alert rules for the platform
itself ([which](operations.md#alerts-on-the-platform-itself)).

This page is written from the code by `make docs`, and a test compares them.
"""
_ROOMS = (
    ("ingest", "Ingest"),
    ("rules", "Rules"),
    ("gateway", "Gateway"),
    ("upkeep", "Upkeep of old data"),
    ("", "API, and what it knows of the town"),
)


class _Listening(CollectorRegistry):
    """Remembers who registers, since a metric with labels does not tell them before it has counted."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Collector] = []

    def register(self, collector: Collector) -> None:
        self.heard.append(collector)
        super().register(collector)


def page() -> str:
    """The whole page as Markdown."""
    rows = sorted(_rows())
    parts, told = [_HEAD], set[str]()
    for room, title in _ROOMS:
        mine = [row for name, row in rows if name.startswith(f"lamplighter_{room}") and name not in told]
        told |= {name for name, _ in rows if name.startswith(f"lamplighter_{room}")}
        parts.append(f"\n## {title}\n\n| figure | type | labels | |\n|---|---|---|---|\n{''.join(mine)}")
    return "".join(parts)


def names() -> set[str]:
    """The names of all figures, as Prometheus stores them."""
    return {name for name, _ in _rows()}


def _rows() -> Iterator[tuple[str, str]]:
    for collector in _collectors():
        for metric in collector.collect():
            labels = getattr(collector, "_labelnames", ()) or getattr(metric, "_labelnames", ())
            name = _name(metric)
            spelled = ", ".join(f"`{label}`" for label in labels)
            yield name, f"| `{name}` | {metric.type} | {spelled} | {metric.documentation} |\n"


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else str(metric.name)


def _collectors() -> list[Collector]:
    """Every service's figures, each with something to tell."""
    registry = _Listening()
    Ledger("ingest", registry)
    Probes("ingest", registry)
    Figures(registry)
    nothing = {"age_s": 0.0, "messages": 0, "bytes": 0, "filled_pct": 0.0, "lost_probes": 0, "dropped_messages": 0}
    backlog = Backlog(**nothing, at=to_rfc3339(real_now()), slowest="ingest")  # type: ignore[arg-type]
    registry.register(RuleMetrics(Counts(backlog=backlog, rules=RuleStanding("default", 0, 0, 0))))
    upkeep = UpkeepMetrics()
    upkeep.add(Round(check=Check(to_datetime(0), asset_days=0, asset_days_left=0, differing=0)))
    registry.register(upkeep)
    waiting, sighting = Waiting(real_now), Sighting(registry)
    waiting.receive(encode(backlog))
    sighting.heard(encode(Probe("page", 1, 0)), 0.0)
    sighting.shown(1, 0.0)
    application(registry=registry, waiting=waiting)
    return registry.heard
