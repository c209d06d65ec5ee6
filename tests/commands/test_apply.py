"""SeldonDeployments by hand: applied, shown, described and deleted."""

import httpx
import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import leeway as leeway_package

ROWS = np.random.default_rng(3).normal(size=(100, 2))
TEXT = """
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: prices, namespace: data}
spec:
  replicas: 2
  predictors:
  - {name: main, traffic: 75, graph: {name: one, implementation: SKLEARN_SERVER, modelUri: one.pkl}}
  - name: canary
    traffic: 25
    graph: {name: two, implementation: SKLEARN_SERVER, modelUri: two.pkl}
    explainer: {type: AnchorTabular}
"""


@pytest.fixture
def models(tmp_path):
    for name, factor in (("one", 1), ("two", 2)):
        joblib.dump(LinearRegression().fit(ROWS, factor * ROWS[:, 0]), tmp_path / f"{name}.pkl")


def said_by(url):
    """What 40 requests are answered with."""
    with httpx.Client(base_url=url, timeout=60) as client:
        body = {"instances": [[1.0, 0.0]]}
        return {round(client.post("/prices/predict", json=body).json()["predictions"][0]) for _ in range(40)}


def test_what_is_wrong_with_the_yaml_is_one_line(leeway, write, home):
    result = leeway("apply", "-f", write("wrong.yaml", "kind: KongService"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: kind 'KongService' is refused: only SeldonDeployments are read here")


def test_without_any_there_is_nothing_to_show(leeway, ok, home):
    assert ok(leeway("get", "--json")) == []
    assert "no SeldonDeployment 'prices' was applied here; there are: none" in leeway("describe", "prices").stderr


@pytest.mark.slow
def test_a_deployment_is_applied_described_and_deleted(leeway, ok, write, models):
    (deployed,) = ok(leeway("apply", "-f", write("canary.yaml", TEXT), "--json"))
    assert any("explainer" in note for note in deployed["notes"])
    answers = {
        tuple(answer.json()["data"]["ndarray"]) for answer in (
            httpx.post(
                f"{deployed['url']}/seldon/data/prices/api/v1.0/predictions",
                json={"data": {"ndarray": [[1.0, 0.0]]}},
                headers={"x-leeway-predictor": name},
                timeout=60,
            )
            for name in ("main", "canary")
        )
    }  # fmt: skip
    assert sorted(round(value) for (value,) in answers) == [1, 2]
    (found,) = ok(leeway("get", "--json"))
    assert (found["name"], found["state"], found["namespace"]) == ("prices", "ready", "data")
    assert "main=75 canary=25" in leeway("get").stdout
    described = leeway("describe", "prices").stdout
    assert "explainer AnchorTabular: not served" in described
    assert "node    two: MODEL SKLEARN_SERVER" in described
    workers = ok(leeway("status", "--json"))["functions"]["models-prices"]["workers"]
    assert len([worker for worker in workers if worker["trigger"] != "stream"]) == 2
    assert said_by(deployed["url"]) == {1, 2}
    made = ok(leeway("traffic", "prices", "canary=100", "--why", "it is better", "--json"))
    assert (made["traffic"], made["waiting"], made["recorded"]) == ({"main": 0, "canary": 100}, [], True)
    assert len(made["confirmed"]) == 2
    assert said_by(deployed["url"]) == {2}
    patch = '[{"op": "replace", "path": "/spec/predictors/1/traffic", "value": 0}]'
    assert "main gets the rest, 100 %" in leeway("patch", "prices", "--type=json", "-p", patch).stdout
    assert said_by(deployed["url"]) == {1}
    assert leeway_package.set_traffic("prices", canary=40)["traffic"] == {"main": 60, "canary": 40}
    history = ok(leeway("traffic", "prices", "--json"))["history"]
    assert [(each["version"], each["why"]) for each in history] == [(1, "it is better"), (2, ""), (3, "")]
    assert "main=60 canary=40" in leeway("get").stdout and "it is better" in leeway("traffic", "prices").stdout
    assert "Traffic must" not in leeway("traffic", "prices", "canary=5", "main=95").stderr
    assert "Traffic must sum to 100" in leeway("traffic", "prices", "canary=5", "main=90").stderr
    gone = ok(leeway("delete", "prices", "--json"))["deleted"]
    assert gone == ["models-prices", "models-prices-drift"]
    assert ok(leeway("get", "--json")) == []
