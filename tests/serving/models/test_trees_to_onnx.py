"""Trees in ONNX say in double precision what scikit-learn says, or are not put into it."""

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from serving.models.onnx_session import onnx_function
from serving.models.treelite_trees import convert_to_treelite, dumped
from serving.models.trees_to_onnx import NoOnnxTrees, trees_to_onnx

ROWS = np.random.default_rng(5).normal(size=(400, 3)).round(2)
HOLES = np.where(np.random.default_rng(6).random(ROWS.shape) < 0.2, np.nan, ROWS)
VALUES = ROWS[:, 0] ** 2 + ROWS[:, 1]
BINARY = (VALUES > 1).astype(int)
FITTED = {
    "missing values": HistGradientBoostingClassifier(max_iter=15).fit(HOLES, BINARY),
    "only missing ones part": HistGradientBoostingRegressor(max_iter=3).fit(
        np.where(BINARY[:, None] == 1, np.nan, ROWS > 9), VALUES
    ),
    "trees of one leaf": HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=1000).fit(ROWS, VALUES),
    "three classes": HistGradientBoostingClassifier(max_iter=5).fit(ROWS, BINARY + (ROWS[:, 2] > 0)),
    "a mean": RandomForestRegressor(7, random_state=0).fit(ROWS, VALUES),
}


@pytest.mark.parametrize("name", FITTED)
def test_both_say_the_same(name, tmp_path):
    model = FITTED[name]
    output = trees_to_onnx(dumped(convert_to_treelite(model)), tmp_path / "trees.onnx")
    rows = np.concatenate((HOLES, ROWS)).astype(np.float32).astype(np.float64)
    said = onnx_function(tmp_path / "trees.onnx", output)(rows)
    expected = model.predict_proba(rows)[:, -said.shape[1] :] if hasattr(model, "classes_") else model.predict(rows)
    np.testing.assert_allclose(said, np.reshape(expected, said.shape), rtol=1e-12, atol=1e-12)


def test_leaves_with_several_numbers_are_not_for_it(tmp_path):
    trees = dumped(convert_to_treelite(RandomForestClassifier(3).fit(ROWS, BINARY)))
    with pytest.raises(NoOnnxTrees, match="its leaves hold several numbers"):
        trees_to_onnx(trees, tmp_path / "trees.onnx")
    assert not list(tmp_path.iterdir())


def test_categories_are_not_for_it(tmp_path):
    kinds = np.random.default_rng(7).integers(0, 5, (400, 1))
    model = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]).fit(kinds, kinds[:, 0] % 2)
    with pytest.raises(NoOnnxTrees, match="its trees part by categories"):
        trees_to_onnx(dumped(convert_to_treelite(model)), tmp_path / "trees.onnx")


def test_what_comes_out_may_go_through_nothing_unknown(tmp_path):
    trees = dumped(convert_to_treelite(GradientBoostingRegressor(n_estimators=2).fit(ROWS, VALUES)))
    with pytest.raises(NoOnnxTrees, match="goes through signed_square"):
        trees_to_onnx({**trees, "postprocessor": "signed_square"}, tmp_path / "trees.onnx")
