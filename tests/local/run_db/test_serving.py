"""Functions of kind serving: their workers import MLRun, and find the laptop's run DB there."""

import pytest

pytestmark = pytest.mark.slow

MODEL = """
import mlrun

class Mine(mlrun.serving.V2ModelServer):
    def load(self):
        path, _ = self.get_model()
        self.model = open(path).read()

    def predict(self, request):
        return [self.model for _ in request["inputs"]]
"""
STEP = """
class Double:
    def do(self, body):
        return {"doubled": [2 * value for value in body["inputs"]]}
"""


def test_a_router_serves_a_model_that_was_logged(project, write):
    write("mine.py", MODEL)
    uri = project.run_function("jobs", params={"note": "heavy"}).outputs["model"]
    function = project.set_function("mine.py", "router", kind="serving", image="mlrun/mlrun")
    function.set_topology("router")
    function.add_model("m", class_name="Mine", model_path=uri)
    project.deploy_function(function)
    assert function.invoke("/v2/models/m/infer", {"inputs": [1, 2]})["outputs"] == ["weights heavy 3"] * 2


def test_a_flow_and_its_mock(project, write):
    write("steps.py", STEP)
    function = project.set_function("steps.py", "flow", kind="serving", image="mlrun/mlrun")
    function.set_topology("flow", engine="sync").to("Double", name="double", handler="do")
    server = function.to_mock_server()
    assert server.test("/", {"inputs": [1]}) == {"doubled": [2]}
    project.deploy_function(function)
    assert function.invoke("/", {"inputs": [1, 2]}) == {"doubled": [2, 4]}
