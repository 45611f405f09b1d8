"""Spans for a collector that speaks OTLP over HTTP; the only module that knows OpenTelemetry.

What it needs is the extra `farmhand[otel]`, imported only where an address is configured. Spans
wait in memory, 2,048 at most, and are sent by a thread: a collector that is away costs spans, and
nothing else. Each span has the ids that the log has, and the log's lines the span's trace.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import StatusCode

from coordinator.ports_tracing import Fact, Span

# Of the whole end of a coordinator, which has 10 s.
FAREWELL_S = 3.0
SEND_S_MAX = 5.0
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Noting:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **facts: Fact) -> None:
        """See `coordinator.ports_tracing.Span`."""
        self._span.set_attributes(_named(facts))


class OtlpTracer:
    """See `coordinator.ports_tracing.Tracer`."""

    def __init__(self, url: str, *, version: str) -> None:
        """Send to a collector, from now until `close`.

        Args:
            url: where it listens: `http://127.0.0.1:4318`. What else there is to say to it stands
                in OpenTelemetry's own variables of the environment, as OTEL_EXPORTER_OTLP_HEADERS.
            version: this program's.
        """
        resource = Resource.create({"service.name": "farmhand", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=SEND_S_MAX)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("farmhand", version)

    def span(
        self, name: str, *, headers: Mapping[str, str] = _NOTHING, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """See `coordinator.ports_tracing.Tracer`."""
        return self._span(name, headers, facts)

    @contextmanager
    def _span(
        self, name: str, headers: Mapping[str, str], facts: Mapping[str, Fact]
    ) -> Iterator[Span]:
        before = propagate.extract(headers) if headers else None
        with self._tracer.start_as_current_span(name, before, attributes=_known(facts)) as span:
            trace_id = trace.format_trace_id(span.get_span_context().trace_id)
            with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                yield _Noting(span)

    def spell(
        self, name: str, began_at: datetime, ended_at: datetime, ok: bool, facts: Mapping[str, Fact]
    ) -> None:
        """See `coordinator.ports_tracing.Tracer`."""
        span = self._tracer.start_span(
            name, trace.set_span_in_context(trace.INVALID_SPAN), attributes=_known(facts),
            start_time=_ns(began_at),
        )  # fmt: skip
        span.set_status(StatusCode.OK if ok else StatusCode.ERROR)
        span.end(_ns(ended_at))

    def close(self) -> None:
        """Send what waits; blocks for `FAREWELL_S` at worst."""
        # A thread that ends with the process: the library's own patience is longer than ours.
        sending = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        sending.start()
        sending.join(FAREWELL_S)


def _known(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Return facts with the ids that are bound to the log, named as attributes are."""
    bound = structlog.contextvars.get_contextvars()
    ids = {name: value for name, value in bound.items() if name != "trace_id"}
    return _named({**ids, **facts})


def _named(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name if "." in name else f"farmhand.{name}": value
        for name, value in facts.items()
        if value is not None
    }


def _ns(at: datetime) -> int:
    return round(at.timestamp() * 1e9)
