"""Traces by OpenTelemetry, where the operator wants them: its own variables say where to, an extra brings it along.

`pip install 'lamplighter[tracing]'` and `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318`. Without that variable
nothing of OpenTelemetry is imported.
"""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lamplighter.errors import WrongUsage
from telemetry import spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

WHERE = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""The variables of the OpenTelemetry specification that say where traces go."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


@contextmanager
def told(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Within, spans go to where the environment says; nowhere, and at no cost, where it says nothing.

    Raises:
        WrongUsage: it says something, and OpenTelemetry is not installed.
    """
    if not any(environment.get(name) for name in WHERE):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise WrongUsage(
            f"{WHERE[0]} asks for traces, but OpenTelemetry is not installed: `pip install 'lamplighter[tracing]'`, or "
            "unset it."
        ) from error
    with sent_by(BatchSpanProcessor(OTLPSpanExporter())):
        yield


@contextmanager
def sent_by(processor: "SpanProcessor") -> Iterator[None]:
    """Within, spans go to a processor, which is flushed at the end."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": "lamplighter"}), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("lamplighter")
    spans.follow(lambda name, attributes: tracer.start_as_current_span(name, attributes=attributes))
    try:
        yield
    finally:
        spans.follow(None)
        provider.shutdown()


class Requests:
    """An application whose requests are spans; the attributes of the inner one are its own."""

    def __init__(self, app: Any) -> None:
        self._app: Application = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as the inner one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with spans.span("http request", method=scope["method"], path=scope["path"]):
            await self._app(scope, receive, send)
