"""Folders that MLflow logged, by the real one."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression

from serving.errors import BadRequest
from serving.graph.deployment import Node
from serving.models.load import load
from serving.types import InferenceRequest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own

ROWS = np.random.default_rng(7).normal(size=(300, 3))
BINARY = (ROWS[:, 0] > 0).astype(int)
SENT = ROWS[:20].tolist()
SMALL = {"n_estimators": 5, "n_jobs": 1}


@pytest.fixture(scope="module")
def mlflow():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import mlflow.sklearn
        import mlflow.xgboost
    return mlflow


@pytest.fixture
def mlflow_folder(tmp_path):
    return tmp_path / "logged"


@pytest.fixture
def loaded(tmp_path):
    """A model from a folder, not compiled."""

    def of(path, class_name=""):
        node = Node("m", uri=str(path), class_name=class_name, parameters={"compile": False})
        return load(node, "", tmp_path / "home")

    return of


def says(model, rows=SENT):
    return model.model.predict(InferenceRequest(id="", rows=rows))


@pytest.mark.parametrize("form", ["cloudpickle", "skops"])
def test_mlflows_folder_of_scikit_learn_is_read_without_mlflow(loaded, mlflow, mlflow_folder, form, monkeypatch):
    fitted = LogisticRegression().fit(pd.DataFrame(ROWS, columns=list("abc")), BINARY)
    example = pd.DataFrame(ROWS[:3], columns=list("abc"))
    mlflow.sklearn.save_model(fitted, mlflow_folder, serialization_format=form, input_example=example)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        monkeypatch.setitem(sys.modules, name, None)
    model = loaded(mlflow_folder, "MLFLOW_SERVER")
    assert model.features == ["a", "b", "c"] and model.warnings == ()
    assert says(model).outputs == fitted.predict(pd.DataFrame(ROWS[:20], columns=list("abc"))).tolist()


def test_mlflows_folder_of_xgboost(loaded, mlflow, mlflow_folder):
    fitted = xgboost.XGBClassifier(**SMALL).fit(ROWS, BINARY)
    mlflow.xgboost.save_model(fitted, mlflow_folder)
    assert says(loaded(mlflow_folder)).outputs == fitted.predict(ROWS[:20]).tolist()


def test_a_python_function_of_mlflows(loaded, mlflow, mlflow_folder):
    class Doubles(mlflow.pyfunc.PythonModel):
        """Only MLflow knows how to load it."""

        def predict(self, context, model_input, params=None):
            return model_input.sum(axis=1) * 2

    from mlflow.models import infer_signature

    frame = pd.DataFrame([[1.0, 2.0]], columns=["a", "b"])
    mlflow.pyfunc.save_model(mlflow_folder, python_model=Doubles(), signature=infer_signature(frame, [1.0]))
    model = loaded(mlflow_folder)
    assert (model.features, model.model.class_name) == (["a", "b"], "PyFuncModel")
    assert says(model, [[1.0, 2.0], [0.5, 0.5]]).outputs == [6.0, 2.0]
    for wrong in ([[1.0]], [["x", 2.0]], ["row"]):
        with pytest.raises(BadRequest):
            says(model, wrong)


def test_another_version_of_the_library_is_told(start, mlflow, mlflow_folder, caplog):
    mlflow.sklearn.save_model(LogisticRegression().fit(ROWS, BINARY), mlflow_folder)
    mlmodel = mlflow_folder / "MLmodel"
    mlmodel.write_text(mlmodel.read_text().replace("sklearn_version: 1.9.1", "sklearn_version: 1.3.2"))
    server = start({"m": mlflow_folder})
    (warning,) = server.get("/v2/models/m").json["warnings"]
    assert warning.startswith("it was logged with scikit-learn 1.3.2, and 1.9") and "scikit-learn==1.3.2" in warning
    assert warning in caplog.text
