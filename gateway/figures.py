"""What the gateway counts, as Prometheus reads it; `network` is the gateway's name for a network server."""

from collections import Counter as Count

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

FATES = (
    "published",
    "held",
    "lapsed",
    "without_reading",
    "duplicate",
    "simulated",
    "refused",
    "joined",
    "condition",
    "presence",
    "radio",
    "request",
    "ignored",
    "misspoken",
)
_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)


class Figures:
    """The counts of this process; `registry` is where Prometheus looks."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"lamplighter_gateway_{name}", words, ("network", *labels), registry=registry)

        self.totals: Count[tuple[str, str]] = Count()
        """By network and fate, for who watches from inside."""
        self._messages = counter("messages", "Messages of network servers, by what became of them.", "fate")
        self._refused = counter("refused", "Uplinks that could not be read, by reason; kept in quarantine.", "reason")
        self._missed = counter("frames_missed", "Frames that never came, by gaps of the devices' frame counters.")
        self._downlinks = counter("downlinks", "Downlinks, by what happened; `sent` is not yet `delivered`.", "what")
        self._seconds = Histogram(
            "lamplighter_gateway_seconds",
            "From an uplink's arrival to the city's broker's word on it.",
            ("network",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._unbooked = Gauge(
            "lamplighter_gateway_unbooked", "Uplinks that could not be read and wait for the ledger.", registry=registry
        )
        self._connected = Gauge(
            "lamplighter_gateway_connected",
            "1 if the network server's broker is heard.",
            ("network",),
            registry=registry,
        )

    def meet(self, network: str) -> None:
        """Let all figures of a network be there from the beginning."""
        for fate in FATES:
            self._messages.labels(network, fate)
        self._missed.labels(network)
        self._connected.labels(network).set(0)

    def count(self, network: str, fate: str, missed: int = 0) -> None:
        """A message has come to something."""
        self.totals[network, fate] += 1
        self._messages.labels(network, fate).inc()
        if missed:
            self.totals[network, "missed"] += missed
            self._missed.labels(network).inc(missed)

    def refuse(self, network: str, reason: str) -> None:
        """An uplink cannot be read."""
        self._refused.labels(network, reason).inc()

    def downlink(self, network: str, what: str) -> None:
        """Something has happened to a downlink."""
        self.totals[network, f"downlink {what}"] += 1
        self._downlinks.labels(network, what).inc()

    def took(self, network: str, seconds: float, uplinks: int) -> None:
        """So many uplinks have been published, real seconds after they had come."""
        for _ in range(uplinks):
            self._seconds.labels(network).observe(seconds)

    def unbooked(self, uplinks: int) -> None:
        """So many more uplinks wait to be booked, or fewer."""
        self._unbooked.inc(uplinks)

    def connected(self, network: str, connected: bool) -> None:
        """Whether the network server's broker is heard."""
        self._connected.labels(network).set(connected)
