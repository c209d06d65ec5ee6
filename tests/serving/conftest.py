"""Models on disk, model servers over them, and what they recorded."""

import json
import pickle
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from leeway.backends import connect
from leeway.profile import CLASSIFICATION, NUMERIC, FeatureProfile, Profile
from leeway.record import decode
from leeway.settings import Settings
from serving.dataplane import DataPlane
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest

STREAM = "users/admin/serving"
ROWS = np.random.default_rng(5).random((400, 3))
LABELS = (ROWS[:, 0] > 0.5).astype(int)
ESTIMATORS = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(5, random_state=0),
    "boosted": HistGradientBoostingClassifier(max_iter=5),
    "linear": LinearRegression(),
}


@pytest.fixture(scope="session")
def estimators():
    """{name: fitted model of three columns}"""
    return {name: model.fit(ROWS, LABELS) for name, model in ESTIMATORS.items()}


@pytest.fixture(scope="session")
def model_files(estimators, tmp_path_factory):
    """{name: file} of the same models, pickled."""
    folder = tmp_path_factory.mktemp("models")
    for name, model in estimators.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
    return {name: folder / f"{name}.pkl" for name in estimators}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)


class Server:
    """A model server without a host; of `deployments`, where there are any, instead of what `serving` names."""

    def __init__(self, serving, home, deployments=(), **settings):
        self.settings = Settings(home=home, **{"compile_after_s": 3600.0, **settings})
        if deployments:
            plane = DataPlane.of(deployments, serving.function_uri, serving.handler, home)
            self.function = NuclioFunction.over(plane, serving, self.settings, "0")
        else:
            self.function = NuclioFunction.start(serving, self.settings, "0")

    def ask(self, method, path, body=b"", headers=None):
        """A dict is sent as JSON."""
        headers = {"content-type": "application/json", **(headers or {})}
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        answer = self.function.gateway.answer(HttpRequest(method, path, headers, body))
        return Answer(answer.status, answer.headers, answer.body)

    def post(self, path, body, headers=None):
        return self.ask("POST", path, body, headers)

    def get(self, path, headers=None):
        return self.ask("GET", path, b"", headers)

    def records(self):
        """What was recorded; ends the server."""
        self.function.close()
        stream = connect.stream(STREAM, self.settings)
        found = [decode(message.value) for message in stream.read(0, 0, 10_000)]
        stream.close()
        return [record for record in found if record.op != "outbox_end"]


@pytest.fixture
def start(tmp_path):
    """Start a model server with these ServingSettings and Settings; recorded unless told otherwise."""
    started = []

    def make(models, settings=None, **fields):
        named = {name: str(path) for name, path in models.items()}
        serving = ServingSettings(**{"models": named, "stream": STREAM, "project": "shop", **fields})
        started.append(Server(serving, tmp_path / f"home-{len(started)}", **(settings or {})))
        return started[-1]

    yield make
    for server in started:
        server.function.close()


@pytest.fixture
def run(tmp_path):
    """Start a model server of one deployment, in a home of its own or in the one that is named; recorded."""
    started = []

    def make(deployment, settings=None, home=None, **fields):
        serving = ServingSettings(**{"models": {}, "stream": STREAM, "project": "shop", **fields})
        home = home or tmp_path / f"graph-{len(started)}"
        started.append(Server(serving, home, [deployment], **(settings or {})))
        return started[-1]

    yield make
    for server in started:
        server.function.close()


@pytest.fixture
def components(tmp_path, monkeypatch):
    """Write a module of the user's, and say how its classes are called."""

    def write(code):
        name = f"components_{tmp_path.name.replace('-', '_')}_{len(list(tmp_path.glob('*.py')))}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return write


@pytest.fixture
def server(start, model_files):
    return start(model_files)


@pytest.fixture(scope="session")
def profile_of_rows():
    """The profile of a model of the columns a, b and c, as JSON."""
    columns = [FeatureProfile(name=name, kind=NUMERIC, rows=4) for name in "abc"]
    return Profile(task=CLASSIFICATION, rows=4, window_rows=20, features=columns).to_bytes()
