"""Compiled models say what those say that they were made from, or they do not serve."""

from pathlib import Path

import joblib
import msgspec
import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from leeway.errors import LeewayError
from leeway.model_hash import model_hash
from leeway.profile import Profile
from serving.errors import BadRequest
from serving.models.compile import compile_model
from serving.models.compile_cache import CompileCache
from serving.models.compile_order import CompileOrder
from serving.models.compiled import Compiled
from serving.models.parity import TOLERANCE, difference
from serving.models.parity_rows import ParityRows
from serving.models.scikit_learn import ScikitLearn
from serving.models.stored_rows import StoredRows
from serving.models.treelite_trees import convert_to_treelite, dumped, thresholds
from serving.types import InferenceRequest

ROWS = np.random.default_rng(3).normal(size=(300, 4)).round(2)
BINARY = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)
THREE = BINARY + (ROWS[:, 2] > 0)
NAMED = np.array(["no", "yes"])[BINARY]
VALUES = 100 * ROWS[:, 0] + ROWS[:, 3]
COMPILED = {
    "logistic": (LogisticRegression(), BINARY, "onnxruntime"),
    "multinomial": (LogisticRegression(), THREE, "onnxruntime"),
    "text": (LogisticRegression(), NAMED, "onnxruntime"),
    "booleans": (LogisticRegression(), BINARY == 1, "onnxruntime"),
    "floats": (LogisticRegression(), BINARY + 0.5 - 0.5, "onnxruntime"),
    "linear": (LinearRegression(), VALUES, "onnxruntime"),
    "ridge": (Ridge(), VALUES, "onnxruntime"),
    "hinge": (SGDClassifier(random_state=0), NAMED, "onnxruntime"),
    "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), BINARY, "onnxruntime"),
    "forest": (RandomForestClassifier(20, random_state=0), BINARY, "onnxruntime"),
    "forest of three": (RandomForestClassifier(20, max_depth=3, random_state=0), THREE, "onnxruntime"),
    "forest of text": (RandomForestClassifier(5, random_state=0), NAMED, "onnxruntime"),
    "forest of values": (RandomForestRegressor(20, random_state=0), VALUES, "onnxruntime"),
    "extra trees": (ExtraTreesClassifier(20, random_state=0), BINARY, "treelite"),
    "histograms": (HistGradientBoostingClassifier(max_iter=20), BINARY, "onnxruntime"),
    "histograms of three": (HistGradientBoostingClassifier(max_iter=10), THREE, "onnxruntime"),
    "histograms of text": (HistGradientBoostingClassifier(max_iter=10), NAMED, "onnxruntime"),
    "histograms of values": (HistGradientBoostingRegressor(max_iter=20), VALUES, "onnxruntime"),
    "boosted": (GradientBoostingClassifier(n_estimators=20, random_state=0), THREE, "onnxruntime"),
    "boosted values": (GradientBoostingRegressor(n_estimators=20, random_state=0), VALUES, "onnxruntime"),
}
NOT_QUITE = VALUES * (1 + 1e-9)
NATIVE = {
    "neighbours": (KNeighborsClassifier(), BINARY, "KNeighborsClassifier is not compiled"),
    "tree": (DecisionTreeClassifier(), BINARY, "DecisionTreeClassifier is not compiled"),
    "pipeline of trees": (
        make_pipeline(StandardScaler(), RandomForestClassifier(3)),
        BINARY,
        "a pipeline that ends in RandomForestClassifier is not compiled",
    ),
    "several outputs": (RandomForestRegressor(3), np.column_stack((VALUES, VALUES)), "treelite"),
}


@pytest.fixture
def order(tmp_path):
    """An order to compile a fitted model, saved."""

    def make(estimator, **fields):
        file = tmp_path / "model.pkl"
        joblib.dump(estimator, file)
        given = {"file": str(file), "sha256": model_hash(file), "form": "pickled", "home": str(tmp_path / "home")}
        return CompileOrder(**{**given, **fields})

    return make


def load(order):
    return cache(order).load(order.sha256)


def cache(order):
    return CompileCache(Path(order.home))


def asked(rows):
    return InferenceRequest(id="", rows=rows)


