"""A model of anybody's, monitored by one command in an empty folder: asked, told the truth, and found out."""

import json
import pickle
import time

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

PATIENCE_S = 60

pytestmark = pytest.mark.slow


def table(seed):
    frame = pd.DataFrame(np.random.default_rng(seed).normal(size=(2_000, 3)), columns=["a", "b", "c"])
    return frame.assign(y=(frame["a"] + frame["b"] / 2 > 0).astype(int))


def test_from_a_pickle_to_an_alarm(laptop, tmp_path):
    training, live = table(0), table(1)
    features = ["a", "b", "c"]
    model = LogisticRegression().fit(training[features].to_numpy(), training["y"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    table(2).to_parquet(tmp_path / "holdout.parquet")
    laptop.cwd = tmp_path
    found = json.loads(laptop.run("deploy", "model.pkl", "--reference", "holdout.parquet", "--label", "y", "--json"))
    with httpx.Client(base_url=f"{found['url']}/model", timeout=PATIENCE_S) as client:
        for begin in range(0, len(live), 100):
            part, id = live.iloc[begin : begin + 100], f"r{begin}"
            said = client.post("/predict", json={"id": id, "instances": part[features].to_numpy().tolist()})
            assert said.status_code == 200
            told = client.post("/feedback", json={"id": id, "truth": (1 - part["y"]).tolist()})
            assert told.status_code == 200
    end = time.monotonic() + PATIENCE_S
    while not json.loads(laptop.run("incidents", "list", "--json")):
        assert time.monotonic() < end, laptop.run("status")
