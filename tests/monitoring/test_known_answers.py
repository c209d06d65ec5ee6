"""What a model says to its first rows is what it has to say wherever it is loaded."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from monitoring.known_answers import COUNT, ROWS_FILE, known_answers
from serving.errors import LoadError
from serving.graph.deployment import Node
from serving.models.load import load
from serving.models.self_test import self_test

ROWS = pd.DataFrame({"a": np.arange(60.0), "b": [1, 2, 3] * 20, "c": [np.nan, 0.5] * 30})
TRUTH = (ROWS["a"] > 20).astype(int).to_numpy()


def fitted(truth):
    return HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2).fit(ROWS.to_numpy(), truth)


@pytest.fixture
def saved(tmp_path):
    """Loads a model that lies beside known answers of another; both have seen the same rows."""
    import joblib

    def make(model, answers_of):
        known = known_answers(
            ROWS, lambda frame: answers_of.predict(frame.to_numpy()), lambda f: answers_of.predict_proba(f.to_numpy())
        )
        joblib.dump(model, tmp_path / "model.pkl")
        (tmp_path / ROWS_FILE).write_bytes(known)
        node = Node("m", uri=str(tmp_path / "model.pkl"), parameters={"compile": False}, is_trusted=True)
        return load(node, "", tmp_path / "home")

    return make


def test_a_model_passes_its_own_test(saved):
    model = fitted(TRUTH)
    loaded = saved(model, model)
    assert loaded.rows is not None
    self_test(loaded)


def test_another_one_does_not(saved):
    with pytest.raises(LoadError, match="self-test failed"):
        self_test(saved(fitted(1 - TRUTH), fitted(TRUTH)))


def test_the_rows_are_plain_json():
    found = known_answers(ROWS, lambda frame: frame["b"].to_numpy())
    assert found.startswith(b'{"rows": [[0.0, 1, null], [1.0, 2, 0.5],') and found.count(b"null") == COUNT // 2
