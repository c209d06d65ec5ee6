"""The spans of a request, and that there are none where nobody wants them."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from leeway import tracing
from serving.gateway import Gateway

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{PARENT}-01"
BODY = {"instances": [[1, 2, 3]]}


@pytest.fixture
def traced(start, model_files, monkeypatch):
    """A server whose spans stay here; `spans()` ends it and gives them by name."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_exporter", lambda url: exporter)

    def make(**settings):
        server = start({"linear": model_files["linear"]}, {"trace_url": "http://127.0.0.1:1", **settings})

        def spans():
            server.function.close()
            return {span.name: span for span in exporter.get_finished_spans()}

        server.spans = spans
        return server

    return make


def test_a_request_is_the_callers_child_and_has_its_parts_below_it(traced):
    server = traced()
    answer = server.post("/linear/predict", {**BODY, "id": "mine"}, {"traceparent": GIVEN})
    assert answer.status == 200
    spans = server.spans()
    assert set(spans) == {"request", "protocol read", "model", "protocol write", "outbox"}
    request = spans["request"]
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    assert all(span.parent.span_id == request.context.span_id for name, span in spans.items() if name != "request")
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["leeway.request_id"] == spans["model"].attributes["leeway.request_id"] == "mine"
    assert request.resource.attributes["service.name"] == "shop/model-server"
    assert answer.headers["traceparent"] == f"00-{TRACE}-{request.context.span_id:016x}-01"


def test_the_record_holds_the_context_of_the_request(traced):
    server = traced()
    answer = server.post("/linear/predict", BODY, {"traceparent": GIVEN})
    (record,) = server.records()
    assert record.trace == answer.headers["traceparent"] != GIVEN


def test_without_a_caller_a_trace_begins_here(traced):
    server = traced()
    server.post("/linear/predict", BODY, {"traceparent": "no context"})
    request = server.spans()["request"]
    assert request.parent is None and request.context.trace_id


def test_what_fails_is_marked(traced):
    server = traced()
    model = next(iter(server.function.gateway._plane._served.values())).loaded.model
    model.predict = None
    assert server.post("/linear/predict", BODY).status == 500
    spans = server.spans()
    assert spans["request"].status.is_ok is False and spans["model"].status.is_ok is False
    assert spans["model"].events[0].name == "exception"


@pytest.mark.parametrize(
    ("sample", "header", "kept"),
    [(0.0, None, False), (1.0, None, True), (0.0, GIVEN, True), (1.0, GIVEN[:-1] + "0", False)],
)
def test_the_caller_decides_whether_a_trace_is_kept_else_the_setting(traced, sample, header, kept):
    server = traced(trace_sample=sample)
    server.post("/linear/predict", BODY, {"traceparent": header} if header else None)
    assert ("request" in server.spans()) is kept


def test_off_leaves_everything_as_it_was(start, model_files):
    server = start({"linear": model_files["linear"]})
    answer = server.post("/linear/predict", BODY, {"traceparent": GIVEN})
    assert type(server.function.gateway) is Gateway and "traceparent" not in answer.headers
    assert server.records()[0].trace == GIVEN


def test_off_imports_nothing_of_it():
    program = (
        "import sys, serving.nuclio_function, monitoring.shards\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
