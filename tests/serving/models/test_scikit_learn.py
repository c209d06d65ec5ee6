import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serving.errors import BadRequest, LoadError
from serving.models.scikit_learn import ScikitLearn
from serving.types import InferenceRequest

RANDOM = np.random.default_rng(2)
ROWS = RANDOM.normal(size=(300, 3))
TARGETS = {
    "binary": (ROWS[:, 0] + RANDOM.normal(size=300) > 0).astype(int),
    "named": np.array(["low", "middle", "high"])[np.digitize(ROWS[:, 0] + RANDOM.normal(size=300), [-1, 1])],
}
CLASSIFIERS = [
    LogisticRegression(), DecisionTreeClassifier(max_depth=3), RandomForestClassifier(4, random_state=0),
    ExtraTreesClassifier(4, random_state=0), GradientBoostingClassifier(n_estimators=5),
    HistGradientBoostingClassifier(max_iter=5), KNeighborsClassifier(2), GaussianNB(), SGDClassifier(random_state=0),
    SVC(), make_pipeline(StandardScaler(), LogisticRegression()),
]  # fmt: skip


def request(rows):
    return InferenceRequest(id="r", rows=rows)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
def test_outputs_are_what_predict_says_on_many_rows_and_on_ties(estimator, target):
    fitted = estimator.fit(ROWS, TARGETS[target])
    rows = np.vstack([RANDOM.normal(size=(500, 3)), np.zeros((1, 3)), np.round(RANDOM.normal(size=(50, 3)))])
    said = ScikitLearn(fitted).predict(request(rows.tolist()))
    assert said.outputs == fitted.predict(rows).tolist()
    if hasattr(fitted, "predict_proba"):
        assert said.probabilities == fitted.predict_proba(rows).tolist()
    else:
        assert said.probabilities is None


class Counting(LogisticRegression):
    """Not scikit-learn's own class, so that nothing is known of what its predict does."""

    passes = 0

    def predict(self, inputs):
        self.passes += 1
        return 1 - super().predict(inputs)


def test_a_class_that_is_not_scikit_learns_own_is_asked_itself():
    fitted = Counting().fit(ROWS, TARGETS["binary"])
    assert ScikitLearn(fitted).predict(request(ROWS.tolist())).outputs == fitted.predict(ROWS).tolist()


def test_known_classifiers_take_one_pass(monkeypatch):
    fitted = LogisticRegression().fit(ROWS, TARGETS["named"])
    model = ScikitLearn(fitted)
    monkeypatch.setattr(fitted, "predict", lambda rows: pytest.fail("a second pass"))
    assert model.predict(request([[9.0, 0.0, 0.0]])).outputs == ["high"]


def test_a_regressor_and_missing_values():
    holes = np.where(RANDOM.random(ROWS.shape) < 0.1, np.nan, ROWS)
    fitted = HistGradientBoostingRegressor(max_iter=5).fit(holes, ROWS[:, 0])
    said = ScikitLearn(fitted).predict(request([[0.5, None, 0.5]]))
    assert said.outputs == fitted.predict([[0.5, np.nan, 0.5]]).tolist()
    assert said.probabilities is None


@pytest.mark.parametrize(
    ("steps", "takes"),
    [
        ([StandardScaler(), LogisticRegression()], False),
        ([StandardScaler(), SimpleImputer(), LogisticRegression()], True),
        ([make_pipeline(SimpleImputer(), StandardScaler()), LogisticRegression()], True),
        ([StandardScaler(), HistGradientBoostingClassifier(max_iter=2)], True),
        ([StandardScaler(), "passthrough", LogisticRegression()], False),
    ],
)
def test_a_pipeline_takes_missing_values_if_all_of_its_steps_do_or_one_fills_them_in(steps, takes):
    model = ScikitLearn(make_pipeline(*steps).fit(ROWS, TARGETS["binary"]))
    if takes:
        assert len(model.predict(request([[0.5, None, 0.5]])).outputs) == 1
    else:
        with pytest.raises(BadRequest, match="column 1 is null"):
            model.predict(request([[0.5, None, 0.5]]))


def test_several_targets_have_several_outputs_a_row():
    fitted = RandomForestClassifier(3).fit(ROWS, np.column_stack([TARGETS["binary"], 1 - TARGETS["binary"]]))
    (output,) = ScikitLearn(fitted).predict(request([[0.1, 0.2, 0.3]])).outputs
    assert len(output) == 2


def test_a_model_fitted_on_a_table_of_numbers_knows_its_columns_and_needs_no_table():
    fitted = LogisticRegression().fit(pd.DataFrame(ROWS, columns=["a", "b", "c"]), TARGETS["binary"])
    model = ScikitLearn(fitted)
    assert model.features == ["a", "b", "c"]
    assert (
        model.predict(request(ROWS.tolist())).outputs
        == fitted.predict(pd.DataFrame(ROWS, columns=["a", "b", "c"])).tolist()
    )
    with pytest.raises(BadRequest, match=r"2 values; the model takes 3 numbers \(a, b, c\)"):
        model.predict(request([[1, 2]]))


@pytest.fixture(scope="module")
def by_name():
    table = pd.DataFrame({"size": ROWS[:, 0], "colour": np.where(ROWS[:, 1] > 0, "red", "blue")})
    chosen = ColumnTransformer([("one", OneHotEncoder(handle_unknown="ignore"), ["colour"])], remainder="passthrough")
    return make_pipeline(chosen, LogisticRegression()).fit(table, TARGETS["binary"])


def test_a_pipeline_that_chooses_columns_by_name_is_given_a_table(by_name):
    rows = [[0.3, "red"], [-2.0, "green"]]
    expected = by_name.predict(pd.DataFrame(rows, columns=["size", "colour"])).tolist()
    assert ScikitLearn(by_name).predict(request(rows)).outputs == expected


@pytest.mark.parametrize("rows", [[[1]], [3], [[1, ["red"]]], [[1, {"a": 1}]]])
def test_such_a_pipeline_refuses_what_is_no_row(by_name, rows):
    with pytest.raises(BadRequest, match="row 0"):
        ScikitLearn(by_name).predict(request(rows))


@pytest.mark.parametrize("thing", [{"a": 1}, [1, 2], LogisticRegression()])
def test_what_is_no_fitted_model_is_not_loaded(thing):
    with pytest.raises(LoadError, match="fit"):
        ScikitLearn(thing)
