"""Subclasses of MLRun's V2ModelServer, hosted as MLRun hosts them."""

import pickle
import shutil
import sys

import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.slow

CODE = """
import pickle
from pathlib import Path
import numpy as np
from mlrun.serving import V2ModelServer
class Classifier(V2ModelServer):
    def load(self):
        file, extra = self.get_model(".pkl")
        self.model = pickle.loads(Path(file).read_bytes())
        self.context.logger.debug("loaded")
    def preprocess(self, body, operation):
        assert operation in ("infer", "explain") and body["id"]
        return {**body, "inputs": [[value * self.get_param("scale", 1) for value in row] for row in body["inputs"]]}
    def predict(self, request):
        self.set_metric("rows", len(request["inputs"]))
        if request["inputs"][0][0] == 13:
            raise ValueError("secret detail")
        return self.model.predict(np.array(request["inputs"])).tolist()
    def postprocess(self, response):
        response["outputs"] = [output + self.get_param("offset", 0) for output in response["outputs"]]
        return response
class Explaining(Classifier):
    def explain(self, request):
        return [sum(row) for row in request["inputs"]]
class Failing(V2ModelServer):
    def load(self):
        raise OSError("no weights")
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("v2")
    (folder / "v2_models.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def logged(model_files, tmp_path):
    folder = tmp_path / "logged"
    folder.mkdir()
    shutil.copy(model_files["linear"], folder / "linear.pkl")
    spec = {"kind": "model", "metadata": {"key": "m", "project": "p"}, "spec": {
        "model_file": "linear.pkl", "inputs": [{"name": name} for name in "abc"]}}  # fmt: skip
    (folder / "model_spec.yaml").write_text(yaml.safe_dump(spec))
    return folder


@pytest.mark.parametrize("where", ["folder", "file"])
def test_it_is_loaded_asked_and_recorded(code, start, logged, model_files, where):
    path = logged if where == "folder" else model_files["linear"]
    parameters = {"scale": 2, "offset": 100}
    server = start({"m": path}, model_class="v2_models.Classifier", parameters=parameters)
    answer = server.post("/v2/models/m/infer", {"inputs": [[1, 2, 3]]})
    expected = pickle.loads(model_files["linear"].read_bytes()).predict(np.array([[2, 4, 6]])) + 100
    assert answer.json["outputs"] == pytest.approx(expected)
    assert server.post("/m/predict", {"instances": [[1, 2, 3]]}).json["predictions"] == answer.json["outputs"]
    first, _ = server.records()
    assert (first.class_, first.metrics, first.resp.outputs) == ("Classifier", {"rows": 1}, answer.json["outputs"])
    assert first.features == (["a", "b", "c"] if where == "folder" else None)


def test_what_it_raises_is_a_500_with_its_name(code, start, logged):
    server = start({"m": logged}, model_class="v2_models.Classifier")
    answer = server.post("/v2/models/m/infer", {"inputs": [[13, 2, 3]]})
    assert answer.status == 500
    assert "model 'm'" in answer.json["error"] and "secret" not in answer.raw.decode()


def test_explain_where_it_has_one(code, start, logged):
    body = {"inputs": [[1, 2, 3]]}
    assert start({"m": logged}, model_class="v2_models.Classifier").post("/v2/models/m/explain", body).status == 501
    server = start({"m": logged}, model_class="v2_models.Explaining")
    assert server.post("/v2/models/m/explain", body).json["outputs"] == [6]


def test_a_load_that_fails_says_why(code, start, logged):
    from serving.errors import LoadError

    with pytest.raises(LoadError, match="failed to load model m: no weights"):
        start({"m": logged}, model_class="v2_models.Failing")
