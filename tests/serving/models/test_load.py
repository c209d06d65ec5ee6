"""Where models lie, which may be loaded, and as what."""

import pickle
import shutil

import joblib
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from leeway.model_hash import model_hash
from serving.errors import LoadError
from serving.graph.deployment import Node
from serving.models.load import load
from serving.types import InferenceRequest

PREDICTS = """
class Model:
    def __init__(self, name, threshold=0.5):
        self.name, self.threshold = name, threshold
    def load(self):
        self.loaded = True
    def predict(self, rows):
        return [self.loaded and sum(row) > self.threshold for row in rows]
class Silent:
    pass
class Broken:
    def __init__(self):
        raise OSError("no weights")
    def predict(self, rows):
        return rows
"""


@pytest.fixture
def loaded(tmp_path):
    return lambda uri="", **fields: load(Node("m", uri=str(uri), **fields), "", tmp_path / "home")


@pytest.fixture
def file(model_files, tmp_path):
    return shutil.copy(model_files["logistic"], tmp_path / "model.pkl")


@pytest.fixture
def mlrun_folder(model_files, tmp_path):
    """As MLRun's log_model leaves it."""
    folder = tmp_path / "logged"
    folder.mkdir()
    shutil.copy(model_files["boosted"], folder / "elec.pkl")
    (folder / "other.pkl").write_bytes(b"")
    spec = {"model_file": "elec.pkl", "inputs": [{"name": n} for n in "abc"], "outputs": [{"name": "y"}]}
    (folder / "model_spec.yaml").write_text(yaml.safe_dump({"kind": "model", "spec": spec}))
    return folder


@pytest.fixture
def users_code(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(PREDICTS)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_file_is_known_by_its_hash(loaded, file):
    found = loaded(file)
    assert found.sha256 == model_hash(file) and found.version == found.sha256[:12]
    assert found.model.class_name == "LogisticRegression"
    assert loaded(f"file://{file}").sha256 == found.sha256
    assert loaded(file, version="v7").version == "v7"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblibs_files_too(loaded, estimators, tmp_path, compress):
    joblib.dump(estimators["forest"], tmp_path / "m.joblib", compress=compress)
    assert loaded(tmp_path / "m.joblib").model.class_name == "RandomForestClassifier"


def test_a_folder_of_mlruns_is_known_by_the_hash_of_its_file(loaded, mlrun_folder):
    found = loaded(mlrun_folder)
    assert found.sha256 == model_hash(mlrun_folder / "elec.pkl")
    assert (found.features, found.outputs) == (["a", "b", "c"], [{"name": "y"}])


def test_a_folder_with_one_model(loaded, file, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    shutil.copy(file, folder / "any.pkl")
    (folder / "notes.txt").write_text("x")
    assert loaded(folder).sha256 == model_hash(folder / "any.pkl")
    shutil.copy(file, folder / "second.pkl")
    with pytest.raises(LoadError, match="not one file"):
        loaded(folder)


def test_the_profile_is_found_beside_the_model(loaded, mlrun_folder):
    (mlrun_folder / "leeway-profile.json").write_bytes(b"profile")
    assert loaded(mlrun_folder).profile == b"profile"
    assert loaded(mlrun_folder / "elec.pkl").profile == b"profile"


def test_the_hash_that_was_given_must_be_the_one_found(loaded, file, mlrun_folder):
    assert loaded(file, sha256=model_hash(file))
    assert loaded(mlrun_folder, sha256=model_hash(mlrun_folder))
    with pytest.raises(LoadError, match="SERVING_MODEL_HASH_m says: it was changed"):
        loaded(file, sha256=model_hash(mlrun_folder))
    (mlrun_folder / "other.pkl").write_bytes(b"more")
    with pytest.raises(LoadError, match="was changed"):
        loaded(mlrun_folder, sha256="0" * 64)


class Trap:
    """Its pickle leaves a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_unpickled_before_its_hash_was_checked(loaded, tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(LoadError, match="was changed"):
        loaded(tmp_path / "m.pkl", sha256="0" * 64)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("/nowhere/m.pkl", "no such file"),
        ("", "is empty"),
        ("file:///nowhere", "no such file"),
    ],
)
def test_what_is_not_there_or_not_trusted(loaded, uri, says):
    with pytest.raises(LoadError, match=says):
        loaded(uri)


@pytest.mark.parametrize("content", [b"", b"hello", b"<xml/>", b'{"a": 1}', b"\x80garbage", b"\x80\x04."])
def test_what_is_no_model_is_refused_by_name(loaded, tmp_path, content):
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(LoadError, match=r"m\.bin is in no form|model 'm' cannot be loaded"):
        loaded(tmp_path / "m.bin")


def test_a_spec_that_names_no_file(loaded, mlrun_folder):
    (mlrun_folder / "elec.pkl").unlink()
    with pytest.raises(LoadError, match=r"names the file 'elec\.pkl'"):
        loaded(mlrun_folder)
    (mlrun_folder / "model_spec.yaml").write_text("{")
    with pytest.raises(LoadError, match="cannot be read"):
        loaded(mlrun_folder)


@pytest.mark.parametrize("name", ["ClassifierModel", "mlrun.frameworks.sklearn.SKLearnModelServer"])
def test_names_that_the_hub_gave_mean_scikit_learn(loaded, file, name):
    assert loaded(file, class_name=name).model.class_name == "LogisticRegression"


def test_a_class_of_the_users_own(loaded, users_code, file):
    found = loaded(class_name="my_models.Model", parameters={"threshold": 2})
    assert found.model.class_name == "Model" and len(found.version) == 12
    assert found.model.predict(InferenceRequest(id="", rows=[[1], [3]])).outputs == [False, True]
    assert loaded(file, class_name="my_models.Model").sha256 == model_hash(file)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"class_name": "nowhere.Model"}, "beside the function's code"),
        ({"class_name": "my_models.Other"}, "has no class 'Other'"),
        ({"class_name": "Model"}, "give module.Class"),
        ({"class_name": "my_models.Silent"}, "no method predict"),
        ({"class_name": "my_models.Model", "parameters": {"depth": 3}}, "'depth'"),
        ({"class_name": "my_models.Broken"}, "OSError: no weights"),
    ],
)
def test_a_class_that_does_not_fit_is_refused_by_name(loaded, users_code, fields, says):
    with pytest.raises(LoadError, match=says):
        loaded(**fields)


def test_an_unfitted_model_is_refused(loaded, tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(LogisticRegression()))
    with pytest.raises(LoadError, match="n_features_in_"):
        loaded(tmp_path / "m.pkl")
