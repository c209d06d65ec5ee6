"""Shadows see everything and change nothing."""

import sys
import threading

import pytest

from leeway.backends import connect
from leeway.record import decode
from serving.graph.deployment import COMPONENT, Deployment, Node, Predictor
from tests.serving.conftest import STREAM

CODE = """
    import threading

    class Live:
        def predict(self, X, names):
            return [1] * len(X)

    class Other:
        def predict(self, X, names):
            return [2] * len(X)

    class Hangs:
        entered, release = threading.Event(), threading.Event()
        def predict(self, X, names):
            self.entered.set()
            self.release.wait(60)
            return [2] * len(X)

    class Crashes:
        def predict(self, X, names):
            raise SystemExit("gone")

    class Rubbish:
        def predict(self, X, names):
            return object()

    class Changes:
        def predict(self, rows):
            rows[0][0] = "changed"
            return [2]
"""


@pytest.fixture
def shadowed(run, components):
    """Start a deployment with a shadow of a class of CODE; (the server, the module)"""
    module = components(CODE)

    def start(name, share=100, settings=None):
        def node(each):
            return Node("n", class_name=f"{module}.{each}", implementation="" if each == "Changes" else COMPONENT)

        live, shadow = Predictor("main", node("Live")), Predictor("next", node(name), share, is_shadow=True)
        server = run(Deployment("d", (live, shadow), seed=1), settings)
        return server, sys.modules[module]

    return start


def ask(server, id="r"):
    return server.post("/v2/models/d/infer", {"id": id, "inputs": [[5]], "labels": {"a": "b"}})


def recorded(server, count):
    """The records, as soon as there are so many; shadows take their time."""
    stream = connect.stream(STREAM, server.settings)
    while len(found := [decode(message.value) for message in stream.read(0, 0, 10_000)]) < count:
        pass  # the test's timeout ends this
    stream.close()
    return {(record.id, record.shadow_of): record for record in found}


def test_a_shadow_is_recorded_with_the_live_requests_id(shadowed):
    server, _ = shadowed("Other")
    assert ask(server).json["outputs"] == [1]
    found = recorded(server, 2)
    live, shadow = found["r", None], found["r", "main"]
    assert (live.resp.outputs, shadow.resp.outputs) == ([1], [2])
    assert shadow.endpoint_id.startswith("shop/model-server/d/next/n/")
    assert (shadow.stream_key, shadow.labels, shadow.request.inputs) == (live.stream_key, {"a": "b"}, [[5]])


@pytest.mark.parametrize("name", ["Crashes", "Rubbish", "Changes"])
def test_whatever_a_shadow_does_the_answer_is_the_same(shadowed, name):
    (plain, _), (server, _) = shadowed("Other"), shadowed(name)
    mine, other = ask(server), ask(plain)
    assert (mine.status, mine.json["outputs"]) == (other.status, other.json["outputs"]) == (200, [1])
    found = recorded(server, 2)
    assert (found["r", "main"].error is None) == (name == "Changes")
    assert found["r", None].error is None and found["r", None].request.inputs == [[5]]


def test_a_shadow_that_hangs_loses_what_does_not_fit_and_that_is_counted(shadowed):
    server, module = shadowed("Hangs")
    assert ask(server, "first").json["outputs"] == [1]
    assert module.Hangs.entered.wait(60)
    for i in range(130):
        assert ask(server, f"r{i}").json["outputs"] == [1]
    said = server.get("/metrics").raw.decode()
    assert 'leeway_shadow_dropped_total{deployment="d",predictor="next"} 30.0' in said
    module.Hangs.release.set()
    found = recorded(server, 131 + 101)
    assert sum(record.shadow_of is not None for record in found.values()) == 101


def test_a_shadow_sees_its_share(shadowed):
    server, _ = shadowed("Other", share=30)
    for i in range(200):
        ask(server, f"r{i}")
    server.function.close()
    (shadow,) = [thread for thread in threading.enumerate() if thread.name == "leeway-shadow-next"][-1:]
    assert shadow.daemon
    stream = connect.stream(STREAM, server.settings)
    found = [decode(message.value) for message in stream.read(0, 0, 10_000)]
    stream.close()
    shadows = sum(record.shadow_of is not None for record in found)
    assert 30 <= shadows <= 90
