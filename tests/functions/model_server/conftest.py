"""The model server, driven as Nuclio drives it, over one model of each kind that rows are checked for."""

import json
import logging
import pickle

import nuclio_sdk
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from functions.model_server import model_server

ROWS = np.random.default_rng(5).normal(size=(300, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
TABLE = pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "c": np.where(ROWS[:, 2] > 0, "red", "blue")})
CHOSEN = ColumnTransformer([("one", OneHotEncoder(handle_unknown="ignore"), ["c"])], remainder="passthrough")
MODELS = {
    "logistic": lambda: LogisticRegression().fit(ROWS, LABELS),
    "forest": lambda: RandomForestClassifier(5).fit(ROWS, LABELS),
    "boosted": lambda: HistGradientBoostingClassifier(max_iter=5).fit(ROWS, LABELS),
    "linear": lambda: LinearRegression().fit(ROWS, LABELS),
    "named": lambda: LogisticRegression().fit(pd.DataFrame(ROWS, columns=["a", "b", "c"]), LABELS),
    "mixed": lambda: make_pipeline(CHOSEN, LogisticRegression()).fit(TABLE, LABELS),
}


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """{SERVING_MODEL_<name>: file}"""
    folder = tmp_path_factory.mktemp("served")
    for name, make in MODELS.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(make()))
    return {f"SERVING_MODEL_{name}": str(folder / f"{name}.pkl") for name in MODELS}


class Worker:
    """One Nuclio worker: the SDK's own context, platform and events."""

    def __init__(self):
        self.platform = nuclio_sdk.Platform("local")
        info = nuclio_sdk.TriggerInfo("http", "http")
        self.context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.INFO), self.platform, "0", info)
        model_server.init_context(self.context)

    def send(self, method, path, body=b"", content_type="application/json", headers=None):
        """What the handler returns; JSON is decoded first where the wrapper would."""
        headers = {"Content-Type": content_type, **(headers or {})}
        event = nuclio_sdk.Event(body, content_type, headers=headers, method=method, path=path)
        return model_server.handler(self.context, event)

    def post(self, path, body):
        return self.send("POST", path, json.dumps(body).encode())

    def end(self):
        self.platform._on_signal("termination")


@pytest.fixture
def make_worker(tmp_path, monkeypatch):
    made = []

    def make(environ):
        for name, value in {"LEEWAY_HOME": str(tmp_path / "home"), **environ}.items():
            monkeypatch.setenv(name, value)
        made.append(Worker())
        return made[-1]

    yield make
    for worker in made:
        worker.end()


@pytest.fixture
def worker(make_worker, served):
    return make_worker({"INFERENCE_STREAM": "users/elec", **served})
