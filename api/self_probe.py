"""The self-probe, seen from its end: whether what the platform's own device says comes to be shown, and how soon.

The rules publish its readings, ingest stores them (`telemetry.backlog`, `ingest.probes`). Here each is heard as it
leaves the broker, and then asked for at our own address over HTTP, as others ask us, until it is shown. It is no
asset, so nothing that counts the town meets it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.database import Database
from storage import self_probe
from storage.errors import StorageError
from telemetry.backlog import IN_TIME_S, Probe, decode_probe

PATH = "/probez"
SILENT_S = 30.0
"""Where probes came and then none for so long, nobody sends any."""
WATCHED_MAX = 10_000
"""Readings that are waited for at a time; beyond it the newest ones are not watched."""
LOOK_S = 0.05
LOOK_S_MAX = 1.0
"""So often it is looked whether a reading is shown, at first and once it is late in coming, in real seconds."""
ANSWER_S_MAX = 5.0
_BUCKETS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class _Awaited:
    number: int
    heard_s: float


class Sighting(Collector):
    """What has been heard of and what has been shown; `_s` are real monotonic seconds of this process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._run = ""
        self._awaited: deque[_Awaited] = deque()
        self._heard_s: float | None = None
        self._shown_s: float | None = None
        self.expected = asyncio.Event()
        """Set while a reading is waited for."""
        registry = registry or CollectorRegistry()
        registry.register(self)
        self._seconds = Histogram(
            "lamplighter_self_probe_seconds",
            "How long a reading of the platform's own device took from the broker to an answer of the API.",
            buckets=_BUCKETS_S,
            registry=registry,
        )

    @property
    def run(self) -> str:
        """The run whose readings are waited for."""
        return self._run

    def heard(self, payload: bytes, now_s: float) -> None:
        """A probe has left the broker; what nobody understands is passed over."""
        try:
            probe: Probe = decode_probe(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._heard_s = now_s
        if probe.run != self._run:
            self._run = probe.run
            self._awaited.clear()
        newest = self._awaited[-1].number if self._awaited else 0
        if probe.is_reading and probe.number > newest and len(self._awaited) < WATCHED_MAX:
            self._awaited.append(_Awaited(probe.number, now_s))
            self.expected.set()

    def shown(self, number: int, now_s: float) -> bool:
        """All readings of the run up to this one have been shown; whether any of them was waited for."""
        found = False
        while self._awaited and self._awaited[0].number <= number:
            self._shown_s = self._awaited.popleft().heard_s
            self._seconds.observe(now_s - self._shown_s)
            found = True
        if not self._awaited:
            self.expected.clear()
        return found

    def waiting_s(self, now_s: float) -> float:
        """For how long the oldest reading has not been shown, 0 if none is waited for."""
        return now_s - self._awaited[0].heard_s if self._awaited else 0.0

    def comes_through(self, now_s: float) -> bool | None:
        """Whether readings are shown in time; `None` while none has been shown and none is late."""
        if self._heard_s is None:
            return None
        in_time = now_s - self._heard_s <= SILENT_S and self.waiting_s(now_s) <= IN_TIME_S
        return None if in_time and self._shown_s is None else in_time

    def trouble(self, now_s: float) -> str | None:
        """Why they do not come through, as a sentence; `None` where they do, or nobody knows."""
        if self._heard_s is None or self.comes_through(now_s) is not False:
            return None
        if now_s - self._heard_s > SILENT_S:
            return f"Nobody has sounded the platform for {now_s - self._heard_s:.0f} s: see whether the rules run."
        return (
            f"The self-probe's reading has not come through for {self.waiting_s(now_s):.0f} s: "
            "what devices send is not stored or not shown; see ingest and the database."
        )

    def document(self, now_s: float) -> dict[str, Any]:
        """The same for `/readyz`."""
        age_s = None if self._shown_s is None else round(now_s - self._shown_s, 3)
        return {
            "through": self.comes_through(now_s),
            "age_s": age_s,
            "waiting_s": round(self.waiting_s(now_s), 3),
            "in_time_s": IN_TIME_S,
        }

    def collect(self) -> Iterator[Metric]:
        """The same for Prometheus; nothing where nobody sends any."""
        now_s = time.monotonic()
        through = self.comes_through(now_s)
        if through is None:
            return
        words = "1 if the platform's own readings are shown in time, else 0."
        yield GaugeMetricFamily("lamplighter_self_probe_through", words, value=float(through))
        words = "For how long the oldest reading of the platform's own device has waited to be shown."
        yield GaugeMetricFamily("lamplighter_self_probe_waiting_seconds", words, value=self.waiting_s(now_s))
        if self._shown_s is not None:
            words = "How long ago the newest reading that has been shown was sent."
            yield GaugeMetricFamily("lamplighter_self_probe_age_seconds", words, value=now_s - self._shown_s)


async def keep_looking(sighting: Sighting, url: str, database: Database) -> None:
    """Ask at our own address `url` for what is waited for, until cancelled."""
    while True:
        await sighting.expected.wait()
        run = sighting.run
        numbers = [each["number"] for each in await _ask(url) if each["run"] == run]
        if numbers and run == sighting.run and sighting.shown(min(numbers), time.monotonic()):
            with suppress(StorageError):  # then Grafana does not learn of it
                async with database.connection() as conn:
                    await self_probe.mark_shown(conn, run, min(numbers))
        if sighting.expected.is_set():
            await asyncio.sleep(LOOK_S if sighting.waiting_s(time.monotonic()) < LOOK_S_MAX else LOOK_S_MAX)


async def _ask(url: str) -> list[dict[str, Any]]:
    """The readings that an answer shows; none where there is no answer, or a bad one."""
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            status, body = await _get(url, PATH)
        items: list[dict[str, Any]] = msgspec.json.decode(body)["items"] if status == 200 else []
        return items
    except (OSError, TimeoutError, ValueError, LookupError):
        return []


async def _get(url: str, path: str) -> tuple[int, bytes]:
    """One plain request on a connection of its own: the status and the body."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split(b" ", 2)[1]), body
