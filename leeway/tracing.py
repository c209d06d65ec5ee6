"""Spans of what happens to a request and to its record, for a collector that speaks OTLP, or for Zipkin.

Off unless `trace.url` is set: nothing is imported then, and nothing wrapped. Only this module imports OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import SettingError
from .settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ZIPKIN, _OTLP = "/api/v2/spans", "/v1/traces"
_MOST_LINKS = 128


class Spans:
    """Makes spans, and sends them in the background. Spans that begin within another one are its children; those with
    a `parent`, a W3C traceparent, are that one's."""

    def __init__(self, exporter: SpanExporter, service: str, sample: float = 1.0):
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": service})
        sampler = ParentBased(TraceIdRatioBased(sample))
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
        self._tracer = self._provider.get_tracer("leeway")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, parent: str | None = None, is_server: bool = False, **attributes: Any) -> Iterator[None]:
        """What happens within it; an exception is told, and passes."""
        from opentelemetry.trace import SpanKind

        context = self._propagator.extract({"traceparent": parent}) if parent else None
        kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(name, context, kind, attributes):
            yield

    def tell(self, **attributes: Any) -> None:
        """Add to the span that is open; dots are written as two underscores."""
        from opentelemetry.trace import get_current_span

        for name, value in attributes.items():
            get_current_span().set_attribute(name.replace("__", "."), value)

    def fail(self, reason: str) -> None:
        """The open span went wrong."""
        from opentelemetry.trace import Status, StatusCode, get_current_span

        get_current_span().set_status(Status(StatusCode.ERROR, reason))

    @property
    def traceparent(self) -> str:
        """Of the open span, "" where none is."""
        carried: dict[str, str] = {}
        self._propagator.inject(carried)
        return carried.get("traceparent", "")

    def link(self, traceparents: Iterable[str]) -> None:
        """Link the open span to others that were sampled: 128 at most. Zipkin knows no links, so their traces are an
        attribute too."""
        from opentelemetry.trace import get_current_span

        found = [(each, self._context(each)) for each in dict.fromkeys(traceparents)]
        sampled = [(text, context) for text, context in found if context is not None][:_MOST_LINKS]
        for _, context in sampled:
            get_current_span().add_link(context)
        if sampled:
            get_current_span().set_attribute("leeway.linked", ",".join(text.split("-")[1] for text, _ in sampled))

    def wrapped(self, name: str, work: Callable[..., Any], about: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        """`work` within a span; `about` makes its attributes from the same arguments."""

        def within(*arguments: Any) -> Any:
            with self.span(name, **about(*arguments)):
                return work(*arguments)

        return within

    def close(self) -> None:
        """Send the rest."""
        self._provider.shutdown()

    def _context(self, traceparent: str) -> Any:
        from opentelemetry.trace import get_current_span

        context = get_current_span(self._propagator.extract({"traceparent": traceparent})).get_span_context()
        return context if context.is_valid and context.trace_flags.sampled else None


def spans_of(settings: Settings, service: str) -> Spans | None:
    """None where tracing is off. SettingError where the extra is not installed."""
    if not settings.trace_url:
        return None
    return Spans(_exporter(settings.trace_url), service, settings.trace_sample)


def _exporter(url: str) -> SpanExporter:
    try:
        if url.rstrip("/").endswith(_ZIPKIN):
            from opentelemetry.exporter.zipkin.json import ZipkinExporter

            return ZipkinExporter(endpoint=url)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingError(
            "LEEWAY_TRACE_URL is set, and OpenTelemetry is not installed: install the extra `trace`"
        ) from None
    return OTLPSpanExporter(endpoint=url if url.rstrip("/").endswith(_OTLP) else f"{url.rstrip('/')}{_OTLP}")
