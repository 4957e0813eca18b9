"""Spans of batches and requests, as OpenTelemetry takes them; nobody's, where nobody asks."""

import sys
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import PlainTextResponse

from lamplighter.errors import WrongUsage
from lamplighter.tracing import WHERE, Requests, sent_by, told
from telemetry import spans
from tests.integration.ingest.conftest import City, Ingest


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    taken = InMemorySpanExporter()
    with sent_by(SimpleSpanProcessor(taken)):
        yield taken


async def test_a_batch_is_a_span_as_long_as_it_took_to_be_durable(
    ingest: Ingest, city: City, exporter: InMemorySpanExporter
) -> None:
    await city.telemetry("streetlight", "L1", {"level_pct": 40})
    await city.settled(1)
    (batch,) = exporter.get_finished_spans()
    assert (batch.name, dict(batch.attributes or {})) == ("ingest batch", {"observations": 1})
    assert batch.start_time is not None
    assert batch.end_time is not None
    assert 0 < batch.end_time - batch.start_time < 10**10


async def test_a_request_is_a_span(exporter: InMemorySpanExporter) -> None:
    app = Requests(PlainTextResponse("hello"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as client:
        assert (await client.get("/public/v1/parking?secret=1")).text == "hello"
    (request,) = exporter.get_finished_spans()
    assert dict(request.attributes or {}) == {"method": "GET", "path": "/public/v1/parking"}


def test_where_nobody_asks_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with told({}):
        assert not spans.followed()
        assert spans.span("one") is spans.span("another"), "they cost a function call"


def test_who_asks_without_opentelemetry_is_told_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(WrongUsage, match=r"pip install 'lamplighter\[tracing\]'"), told({WHERE[0]: "http://x"}):
        pass


def test_where_somebody_asks_spans_go_there() -> None:
    with told({WHERE[0]: "http://127.0.0.1:1"}):
        assert spans.followed()
    assert not spans.followed()
