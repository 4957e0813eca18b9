"""What the API counts of itself, and what it knows of the whole town, as figures for Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.board import Board

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The API's own figures, in a registry that other rooms of the process may share."""

    def __init__(self, registry: CollectorRegistry, board: Board) -> None:
        self.registry = registry
        registry.register(_OfBoard(board))
        self.requests = Counter(
            "lamplighter_http_requests",
            "Requests answered, by route (none: no such address), method and status.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "lamplighter_http_request_seconds",
            "Time to answer, by route; live streams are not among them.",
            ("route",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.streams = Gauge("lamplighter_http_streams", "Live streams under way.", registry=registry)
        self.alarm_streams = Gauge(
            "lamplighter_http_alarm_streams", "Live streams of alarms under way.", registry=registry
        )
        self.limited = Counter("lamplighter_http_limited", "Requests refused by the rate limit.", registry=registry)
        self.ledger = Gauge(
            "lamplighter_ledger_observations",
            "The ledger of all days and processes: received = stored + duplicate + quarantined + in_flight.",
            ("fate",),
            registry=registry,
        )
        self.ledger_days_differing = Gauge(
            "lamplighter_ledger_days_differing",
            "Days whose last check found that account and rows differ; the alarm ledger_imbalance says why.",
            registry=registry,
        )
        self.database_away = Gauge(
            "lamplighter_api_database_away_seconds",
            "For how long the API has not reached the database.",
            registry=registry,
        )


class _OfBoard(Collector):
    """What the board has heard and shows, read when somebody asks."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        words = CounterMetricFamily("lamplighter_zone_words", "Messages on the broker's zone topics.", labels=["fate"])
        words.add_metric(["taken"], self._board.words_received - self._board.words_refused)
        words.add_metric(["refused"], self._board.words_refused)
        yield words
        zones = GaugeMetricFamily(
            "lamplighter_zones", "Parking zones shown, by whether they are stale.", labels=["stale"]
        )
        stale = sum(zone.stale for zone in self._board.zones)
        zones.add_metric(["no"], len(self._board.zones) - stale)
        zones.add_metric(["yes"], stale)
        yield zones
