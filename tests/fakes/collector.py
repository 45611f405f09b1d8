"""A collector of spans on loopback: OTLP over HTTP, decoded with OpenTelemetry's own messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """One span.

    Attributes:
        parent: the span that it is part of, empty for none.
        facts: its attributes, those of the sender's own named without `farmhand.`.
        failed: it was said to have ended in an error.
    """

    name: str
    trace_id: str
    span_id: str
    parent: str
    took_s: float
    facts: dict[str, Any]
    failed: bool


@dataclass
class Collector:
    """Where it listens, and what it was sent."""

    url: str = ""
    service: str = ""
    spans: list[Seen] = field(default_factory=list)

    def named(self, name: str) -> list[Seen]:
        """Return the spans of this name, in the order of their arrival."""
        return [span for span in self.spans if span.name == name]

    def take(self, message: Any) -> None:
        """Take what was exported."""
        for resource in message.resource_spans:
            self.service = _facts(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans.extend(map(_seen, scope.spans))


@contextmanager
def collector() -> Iterator[Collector]:
    """Run one for the length of the block."""
    here = Collector()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            message = ExportTraceServiceRequest.FromString(decompress(body) if packed else body)
            here.take(message)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        here.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def _seen(span: Any) -> Seen:
    return Seen(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        took_s=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        facts=_facts(span.attributes),
        failed=span.status.code == 2,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {
        each.key.removeprefix("farmhand."): getattr(each.value, each.value.WhichOneof("value"))
        for each in attributes
    }
