"""A model's reference is what its owner's table says, and a table that does not fit is refused with the reason."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from leeway.commands.deployment import Deployment, load_model
from leeway.commands.reference import Reference
from leeway.errors import LeewayError

RANDOM = np.random.default_rng(7)
INPUTS = pd.DataFrame(RANDOM.normal(size=(2_000, 3)), columns=["a", "b", "c"])


@pytest.fixture
def table(tmp_path):
    def write(label, name="reference.parquet", columns=("a", "b", "c")) -> Path:
        frame = INPUTS[list(columns)].assign(y=label)
        path = tmp_path / name
        frame.to_csv(path, index=False) if name.endswith(".csv") else frame.to_parquet(path)
        return path

    return write


def classes(n):
    return np.digitize(INPUTS["a"] + 0.3 * RANDOM.normal(size=len(INPUTS)), np.linspace(-1, 1, n - 1))


@pytest.mark.parametrize(
    "model, label, task",
    [
        (LogisticRegression(), classes(2), "classification"),
        (LogisticRegression(), classes(4), "multiclass"),
        (LinearRegression(), INPUTS["a"] * 2 + RANDOM.normal(size=2_000), "regression"),
        (RandomForestRegressor(n_estimators=3, max_depth=3, random_state=0), classes(3), "regression"),
    ],
    ids=["two classes", "four classes", "regression", "a regressor whose label is whole"],
)
def test_the_task_is_found_from_the_model(table, model, label, task):
    profile, answers = Reference(table(label), "y").profile(model.fit(INPUTS, label), None)
    assert profile.task == task
    assert profile.feature_names == ["a", "b", "c"]
    assert json.loads(answers)["rows"][0] == INPUTS.iloc[0].tolist()


def test_a_table_that_the_model_was_fitted_on_sets_no_error_level(table):
    label = classes(2)
    model = LogisticRegression().fit(INPUTS, label)
    assert Reference(table(label), "y", held_out=False).profile(model, None)[0].errors is None
    errors = Reference(table(label), "y", held_out=True).profile(model, None)[0].errors
    assert errors.errors == (model.predict(INPUTS) != label).sum()


def test_columns_are_taken_in_the_order_that_the_model_knows(table):
    label = classes(2)
    model = LogisticRegression().fit(INPUTS, label)
    shuffled = table(label, "shuffled.csv", columns=("c", "a", "b"))
    assert Reference(shuffled, "y").profile(model, None)[0].feature_names == ["a", "b", "c"]


def test_a_model_without_names_takes_the_order_of_the_table(table):
    label = classes(2)
    model = LogisticRegression().fit(INPUTS.to_numpy(), label)
    assert Reference(table(label), "y").profile(model, None)[0].feature_names == ["a", "b", "c"]


@pytest.mark.parametrize(
    "columns, name, label, reason",
    [
        (("a", "b"), "r.parquet", "y", "lacks what the model was fitted on: c"),
        (("a", "b", "c"), "r.parquet", "z", "has no column 'z'; it has a, b, c, y"),
        (("a", "b", "c"), "r.txt", "y", r"is neither \.parquet nor \.csv"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_refused(table, columns, name, label, reason):
    model = LogisticRegression().fit(INPUTS, classes(2))
    with pytest.raises(LeewayError, match=reason):
        Reference(table(classes(2), name, columns), label).profile(model, None)


def test_a_table_with_a_column_too_many_is_refused_where_the_model_knows_no_names(table):
    model = LogisticRegression().fit(INPUTS[["a", "b"]].to_numpy(), classes(2))
    with pytest.raises(LeewayError, match=r"has 3 columns beside 'y' \(a, b, c\), the model takes 2"):
        Reference(table(classes(2)), "y").profile(model, None)


def test_a_model_is_loaded_from_a_file_or_from_a_folder_that_mlrun_logged(tmp_path):
    folder = tmp_path / "logged"
    folder.mkdir()
    joblib.dump(LinearRegression(), folder / "m.pkl")
    (folder / "model_spec.yaml").write_text("kind: model\nspec:\n  model_file: m.pkl\n")
    assert isinstance(load_model(folder), LinearRegression)
    assert isinstance(load_model(folder / "m.pkl"), LinearRegression)


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.pkl").write_text("nothing")
    with pytest.raises(LeewayError, match=r"model\.pkl cannot be loaded"):
        load_model(tmp_path / "model.pkl")
    with pytest.raises(LeewayError, match=r"holds no model_spec\.yaml"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "file, given, name", [("My Model-2.pkl", None, "my_model_2"), ("x.pkl", "prices", "prices"), ("x.pkl", None, "x")]
)
def test_a_deployment_is_named_after_its_file(file, given, name):
    assert Deployment.of(Path(file), given, "models").name == name


@pytest.mark.parametrize("name", ["2fast", "a/b", "Ä", "x" * 41])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(LeewayError, match="cannot name a deployment"):
        Deployment.of(Path("m.pkl"), name, "models")
