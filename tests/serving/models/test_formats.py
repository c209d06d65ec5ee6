"""Models in the forms of other libraries, each saved by the real one."""

import json
import sys

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skl2onnx
import skops.io
import xgboost
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serving.errors import BadRequest, LoadError
from serving.graph.deployment import Node
from serving.models.load import load
from serving.types import InferenceRequest

ROWS = np.random.default_rng(7).normal(size=(300, 3))
BINARY = (ROWS[:, 0] > 0).astype(int)
THREE = BINARY + (ROWS[:, 1] > 0)
VALUES = 10 * ROWS[:, 0]
SENT = ROWS[:20].tolist()
SMALL = {"n_estimators": 5, "n_jobs": 1}


@pytest.fixture
def loaded(tmp_path):
    """A model from a file or folder, not compiled."""

    def of(path, class_name="", **parameters):
        node = Node("m", uri=str(path), class_name=class_name, parameters={"compile": False, **parameters})
        return load(node, "", tmp_path / "home")

    return of


def says(model, rows=SENT):
    return model.model.predict(InferenceRequest(id="", rows=rows))


@pytest.mark.parametrize("ending", ["json", "ubj"])
@pytest.mark.parametrize("labels", [BINARY, THREE])
def test_xgboosts_classifiers(loaded, tmp_path, ending, labels):
    fitted = xgboost.XGBClassifier(**SMALL).fit(ROWS, labels)
    fitted.save_model(tmp_path / f"model.{ending}")
    said = says(loaded(tmp_path / f"model.{ending}", "XGBOOST_SERVER"))
    assert said.outputs == fitted.predict(ROWS[:20]).tolist()
    assert np.allclose(said.probabilities, fitted.predict_proba(ROWS[:20]))


def test_xgboosts_boosters_and_regressors(loaded, tmp_path):
    data = xgboost.DMatrix(ROWS, BINARY, feature_names=list("abc"))
    booster = xgboost.train({"objective": "binary:logistic"}, data, 5)
    booster.save_model(tmp_path / "model.ubj")
    model = loaded(tmp_path)
    assert model.features == ["a", "b", "c"] and model.model.class_name == "XGBClassifier"
    assert np.array(says(model).probabilities)[:, 1] == pytest.approx(booster.predict(data)[:20])
    (tmp_path / "model.ubj").unlink()
    fitted = xgboost.XGBRegressor(**SMALL).fit(ROWS, VALUES)
    fitted.save_model(tmp_path / "model.json")
    assert says(loaded(tmp_path)).outputs == pytest.approx(fitted.predict(ROWS[:20]))
    assert len(says(loaded(tmp_path), [[None, 1.0, 2.0]]).outputs) == 1
    joblib.dump(fitted, tmp_path / "pickled.pkl")
    assert says(loaded(tmp_path / "pickled.pkl", "XGBOOST_SERVER")).outputs == pytest.approx(fitted.predict(ROWS[:20]))


@pytest.mark.parametrize("labels", [BINARY, THREE])
def test_lightgbms_classifiers(loaded, tmp_path, labels):
    fitted = lightgbm.LGBMClassifier(verbose=-1, **SMALL).fit(ROWS, labels)
    fitted.booster_.save_model(tmp_path / "model.txt")
    said = says(loaded(tmp_path, "LIGHTGBM_SERVER"))
    assert np.allclose(said.probabilities, fitted.predict_proba(ROWS[:20]))
    assert said.outputs == np.argmax(fitted.predict_proba(ROWS[:20]), axis=1).tolist()


def test_lightgbms_regressors_know_their_columns(loaded, tmp_path):
    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"])
    fitted = lightgbm.LGBMRegressor(verbose=-1, **SMALL).fit(frame, VALUES)
    fitted.booster_.save_model(tmp_path / "model.lgb")
    model = loaded(tmp_path / "model.lgb")
    assert model.features == ["a", "b", "c"]
    assert says(model).outputs == pytest.approx(fitted.predict(frame[:20]))
    assert len(says(model, [[None, 1.0, 2.0]]).outputs) == 1
    with pytest.raises(BadRequest, match="row 0 has 2 values"):
        says(model, [[1, 2]])


def test_skops(loaded, tmp_path):
    fitted = LogisticRegression().fit(ROWS, BINARY)
    skops.io.dump(fitted, tmp_path / "model.skops")
    assert says(loaded(tmp_path)).probabilities == fitted.predict_proba(ROWS[:20]).tolist()


@pytest.mark.parametrize("zipmap", [True, False])
def test_an_onnx_file_of_a_classifier(loaded, tmp_path, zipmap):
    fitted = LogisticRegression().fit(ROWS, BINARY)
    made = skl2onnx.to_onnx(fitted, ROWS[:1].astype(np.float32), options={"zipmap": zipmap})
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    model = loaded(tmp_path, "ONNX_SERVER")
    said = says(model)
    assert said.outputs == fitted.predict(ROWS[:20]).tolist()
    assert np.allclose(said.probabilities, fitted.predict_proba(ROWS[:20]), atol=1e-6)
    with pytest.raises(BadRequest, match="row 0 has 2 values; the model takes 3 numbers"):
        says(model, [[1, 2]])


