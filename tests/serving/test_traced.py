"""The spans of a request, and that there are none where nobody wants them."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from leeway import tracing
from leeway.backends import connect
from serving.gateway import Gateway
from serving.graph.deployment import COMBINER, COMPONENT, MODEL, Deployment, Node, Predictor
from serving.graph.executor import Executor
from tests.serving.conftest import STREAM

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


@pytest.fixture
def graph(run, components, monkeypatch):
    """A server of a combiner over two models, one of which passes on to a third, beside a shadow; `spans()` as above,
    as a list."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_exporter", lambda url: exporter)
    module = components("""
        class Adds:
            def __init__(self, fails=False):
                self.fails = fails
            def predict(self, X, names):
                if self.fails:
                    raise RuntimeError("no")
                return [[x + 1 for x in row] for row in X]

        class First:
            def aggregate(self, Xs, names):
                return Xs[0]
    """)

    def node(name, kind=MODEL, children=(), made="Adds", **parameters):
        named = f"{module}.{made}"
        return Node(
            name, kind, class_name=named, implementation=COMPONENT, parameters=parameters, children=tuple(children)
        )

    def make(fails=False, alone=False, **settings):
        left, right = node("left", children=(node("below"),)), node("right", fails=fails)
        root = node("both", COMBINER, (left, right), "First")
        shadow = Predictor("next", node("seen"), is_shadow=True)
        arms = (Predictor("a", node("one"), 50), Predictor("b", node("two"), 50))
        deployment = Deployment("g", arms if alone else (Predictor("main", root), shadow))
        server = run(deployment, {"trace_url": "http://127.0.0.1:1", **settings})

        def spans():
            server.function.close()
            return exporter.get_finished_spans()

        server.spans = spans
        return server

    return make


def test_each_node_of_a_graph_has_a_span_below_its_parents(graph):
    server = graph()
    answer = server.post("/g/predict", {"instances": [[1.0]]}, {"traceparent": GIVEN})
    assert answer.json["predictions"] == [[3.0]]
    found = [span for span in server.spans() if span.name != "shadow next"]
    assert {f"{span.context.trace_id:032x}" for span in found} == {TRACE}
    by_id = {span.context.span_id: span.name for span in found}
    assert {span.name: by_id.get(span.parent.span_id) for span in found} == {
        "request": None, "protocol read": "request", "graph": "request", "protocol write": "request",
        "outbox": "request", "node both": "graph", "node left": "node both", "node below": "node left",
        "node right": "node both",
    }  # fmt: skip
    left = next(span for span in found if span.name == "node left")
    assert (left.attributes["leeway.node"], left.attributes["leeway.class"]) == ("left", "Adds")


def test_an_arm_that_is_one_model_has_the_span_of_its_node(graph):
    server = graph(alone=True)
    server.post("/g/predict", {"instances": [[1.0]]}, {"x-leeway-predictor": "b"})
    found = {span.name: span for span in server.spans()}
    assert found["node two"].parent.span_id == found["graph"].context.span_id and "node one" not in found


def test_what_a_shadow_did_is_below_the_request_that_it_saw(graph):
    server = graph()
    server.post("/g/predict", {"instances": [[1.0]]}, {"traceparent": GIVEN})
    stream = connect.stream(STREAM, server.settings)
    while len(stream.read(0, 0, 10)) < 2:
        pass  # the test's timeout ends this
    stream.close()
    spans = {span.name: span for span in server.spans()}
    seen = spans["shadow next"]
    assert seen.parent.span_id == spans["request"].context.span_id
    assert [node.partition(":")[0] for node in seen.attributes["leeway.nodes"]] == ["seen"]


def test_the_node_that_failed_is_marked_and_those_that_wait_for_it(graph):
    server = graph(fails=True)
    assert server.post("/g/predict", {"instances": [[1.0]]}).status == 500
    failed = {span.name for span in server.spans() if span.status.status_code is StatusCode.ERROR}
    assert failed == {"request", "graph", "node both", "node right"}


def test_off_leaves_everything_as_it_was(start, model_files):
    server = start({"linear": model_files["linear"]})
    answer = server.post("/linear/predict", BODY, {"traceparent": GIVEN})
    assert type(server.function.gateway) is Gateway and "traceparent" not in answer.headers
    assert server.records()[0].trace == GIVEN


def test_off_leaves_graphs_as_they_were(graph):
    server = graph(trace_url="")
    plane = server.function.gateway._plane
    assert type(plane.executor) is Executor and "run" not in vars(plane.executor)


def test_off_imports_nothing_of_it():
    program = (
        "import sys, serving.nuclio_function, monitoring.shards\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