@pytest.mark.parametrize("name", COMPILED)
def test_it_says_what_the_native_model_says(order, name):
    estimator, labels, engine = COMPILED[name]
    made = order(estimator.fit(ROWS, labels))
    assert compile_model(made).engine.name == engine
    found, told = load(made)
    assert told.name == engine and "says what the native model says on 1,000 ordinary" in told.reason
    rows = np.random.default_rng(9).normal(size=(200, 4)).round(3).tolist()
    native, compiled = ScikitLearn(estimator).predict(asked(rows)), found.predict(asked(rows))
    if isinstance(native.outputs[0], float) and native.probabilities is None:
        assert compiled.outputs == pytest.approx(native.outputs, rel=1e-6, abs=1e-6)
    else:
        assert compiled.outputs == native.outputs
        assert [type(each) for each in compiled.outputs] == [type(each) for each in native.outputs]
    if native.probabilities is not None:
        assert np.abs(np.array(native.probabilities) - compiled.probabilities).max() <= TOLERANCE
    assert found.class_name == type(estimator).__name__


@pytest.mark.parametrize("name", NATIVE)
def test_the_native_model_serves_where_it_cannot_be_compiled(order, name):
    estimator, labels, reason = NATIVE[name]
    made = order(estimator.fit(ROWS, labels))
    verdict = compile_model(made)
    assert verdict.form is None and reason in verdict.reason
    assert load(made) == (None, verdict.engine)


def test_rows_that_are_not_all_numbers_are_not_for_it(order):
    import pandas as pd

    frame = pd.DataFrame({"kind": ["a", "b"] * 10, "size": range(20)})
    encoder = ColumnTransformer([("scaled", StandardScaler(), ["size"])])
    made = order(make_pipeline(encoder, LogisticRegression()).fit(frame, [0, 1] * 10))
    assert compile_model(made).reason == "its rows are not all numbers"


@pytest.mark.parametrize("name", ["forest", "histograms"])
def test_missing_values_and_bad_rows_are_as_in_the_native_model(order, name):
    estimator, labels, _ = COMPILED[name]
    rows = np.where(np.random.default_rng(1).random(ROWS.shape) < 0.2, np.nan, ROWS)
    made = order(estimator.fit(rows, labels))
    compile_model(made)
    found, native = load(made)[0], ScikitLearn(estimator)
    sent = [[None, 1.0, 2.0, 0.5], [0.1, None, None, 1.0]]
    assert found.predict(asked(sent)).outputs == native.predict(asked(sent)).outputs
    for wrong in ([[1, 2]], [["a", 1, 2, 3]], [[1e300, 0, 0, 0]], ["row"]):
        with pytest.raises(BadRequest) as ours:
            found.predict(asked(wrong))
        with pytest.raises(BadRequest) as theirs:
            native.predict(asked(wrong))
        assert str(ours.value) == str(theirs.value)


def test_a_linear_model_takes_no_missing_values(order):
    made = order(LogisticRegression().fit(ROWS, BINARY), features=["a", "b", "c", "d"])
    compile_model(made)
    with pytest.raises(BadRequest, match=r"column 0 \(a\) is null"):
        load(made)[0].predict(asked([[None, 1, 2, 3]]))


def test_rows_at_thresholds_find_what_ordinary_ones_do_not(order):
    """A boosted model that is asked in single precision, which is what a float32 conversion comes to."""
    estimator = HistGradientBoostingClassifier(max_iter=30).fit(np.random.default_rng(0).random((300, 4)), BINARY)
    made = order(estimator)
    form = compile_model(made).form
    wrong = Compiled(msgspec.structs.replace(form, single=True), cache(made).folder(made.sha256))
    native = ScikitLearn(estimator)
    draw = ParityRows(4, None, thresholds(dumped(convert_to_treelite(estimator))))
    assert difference(native, wrong, draw.ordinary(), rounding_decides=False) == ""
    assert "probabilities differ" in difference(native, wrong, draw.at_thresholds(), rounding_decides=False)


