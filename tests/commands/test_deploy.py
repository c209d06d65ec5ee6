"""`leeway deploy` serves, records and watches a model that is not ours."""

import httpx
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(3)
INPUTS = pd.DataFrame(RANDOM.normal(size=(1_500, 3)), columns=["a", "b", "c"])
TARGETS = {
    "classification": (LogisticRegression(), (INPUTS["a"] + 0.4 * RANDOM.normal(size=1_500) > 0).astype(int)),
    "regression": (LinearRegression(), INPUTS["a"] * 2 + RANDOM.normal(size=1_500)),
}


@pytest.fixture(params=TARGETS)
def mine(request, tmp_path):
    """(the model, rows that it was not fitted on), written as model.pkl and holdout.parquet."""
    model, target = TARGETS[request.param]
    model.fit(INPUTS[:1_000].to_numpy(), target[:1_000])
    joblib.dump(model, tmp_path / "model.pkl")
    holdout = INPUTS[1_000:].assign(y=target[1_000:])
    holdout.to_parquet(tmp_path / "holdout.parquet")
    return model, holdout


def appended(status, name):
    return sum(stream["appended"] for stream in status["streams"] if stream["name"] == name)


def test_a_model_is_served_recorded_and_labelled(leeway, ok, mine, write):
    model, holdout = mine
    deployed = ok(leeway("deploy", "model.pkl", "--reference", "holdout.parquet", "--label", "y", "--json"))
    assert deployed["error_level"] is not None
    rows = holdout[["a", "b", "c"]].head(5).to_numpy()
    for i, row in enumerate(rows):
        body = {"id": f"r{i}", "instances": [row.tolist()]}
        answer = httpx.post(f"{deployed['url']}/model/predict", json=body, timeout=60)
        assert answer.json()["predictions"] == pytest.approx(model.predict([row]))
    truth = "id,truth\n" + "".join(f"r{i},{y}\n" for i, y in enumerate(holdout["y"].head(5)))
    assert ok(leeway("truth", "model", write("truth.csv", truth), "--json"))["accepted"] == 5
    assert {deployed["function"], deployed["watched_by"]} <= set(ok(leeway("status", "--json"))["functions"])
    while (found := appended(ok(leeway("status", "--json")), deployed["stream"])) < 10:
        pass  # the forwarder sends in its own time; the test's timeout ends this
    assert found == 10
    assert "leeway truth model FILE.csv" in leeway("deploy", "model.pkl").stdout


def test_reference_and_label_belong_together(leeway, mine):
    result = leeway("deploy", "model.pkl", "--reference", "holdout.parquet")
    assert result.exit_code == 2
    assert "--reference and --label belong together" in result.stderr
