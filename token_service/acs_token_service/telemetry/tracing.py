"""OpenTelemetry: a span for each request, and azure-core's own for each call it makes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.propagate import extract

_TRACER = trace.get_tracer("acs_token_service")


@contextmanager
def request_span(method: str, route: str, headers: Mapping[str, str]) -> Iterator[trace.Span]:
    """The span of a request, a child of the caller's. It has the route, never the URL."""
    with _TRACER.start_as_current_span(
        f"{method} {route}",
        context=extract(headers),
        kind=trace.SpanKind.SERVER,
        attributes={"http.request.method": method, "http.route": route},
        record_exception=False,  # the message of an exception may quote a value
        set_status_on_exception=False,
    ) as span:
        yield span


def export_by_environment() -> None:
    """Sends spans where the standard variables ``OTEL_EXPORTER_OTLP_…`` say.

    :raises ModuleNotFoundError: If the extra ``otlp`` is not installed.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
