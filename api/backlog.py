"""How much waits for ingest, as the rules retain it at the broker: it is known while the database is away."""

from collections.abc import Iterator
from typing import Any

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from telemetry.backlog import Backlog, decode_backlog
from telemetry.clock import SECOND_US, Now

SILENT_S = 30.0
"""A word older than this says nothing of now: nobody watches the queue."""


class Waiting(Collector):
    """The newest word on the backlog; `real_now` is the machine's clock."""

    def __init__(self, real_now: Now) -> None:
        self._real_now = real_now
        self._word: Backlog | None = None
        self._heard_us = 0

    def receive(self, payload: bytes) -> None:
        """A message on the topic of the backlog; what nobody understands is passed over."""
        try:
            self._word = decode_backlog(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._heard_us = self._real_now()

    @property
    def now(self) -> Backlog | None:
        """How much waits, `None` where nobody has said so lately."""
        silent = self._real_now() - self._heard_us > SILENT_S * SECOND_US
        return None if silent else self._word

    def document(self) -> dict[str, Any] | None:
        """The same for `/readyz`."""
        word = self.now
        return None if word is None else msgspec.to_builtins(word)

    def collect(self) -> Iterator[Metric]:
        """The same for Prometheus."""
        word = self.now
        if word is None:
            return
        words = "For how long the oldest uplink has waited that ingest has not settled, as the rules say."
        yield GaugeMetricFamily("lamplighter_backlog_age_seconds", words, value=word.age_s)
        words = "Uplinks that wait for ingest at the broker, as the rules estimate."
        yield GaugeMetricFamily("lamplighter_backlog_messages", words, value=word.messages)
