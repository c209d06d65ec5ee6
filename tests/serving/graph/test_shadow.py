"""Shadows see everything and change nothing."""

import os

import pytest

from leeway.backends import connect
from leeway.record import decode
from serving.graph.deployment import COMPONENT, Deployment, Node, Predictor
from tests.serving.conftest import STREAM

CODE = """
    import os
    import signal

    class Live:
        def predict(self, X, names):
            return [1] * len(X)

    class Other:
        def predict(self, X, names):
            return [2] * len(X)

    class Hangs:
        is_first = True

        def predict(self, X, names):
            if self.is_first:
                self.is_first = False
                open("FOLDER/entered", "w").close()
                open("FOLDER/release").close()
            return [2] * len(X)

    class Raises:
        def predict(self, X, names):
            raise SystemExit("gone")

    class Exits:
        def predict(self, X, names):
            os._exit(0)

    class Crashes:
        def predict(self, X, names):
            if X[0][0] == 5:
                os.kill(os.getpid(), signal.SIGSEGV)
            return [2] * len(X)

    class Rubbish:
        def predict(self, X, names):
            return object()

    class Changes:
        def predict(self, rows):
            rows[0][0] = "changed"
            return [2]
"""


@pytest.fixture
def shadowed(run, components, tmp_path):
    """Start a deployment with a shadow of a class of CODE."""
    module = components(CODE.replace("FOLDER", str(tmp_path)))

    def start(name, share=100, settings=None):
        def node(each):
            return Node("n", class_name=f"{module}.{each}", implementation="" if each == "Changes" else COMPONENT)

        live, shadow = Predictor("main", node("Live")), Predictor("next", node(name), share, is_shadow=True)
        return run(Deployment("d", (live, shadow), seed=1), settings)

    return start


def ask(server, id="r", row=(5,)):
    return server.post("/v2/models/d/infer", {"id": id, "inputs": [row], "labels": {"a": "b"}})


def recorded(server, count):
    """The records, as soon as there are so many; shadows take their time."""
    stream = connect.stream(STREAM, server.settings)
    while len(found := [decode(message.value) for message in stream.read(0, 0, 10_000)]) < count:
        pass  # the test's timeout ends this
    stream.close()
    return {(record.id, record.shadow_of): record for record in found}


def test_a_shadow_is_recorded_with_the_live_requests_id(shadowed):
    server = shadowed("Other")
    assert ask(server).json["outputs"] == [1]
    found = recorded(server, 2)
    live, shadow = found["r", None], found["r", "main"]
    assert (live.resp.outputs, shadow.resp.outputs) == ([1], [2])
    assert shadow.endpoint_id.startswith("shop/model-server/d/next/n/")
    assert (shadow.stream_key, shadow.labels, shadow.request.inputs) == (live.stream_key, {"a": "b"}, [[5]])


@pytest.mark.parametrize("name", ["Raises", "Exits", "Crashes", "Rubbish", "Changes"])
def test_whatever_a_shadow_does_the_answer_is_the_same(shadowed, name):
    plain, server = shadowed("Other"), shadowed(name)
    mine, other = ask(server), ask(plain)
    assert (mine.status, mine.json["outputs"]) == (other.status, other.json["outputs"]) == (200, [1])
    found = recorded(server, 2)
    assert (found["r", "main"].error is None) == (name == "Changes")
    assert found["r", None].error is None and found["r", None].request.inputs == [[5]]


def test_a_shadow_that_crashed_is_begun_anew(shadowed):
    server = shadowed("Crashes")
    for id, row in (("a", [5]), ("b", [6]), ("c", [5]), ("d", [6])):
        assert ask(server, id, row).json["outputs"] == [1]
    found = recorded(server, 8)
    assert found["b", "main"].resp.outputs == found["d", "main"].resp.outputs == [2]
    for id in "ac":
        assert found[id, "main"].error == "shadow 'next': its process ended with -11"


def test_a_shadow_that_hangs_loses_what_does_not_fit_and_that_is_counted(shadowed, tmp_path):
    for name in ("entered", "release"):
        os.mkfifo(tmp_path / name)
    server = shadowed("Hangs")
    assert ask(server, "first").json["outputs"] == [1]
    (tmp_path / "entered").read_bytes()
    for i in range(130):
        assert ask(server, f"r{i}").json["outputs"] == [1]
    said = server.get("/metrics").raw.decode()
    assert 'leeway_shadow_dropped_total{deployment="d",predictor="next"} 30.0' in said
    assert 'leeway_shadow_queue{deployment="d",predictor="next"} 100.0' in said
    (tmp_path / "release").write_bytes(b"")
    found = recorded(server, 131 + 101)
    assert 'leeway_shadow_queue{deployment="d",predictor="next"} 0.0' in server.get("/metrics").raw.decode()
    assert sum(record.shadow_of is not None for record in found.values()) == 101


def test_a_shadow_sees_its_share(shadowed):
    server = shadowed("Other", share=30)
    for i in range(200):
        ask(server, f"r{i}")
    server.function.close()
    stream = connect.stream(STREAM, server.settings)
    found = [decode(message.value) for message in stream.read(0, 0, 10_000)]
    stream.close()
    shadows = sum(record.shadow_of is not None for record in found)
    assert 30 <= shadows <= 90
