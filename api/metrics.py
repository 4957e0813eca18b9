"""What the API counts of itself, and all of the process's figures in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The API's own figures, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
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
        self.limited = Counter("lamplighter_http_limited", "Requests refused by the rate limit.", registry=registry)
        self.words = Counter(
            "lamplighter_zone_words",
            "Messages on the broker's zone topics, by whether they could be understood.",
            ("fate",),
            registry=registry,
        )
        self.database_away = Gauge(
            "lamplighter_api_database_away_seconds",
            "For how long the API has not reached the database.",
            registry=registry,
        )