def test_a_difference_is_told(order):
    made = order(LogisticRegression().fit(ROWS, BINARY))
    compile_model(made)
    other = ScikitLearn(LogisticRegression(C=1e-3).fit(ROWS, BINARY))
    assert "probabilities differ by up to" in difference(other, load(made)[0], ROWS, rounding_decides=True)
    values = order(LinearRegression().fit(ROWS, VALUES))
    compile_model(values)
    assert "outputs differ by up to" in difference(
        ScikitLearn(LinearRegression().fit(ROWS, VALUES + 1)), load(values)[0], ROWS, rounding_decides=True
    )
    assert difference(ScikitLearn(LinearRegression().fit(ROWS, NOT_QUITE)), load(values)[0], ROWS, True) == ""
    assert "one has probabilities" in difference(other, load(values)[0], ROWS, True)


def test_labels_have_to_be_equal_unless_rounding_decides(order):
    class Near(ScikitLearn):
        """Breaks ties the other way."""

        def _classify(self, matrix):
            found = super()._classify(matrix)
            return msgspec.structs.replace(found, outputs=[1 - each for each in found.outputs])

    tied = LogisticRegression().fit(ROWS, BINARY)
    tied.coef_[:], tied.intercept_[:] = 0.0, 0.0
    mine, other = ScikitLearn(tied), Near(tied)
    assert difference(mine, other, ROWS, rounding_decides=True) == ""
    assert difference(mine, other, ROWS, rounding_decides=False) == "300 of 300 outputs differ"
    clear = LogisticRegression().fit(ROWS, BINARY)
    assert "of 300 outputs differ" in difference(ScikitLearn(clear), Near(clear), ROWS, rounding_decides=True)


def test_stored_rows_and_the_profile_are_looked_at(order, tmp_path):
    profile = tmp_path / "leeway-profile.json"
    sample = np.sort(ROWS[:, 0]).astype("<f8").tobytes()
    features = [{"name": n, "kind": "numeric", "rows": 300, "sample": sample} for n in "abcd"]
    profile.write_bytes(
        msgspec.json.encode(
            {"version": 1, "task": "classification", "rows": 300, "window_rows": 20, "features": features}
        )
    )
    assert Profile.from_bytes(profile.read_bytes())
    rows = tmp_path / "leeway-rows.json"
    rows.write_bytes(StoredRows(rows=ROWS[:7].tolist()).to_bytes())
    made = order(LogisticRegression().fit(ROWS, BINARY), profile=str(profile), rows=str(rows))
    assert compile_model(made).reason.startswith("says what the native model says on 7 stored, 1,000 ordinary, ")


def test_ordinary_rows_are_drawn_from_the_training_data():
    marginals = [np.array([1.0, 2.0]), np.array([5.0])]
    rows = ParityRows(2, marginals, {}).ordinary(50)
    assert set(rows[:, 0]) == {1.0, 2.0} and set(rows[:, 1]) == {5.0}


def test_boundary_rows_lie_on_both_sides_of_it():
    model = ScikitLearn(LogisticRegression().fit(ROWS, BINARY))
    rows = ParityRows(4, None, {}).at_boundary(model.labels, 50)
    margin = np.abs(model.estimator.decision_function(rows))
    assert len(rows) > 20 and margin.max() < 1e-12
    assert len(ParityRows(4, None, {}).at_boundary(lambda rows: [0] * len(rows), 50)) == 0


def test_a_file_that_was_changed_is_not_read(order):
    made = order(LogisticRegression().fit(ROWS, BINARY), sha256="0" * 64)
    with pytest.raises(LeewayError, match="was changed after it was loaded"):
        compile_model(made)


def test_a_damaged_entry_is_as_none(order):
    made = order(LogisticRegression().fit(ROWS, BINARY))
    assert load(made) == (None, None)
    compile_model(made)
    assert load(made)[0] is not None
    folder = cache(made).folder(made.sha256)
    (folder / "model.onnxruntime").write_bytes(b"other")
    assert load(made) == (None, None)
    compile_model(made)
    (folder / "compiled.json").write_bytes(b"{")
    assert load(made) == (None, None)
    compile_model(made)
    assert load(made)[0] is not None and len(list(folder.parent.iterdir())) == 1
