"""The estimate of each window is archived as a verdict, and as points."""

import json

import numpy as np
import pandas as pd
import pytest

from leeway.record import Response
from monitoring.reference import profile_of

NAMES = ["price", "demand", "region"]


def probability(frame):
    second = np.clip(np.asarray(frame, float)[:, 0], 0.05, 0.95)
    return np.column_stack([1 - second, second])


def classify(frame):
    return (np.asarray(frame, float)[:, 0] > 0.5).astype(int)


def regress(frame):
    return np.asarray(frame, float) @ np.array([2.0, 1.0, 0.0])


def reference(task):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.random(2_000) for name in NAMES})
    if task == "regression":
        frame["y"] = regress(frame) + rng.normal(size=2_000) * 0.1
        return profile_of(frame, features=NAMES, label="y", predict=regress, held_out=slice(1_000, None))
    frame["y"] = (rng.random(2_000) < probability(frame)[:, 1]).astype(int)
    return profile_of(
        frame, features=NAMES, label="y", predict=classify, predict_proba=probability, held_out=slice(1_000, None)
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_window_is_estimated(make_reader, maker, task):
    reader = make_reader(reference(task).to_bytes())
    for i in range(50):
        row = [maker.random.random() for _ in NAMES]
        if task == "regression":
            answer = Response(f"r{i}", "a", regress([row]).tolist())
        else:
            answer = Response(f"r{i}", "a", classify([row]).tolist(), probability([row]).tolist())
        maker.predict("a", f"r{i}", [row], resp=answer)
    reader.consumer().consume(maker.messages)
    (found,) = [verdict for verdict in reader.table("verdict") if verdict["detector"] == "model_performance"]
    details = json.loads(found["verdict"])["details"]
    assert "concept drift" in details["blind_to"]
    for estimate in details["estimates"].values():
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert any(name[0] == "performance_estimate" for name in reader.series.names())