def test_an_onnx_file_with_an_input_for_each_column(loaded, tmp_path):
    frame = pd.DataFrame({"kind": ["a", "b", "b", "a"] * 5, "count": range(20), "size": np.arange(20) / 3})
    encoder = ColumnTransformer([("one", OneHotEncoder(), ["kind"])], remainder="passthrough")
    fitted = make_pipeline(encoder, LogisticRegression()).fit(frame, [0, 1] * 10)
    types = [
        ("kind", StringTensorType([None, 1])),
        ("count", Int64TensorType([None, 1])),
        ("size", FloatTensorType([None, 1])),
    ]
    made = skl2onnx.to_onnx(fitted, initial_types=types)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    model = loaded(tmp_path)
    assert model.features == ["kind", "count", "size"]
    assert (
        says(model, [["a", 3, 1.5], ["b", 19, 6.0]]).outputs
        == fitted.predict(pd.DataFrame([["a", 3, 1.5], ["b", 19, 6.0]], columns=frame.columns)).tolist()
    )
    for wrong, reason in (
        ([["a", 3]], "expected 3 values: kind, count, size"),
        ([[1, 3, 1.5]], "input kind: a value is no text"),
        ([["a", 3.5, 1.5]], "input count: a value is no int64"),
        ([["a", 3, "x"]], "input size: a value is no float32"),
    ):
        with pytest.raises(BadRequest, match=reason):
            says(model, wrong)


def test_an_onnx_file_of_images(loaded, tmp_path):
    from onnx import TensorProto, helper

    node = helper.make_node("ReduceSum", ["image"], ["total"], keepdims=0)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("ReduceSum", ["flat", "axes"], ["y"])],
        "sums",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [None, 2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    assert node.op_type == "ReduceSum"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    model = loaded(tmp_path)
    assert says(model, [[[1, 2, 3], [4, 5, 6]]]).outputs == [21.0]
    with pytest.raises(BadRequest, match=r"a row has the shape \[2\]; expected \[2, 3\]"):
        says(model, [[1, 2]])
    with pytest.raises(BadRequest, match="input image"):
        says(model, [[[1, 2, 3], [4, 5]]])


def test_a_pickle_of_another_version_is_told(loaded, tmp_path):
    fitted = LogisticRegression().fit(ROWS, BINARY)
    path = tmp_path / "model.pkl"
    joblib.dump(fitted, path)
    path.write_bytes(path.read_bytes().replace(b"1.9.1", b"1.8.1"))
    (warning,) = loaded(path).warnings
    assert "LogisticRegression from version 1.8.1 when using version 1.9" in warning


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.ubj", b'{"learner": 1}'),
        ("model.onnx", b"junk"),
        ("model.skops", b"PK\x03\x04junk"),
        ("MLmodel", b"a: 1"),
    ],
)
def test_damaged_files_are_refused_by_name(loaded, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LoadError, match=name.replace(".", r"\.") + "|model 'm' cannot be loaded"):
        loaded(tmp_path)


def test_the_server_that_was_asked_for_has_to_suit_the_file(loaded, tmp_path):
    joblib.dump(LogisticRegression().fit(ROWS, BINARY), tmp_path / "model.pkl")
    with pytest.raises(LoadError, match=r"model\.pkl is pickled; ONNX_SERVER takes onnx"):
        loaded(tmp_path, "ONNX_SERVER")
    assert loaded(tmp_path, "mlrun.frameworks.sklearn.SKLearnModelServer").model.class_name == "LogisticRegression"


@pytest.mark.parametrize(
    ("package", "command"), [("xgboost", "pip install xgboost-cpu"), ("lightgbm", "pip install lightgbm")]
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(loaded, tmp_path, monkeypatch, package, command):
    if package == "xgboost":
        xgboost.XGBRegressor(**SMALL).fit(ROWS, VALUES).save_model(tmp_path / "model.json")
    else:
        lightgbm.LGBMRegressor(verbose=-1, **SMALL).fit(ROWS, VALUES).booster_.save_model(tmp_path / "model.txt")
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)

    class Gone:
        def find_spec(self, name, path=None, target=None):
            if name == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Gone(), *sys.meta_path])
    with pytest.raises(LoadError, match=f"needs {package}, which is not installed: {command}"):
        loaded(tmp_path)


def test_a_folder_with_settings_beside_the_model(loaded, tmp_path):
    joblib.dump(LogisticRegression().fit(ROWS, BINARY), tmp_path / "model.joblib")
    (tmp_path / "config.json").write_text(json.dumps({"learner": 1}))
    (tmp_path / "leeway-rows.json").write_text(json.dumps({"rows": SENT[:2]}))
    assert loaded(tmp_path).model.class_name == "LogisticRegression"
