"""Spans for OpenTelemetry, one a request; its packages are an extra and only imported if asked for.

Names are those of its conventions for HTTP servers and for generative models.
"""

from typing import Any, Protocol

from bise.errors import UserError
from bise.serve.trace_context import TraceContext
from bise.serve.visit import Visit

# Ref: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans
OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "chat",
    "/v1/messages": "chat",
    "/v1/conversations": "chat",
    "/v1/completions": "text_completion",
}


class Tracer(Protocol):
    """Whoever is told of requests that have ended."""

    def tell(self, visit: Visit, model: str) -> None:
        """A request has ended."""
        ...

    def close(self) -> None:
        """Send what is left to send."""
        ...


class OtelTracer:
    """Sends spans to a collector, or to the exporter it is given."""

    def __init__(self, service_name: str, exporter: Any = None):
        """exporter: of the SDK; by default OTLP over HTTP, to where `OTEL_EXPORTER_OTLP_ENDPOINT`
        says. Spans are gathered and sent by a thread."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        except ImportError:
            raise UserError(
                "`otel` is on, but OpenTelemetry is not installed",
                hint="install it: pip install 'bise[otel]'",
            ) from None

        class Ids(RandomIdGenerator):
            """Gives a span the id its client was told, where there is one."""

            told = ""

            def generate_span_id(self) -> int:
                return int(self.told, 16) if self.told else super().generate_span_id()

        self.ids = Ids()
        resource = Resource.create({"service.name": service_name})
        self.provider = TracerProvider(resource=resource, id_generator=self.ids)
        self.provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self.tracer = self.provider.get_tracer("bise")

    def tell(self, visit: Visit, model: str) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        self.ids.told = visit.trace.span_id if visit.trace is not None else ""
        span = self.tracer.start_span(
            name_of(visit, model),
            context=parent_of(visit.trace),
            kind=SpanKind.SERVER,
            attributes=attributes_of(visit, model),
            start_time=visit.began_ns,
        )
        if visit.first_token_s is not None:
            first_ns = visit.began_ns + int(visit.first_token_s * 1e9)
            span.add_event("first token", timestamp=first_ns)
        if visit.status >= 500 or (visit.error and visit.status < 400):
            span.set_status(Status(StatusCode.ERROR, visit.error))
        span.end(visit.began_ns + int(visit.lasted_s * 1e9))

    def close(self) -> None:
        self.provider.shutdown()


def parent_of(trace: TraceContext | None) -> Any:
    """The caller's span, as the SDK knows it; None begins a trace of our own."""
    if trace is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": f"00-{trace.trace_id}-{trace.parent_id}-{trace.flags}"}
    if trace.state:
        carrier["tracestate"] = trace.state
    return TraceContextTextMapPropagator().extract(carrier)


def name_of(visit: Visit, model: str) -> str:
    """Few different names, whatever clients ask for."""
    operation = OPERATIONS.get(visit.path)
    return f"{operation} {model}" if operation is not None else visit.method


def attributes_of(visit: Visit, model: str) -> dict[str, Any]:
    """What a span says of a request; nothing a user wrote."""
    found: dict[str, Any] = {
        "http.request.method": visit.method,
        "url.path": visit.path[:200],
        "http.response.status_code": visit.status,
        "bise.request_id": visit.request_id,
    }
    if visit.error:
        found["error.type"] = visit.error
    if visit.num_replies:
        found |= {
            "gen_ai.operation.name": OPERATIONS.get(visit.path, "chat"),
            "gen_ai.system": "bise",
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.request.choice.count": visit.num_replies,
            "gen_ai.usage.input_tokens": visit.prompt_tokens,
            "gen_ai.usage.output_tokens": visit.completion_tokens,
            "gen_ai.response.finish_reasons": list(visit.finish_reasons),
            "bise.cached_tokens": visit.cached_tokens,
        }
    if visit.first_token_s is not None:
        found["gen_ai.latency.time_to_first_token"] = visit.first_token_s
    if visit.queued_s is not None:
        found["gen_ai.latency.time_in_queue"] = visit.queued_s
    return found
