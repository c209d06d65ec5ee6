"""Our router in an MLRun graph, in MLRun's own mock server: no service, no worker."""

import sys
import types
from contextlib import closing

import mlrun
import pytest
from mlrun.serving import V2ModelServer

from leeway.backends import connect
from leeway.record import decode
from leeway.settings import Settings
from serving.mlrun_router import ClassifierModel, MlrunRouter

ROW = [0.9, 0.1, 0.2]


class Doubled(V2ModelServer):
    def load(self):
        self.ready_for = self.get_param("factor")

    def predict(self, request):
        return [self.ready_for * row[0] for row in request["inputs"]]


@pytest.fixture
def graph(tmp_path, monkeypatch):
    """A serving function with our router, as the hub's function.yaml makes it."""
    monkeypatch.setenv("LEEWAY_HOME", str(tmp_path))
    monkeypatch.setenv("INFERENCE_STREAM", "users/mock")
    module = types.ModuleType("router_under_test")
    module.MlrunRouter, module.ClassifierModel, module.Doubled = MlrunRouter, ClassifierModel, Doubled
    monkeypatch.setitem(sys.modules, module.__name__, module)
    function = mlrun.new_function("graph", project="shop", kind="serving", image="mlrun/mlrun")
    function.set_topology("router", "router_under_test.MlrunRouter")
    function.spec.default_class = "router_under_test.ClassifierModel"
    return function


@pytest.fixture
def mock(graph):
    made = []

    def start():
        made.append(graph.to_mock_server(namespace=sys.modules["router_under_test"]))
        return made[-1]

    yield start
    for server in made:
        server.graph.async_object.function.close()


def test_models_answer_and_are_recorded_under_their_own_names(graph, mock, model_files, tmp_path):
    graph.add_model("m:v2", model_path=str(model_files["forest"]))
    server = mock()
    answer = server.test("/v2/models/m/infer", {"inputs": [ROW], "id": "one"})
    assert (answer["id"], answer["outputs"], answer["model_version"]) == ("one", [1], "v2")
    assert server.test("/m/predict", {"instances": [ROW]})["predictions"] == [1]
    assert server.test("/v2/models", method="GET") == {"models": ["m"]}
    server.graph.async_object.function.close()
    with closing(connect.stream("users/mock", Settings(home=tmp_path))) as stream:
        first = decode(stream.read(0, 0, 10)[0].value)
    assert (first.id, first.endpoint_id) == ("one", "shop/graph/m/default/m/v2")


def test_a_class_of_the_users_is_made_by_mlrun_and_answers_through_our_door(graph, mock):
    graph.add_model("d", class_name="router_under_test.Doubled", model_path="", factor=3)
    server = mock()
    assert server.test("/v2/models/d/infer", {"inputs": [[2], [5]]})["outputs"] == [6, 15]


def test_a_status_is_what_it_is_and_not_400_for_everything(graph, mock, model_files):
    graph.add_model("m", model_path=str(model_files["forest"]))
    server = mock()
    assert server.test("/v2/models/gone/infer", {"inputs": [ROW]}, silent=True).status_code == 404
    assert server.test("/v2/models/m/infer", {"inputs": [[1]]}, silent=True).status_code == 400
    assert server.test("/v2/models/m/infer", method="PUT", body={"inputs": [ROW]}, silent=True).status_code == 405


def test_two_versions_of_one_name_and_a_model_that_is_not_there_are_refused(graph, mock, model_files):
    graph.add_model("m:v1", model_path=str(model_files["forest"]))
    graph.add_model("m:v2", model_path=str(model_files["logistic"]))
    with pytest.raises(Exception, match="two routes are called 'm'"):
        mock()
    del graph.spec.graph["m:v1"], graph.spec.graph["m:v2"]
    graph.add_model("n", model_path="gone.pkl")
    with pytest.raises(Exception, match=r"n.*gone\.pkl: there is no such file"):
        mock()


SPLIT = """
metadata: {name: split}
spec:
  predictors:
  - {name: main, traffic: 100, graph: {name: m}}
  - {name: canary, traffic: 0, graph: {name: d}}
  - {name: next, shadow: true, graph: {name: m}}
"""


def test_routes_are_nodes_of_a_graph(graph, mock, model_files, monkeypatch):
    monkeypatch.setenv("SELDON_DEPLOYMENT", SPLIT)
    graph.add_model("m", model_path=str(model_files["forest"]))
    graph.add_model("d", class_name="router_under_test.Doubled", model_path="", factor=3)
    server = mock()
    assert server.test("/v2/models", method="GET") == {"models": ["m", "d", "split"]}
    assert server.test("/v2/models/split/infer", {"inputs": [ROW]})["outputs"] == [1]
    forced = server.test("/v2/models/split/infer", {"inputs": [[2]]}, headers={"X-Leeway-Predictor": "canary"})
    assert forced["outputs"] == [6]
    assert server.test("/v2/models/d/infer", {"inputs": [[2]]})["outputs"] == [6]
